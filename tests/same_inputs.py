"""Inputs of `tests/same_record.py`, and values in a form that can be compared."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from random import Random
from typing import Any
from zlib import crc32

import numpy as np
import torch

from xlm_runtime.plug import Example, Family, ModelSize, Param, Vocabulary

SPECIALS = {"pad": 0, "mask": 1, "bos": 2, "eos": 3, "cls": 4}
VOCAB = Vocabulary(24, SPECIALS)
SIZE = ModelSize(layers=2, width=32, heads=2)
LEAKY = ModelSize(layers=2, width=32, heads=2, dropout=0.2, attention_dropout=0.1)
ROOM = 10
LENGTHS = (3, 0, 10, 1, 6, 10, 7, 2)
PROMPTS = (2, 9, 0, 1, 3, 4, 9, 5)
SECRET = 7  # a text with this token has ended
VALUES: dict[str, tuple[float | int, ...]] = {
    "Count": (1, 3, 8),
    "Size": (1, 3, 8),
    "Chance": (0.0, 0.4, 1.0),
    "Scale": (0.0, 0.5, 2.0),
}


def examples(layout: str, kind: str, begins: bool) -> list[Example]:
    """Examples of all lengths for a layout, an empty and a full one among them.

    kind: `plain`; `packed`, with several documents in a row; `cut`, texts that go on; `whole`, all
    of one length, so that there is no padding.
    """
    rng = np.random.default_rng(3)
    body = range(len(SPECIALS), VOCAB.size)
    made = []
    for i, sizes in enumerate(zip(LENGTHS, PROMPTS, strict=True)):
        size, prompt = (6, 3) if kind == "whole" else sizes
        ids = [int(x) for x in rng.choice(body, size)]
        before = [int(x) for x in rng.choice(body, prompt)] if layout == "seq2seq" else []
        given = [bool(x) for x in rng.random(size) < 0.4] if layout == "infill" else []
        given = sorted(given, reverse=True) if begins else given
        document = sorted(int(x) for x in rng.integers(0, 3, size)) if kind == "packed" else []
        cut = kind == "cut" and i % 2 == 0
        made.append(Example(10 + 7 * i, ids, before, given, (), document, cut))
    return made


def weighted(network: Any) -> Any:
    """A network with weights that depend on their names alone."""
    with torch.no_grad():
        for name, weights in network.named_parameters():
            generator = torch.Generator().manual_seed(crc32(name.encode()))
            weights.copy_(0.3 * torch.randn(weights.shape, generator=generator))
    return network


def ways(params: tuple[Param, ...], quick: bool, name: str) -> Iterator[dict[str, Any]]:
    """The default params; then one changed at a time; then all of them changed at random."""
    every = {one.name: [value for value in values(one) if value != one.default] for one in params}
    changes = {key: some for key, some in every.items() if some}
    yield {}
    for key, some in changes.items():
        for value in some[: int(not quick) * len(some)]:
            yield {key: value}
    rng = Random(name)
    for _ in range((2 if quick else 3) * bool(changes)):
        yield {key: rng.choice(some) for key, some in changes.items()}


def values(param: Param) -> tuple[Any, ...]:
    """Values to try for a param."""
    return param.options if param.kind == "Choice" else VALUES[param.kind]


def plain(value: Any) -> Any:
    """A value by its contents: dataclasses by their fields; a function is just there."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, str | int | float | bool | torch.Tensor) or value is None:
        return value
    return "a function" if callable(value) else type(value).__name__


def projection(tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Two numbers for each tensor, in the order of the names: a random projection, and the norm."""
    rows = []
    for name in sorted(tensors):
        one = tensors[name].detach().double().flatten()
        generator = torch.Generator().manual_seed(crc32(name.encode()))
        away = torch.randn(len(one), generator=generator, dtype=torch.float64)
        rows.append(torch.stack([one @ away, one.norm()]))
    return torch.stack(rows) if rows else torch.zeros(0, 2, dtype=torch.float64)


def claims(family: Family) -> Iterator[tuple[str, Any]]:
    """Everything that a family states about itself."""
    for one in fields(family):
        yield one.name, plain(getattr(family, one.name))
    tilt = family.claim.tilt
    yield "tilt", None if tilt is None else [float(tilt(length)) for length in range(6)]
    times = torch.linspace(0, 1, 7, dtype=torch.float64)
    yield "values of clocks", [clock(times) for clock in family.clocks]
    for name, layout in family.layouts.items():
        for one in ("predicts", "fills", "begins", "given"):
            yield f"layout {name}.{one}", plain(getattr(layout, one, None))
    if family.published is not None:
        config = family.published.config(SIZE, 30)
        yield "published.config", plain(config)
        yield "published.size", plain(family.published.size(config))

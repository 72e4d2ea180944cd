"""Toy data for the laws: joint laws over short strings, and examples for every layout."""

from itertools import product

import numpy as np
import torch
from laws.build import SIZE, VOCAB, A, B, C, Package
from laws.table import Row

from xlm_runtime.plug import Batch, Example, Layout

TOKENS = (A, B, C)


def strings(length: int, seed: int = 3) -> dict[Row, float]:
    """A law over all strings of two letters of one length, with no independence in it."""
    rows = list(product((A, B), repeat=length))
    chances = np.random.default_rng(seed).dirichlet(np.full(len(rows), 0.8))
    return {row: float(p) for row, p in zip(rows, 0.9 * chances + 0.1 / len(rows), strict=True)}


# Lengths 0 to 3, repeated letters, and one string inside another.
MIXED: dict[Row, float] = {(): 0.1, (A,): 0.2, (A, B): 0.25, (A, A, B): 0.3, (B, A): 0.15}
REPEATS: dict[Row, float] = {(A, A): 0.4, (A, A, A): 0.1, (A,): 0.2, (B, A, A): 0.3}
NESTED: dict[Row, float] = {(): 0.1, (A,): 0.2, (A, B): 0.3, (A, A, B): 0.4}


def examples(name: str, seed: int = 0, begins: bool = False) -> list[Example]:
    """Examples of all sizes for a layout, an empty and a full one among them.

    With `begins` what is given is the beginning of a body.
    """
    rng = np.random.default_rng(seed)
    made = []
    for index, size in enumerate((3, 0, 5, 1, 4, 5)):
        body = [int(x) for x in rng.choice(TOKENS, size)]
        prompt = [int(x) for x in rng.choice(TOKENS, (2, 4, 0, 1, 3, 4)[index])]
        given = [bool(x) for x in rng.random(size) < 0.4]
        given = sorted(given, reverse=True) if begins else given
        keeps = given if name == "infill" else ()
        prompts = prompt if name == "seq2seq" else ()
        made.append(Example(10 + 7 * index, body, prompts, keeps))
    return made


def layouts(package: Package) -> list[tuple[str, Layout, Batch]]:
    """Every layout of a package with a batch of examples."""
    found = []
    for name in package.family.layouts:
        layout = package.layout(name, 5)
        found.append((name, layout, layout(examples(name, begins=layout.begins))))
    return found


def one(package: Package, body: Row, layout: str = "text") -> Batch:
    """A batch of one example."""
    return package.layout(layout)([Example(0, body)])


def tokens(row: torch.Tensor) -> list[int]:
    """Return the ids of a row without padding."""
    return [x for x in row.tolist() if x != VOCAB["pad"]]


def around(package: Package, layout: str = "text") -> tuple[Row, Row]:
    """The ids before and after a body."""
    row = package.layout(layout).row(Example(0, (A,)))
    ids = tuple(row.ids)
    return ids[: row.start], ids[row.stop :]


def network(package: Package, layout: str = "text", seed: int = 1):
    """The package's own network with random weights everywhere.

    In float64, so that what two orders of adding up make of one answer decides no sample.
    """
    allowed = VOCAB.allowed(package.family.layouts[layout].predicts)
    made = package.family.network(VOCAB, allowed, SIZE)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in made.parameters():
            weights.copy_(0.4 * torch.randn(weights.shape, generator=generator))
    return made.double().eval()

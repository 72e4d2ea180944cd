"""A package and one toy: batches, a table fitted by its own loss, the distribution to expect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import torch
from attrs import frozen

from xlm_runtime.plug import (
    Batch,
    Decoded,
    Example,
    Family,
    Layout,
    Losses,
    Movable,
    Noise,
    Vocabulary,
)
from xlm_runtime.shapes import Float, Tensor
from xlm_runtime.verify.budget import Budget
from xlm_runtime.verify.facade import facade
from xlm_runtime.verify.quasi import Ending, Quasi, quasi
from xlm_runtime.verify.table import Table, build, outputs, sight, told
from xlm_runtime.verify.toys import Toy

_EDGES = (0.0, 0.05, 0.2, 0.45, 0.7, 1.0)
T = TypeVar("T")


@frozen
class Settings:
    """seed: of all draws. draws: samples of each decoder. steps: numbers of steps that are tried.

    points: how many noises the table is fitted with for each unit of an example's chance. seconds:
    of processor time for all toys; less is drawn and fitted where it would take longer.
    """

    seed: int = 1
    draws: int = 20_000
    steps: tuple[int, ...] = (1, 4, 16, 64)
    points: int = 128
    seconds: int = 60


class Bench:
    """The parts of a package that the checks use, for one toy."""

    def __init__(
        self,
        family: Family,
        vocab: Vocabulary,
        toy: Toy,
        settings: Settings,
        budget: Budget | None = None,
    ) -> None:
        self.family, self.vocab, self.toy, self.settings = family, vocab, toy, settings
        self.budget = budget or Budget.of(settings.seconds)
        make: Callable[..., Layout] = family.layouts[toy.layout]
        self.layout = make(vocab, toy.capacity)
        self.allowed = vocab.allowed(self.layout.predicts)

    def network(self, width: int = 0) -> Any:
        """Build a small network of the package with random weights."""
        make = self.family.network
        return build(make, self.vocab, self.allowed, self.settings.seed, width)

    @cached_property
    def table(self) -> Table:
        """A table that has met every state of training and answers nothing yet."""
        probe = self.network()
        width = -(-max(outputs(probe) + 1, 8) // 4) * 4  # a multiple of what heads need
        columns = self.weighted(1).x0.shape[1]
        return Table(self.network(width), width, sight(probe, columns))

    def timed(self) -> bool:
        """Return whether the network has the time as input."""
        return told(self.table.network) > 0

    # Batches

    def weighted(self, points: int) -> Batch:
        """Repeat each outcome by its chance, times the number of points."""
        rows = [
            example
            for example, units in zip(self.toy.outcomes, self.toy.units, strict=True)
            for _ in range(units)
        ]
        return spread(self.layout(rows), points)

    def canvas(self, times: Sequence[int], first: int = 0) -> Batch:
        """Return blank examples, each repeated as given, with row indices from ``first`` on."""
        batch = self.layout(self.blanks(self.toy.outcomes))
        rows = torch.arange(len(times)).repeat_interleave(torch.tensor(times))
        return replace(pick(batch, rows), example=first + torch.arange(len(rows)))

    def noised(self, batch: Batch, noise: Noise, band: tuple[float, float] | None = None) -> Any:
        """Corrupt a batch with the package's noise; return None if nothing is corrupted.

        ``band``: the part of the range of times, from 0 to 1, that is kept.
        """
        amount: Any = self.family.amount
        if self.family.corrupt is None:
            return None
        drawn = amount(batch, noise)
        if band is not None:
            low, high = float(drawn.min()), float(drawn.max())
            drawn = low + (drawn - low) * (band[1] - band[0]) + band[0] * (high - low)
        return self.family.noised(batch, drawn, noise, self.vocab, facade(self.table))

    @cached_property
    def bands(self) -> tuple[tuple[float, float] | None, ...]:
        """Parts of the time on which a table that reads the time may be fitted separately.

        Its answers at one time do not influence other times, while weights differ by decades.
        """
        batch = self.weighted(1)
        amount: Any = self.family.amount
        if not self.timed() or not amount(batch, source(batch, 1)).is_floating_point():
            return (None,)
        return tuple(pairwise(_EDGES))

    def loss(self, table: Any, noised: Any, batch: Batch) -> Losses:
        """Return the package's own loss, with the defaults of its params."""
        told_ = (batch,) if noised is None else (noised, batch)
        return self.family.loss(facade(table), *told_)

    # Decoding

    def neutral(self, name: str) -> dict[str, Any]:
        """Return the params at which the claim about a decoder's samples holds."""
        params = self.family.params.get(name, ())
        whole = {param.name for param in params if param.kind in ("Count", "Size")}
        values = self.family.samples[name].neutral
        return {k: int(v) if k in whole else float(v) for k, v in values.items()}

    def instead(self, name: str) -> str:
        """Describe the params whose defaults are not examined, as the claim is not about them."""
        usual = {param.name: param.default for param in self.family.params.get(name, ())}
        others = {k: v for k, v in self.neutral(name).items() if v != usual[k]}
        at = " and ".join(f"{k} = {v:g}" for k, v in others.items())
        default = " and ".join(str(usual[k]) for k in others)
        return f" (at {at}; not examined at the default, {default})" if others else ""

    def decode(
        self, table: Any, name: str, batch: Batch, record: bool = False, **params: Any
    ) -> Decoded:
        """Run a decoder of the package."""
        decoder = self.family.decoders[name](**params)
        noise = Ending(self.settings.seed, batch.example, budget=self.budget)
        return decoder(facade(table), batch, noise, self.toy.capacity, record)

    def blanks(self, examples: Sequence[Example]) -> list[Example]:
        """Empty the bodies of examples, keeping their lengths, or put their drafts there."""
        if self.family.draft is not None:
            return [replace(e, body=e.draft or (), given=e.kept) for e in examples]
        letters = [i for i in range(self.vocab.size) if i not in self.vocab.specials.values()]
        return [replace(e, body=_blank(e, letters[0])) for e in examples]


def _blank(example: Example, letter: int) -> tuple[int, ...]:
    given = example.given or [False] * len(example.body)
    return tuple(x if kept else letter for x, kept in zip(example.body, given, strict=True))


def spread(batch: Batch, points: int) -> Batch:
    """Repeat the list of all rows many times.

    Thus times that are drawn in strata of a batch are spread evenly for each row. The copies of a
    row have consecutive indices, and so an even share of evenly spread noise.
    """
    size = len(batch.x0)
    rows = torch.arange(size).repeat(points)
    index = rows * points + torch.arange(points).repeat_interleave(size)
    return replace(pick(batch, rows), example=index)


def pick(thing: T, rows: Tensor) -> T:
    """Select rows of a batch or of its noised form; fields without rows stay."""
    if thing is None:
        return thing
    data: Any = thing
    named: Mapping[str, Any] = {f.name: getattr(data, f.name) for f in fields(data)}
    tensors = {k: v[rows] for k, v in named.items() if isinstance(v, Tensor) and v.dim()}
    parts = {k: pick(v, rows) for k, v in named.items() if isinstance(v, Movable)}
    picked: T = replace(data, **tensors, **parts)
    return picked


def source(batch: Batch, seed: int) -> Quasi:
    """Return evenly spread noise for all rows of a batch."""
    return quasi(batch.example, seed)


def nats(bench: Bench, table: Any, batch: Batch, noise: Noise) -> Float[Tensor, " batch"]:
    """Return the package's own estimate of -log p of each row."""
    assert bench.family.nelbo is not None
    return bench.family.nelbo(facade(table), batch, noise).nats.double()

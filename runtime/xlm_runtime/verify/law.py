"""The distribution that samples ought to follow, given what a decoder starts from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log

import torch
from attrs import frozen

from xlm_runtime.plug import Decoded
from xlm_runtime.shapes import Bool, Int, Tensor
from xlm_runtime.verify.bench import Bench

_OTHERS = 1_000_003  # between the indices of rows whose starts have nothing in common

Ids = tuple[int, ...]
Outcome = tuple[Ids, Ids]  # what is known at the start, and what is written


@frozen
class Law:
    """Chances of outcomes: they add up to one over outcomes with the same start.

    outcomes: of each example of the toy. starts: how often each start occurs. data: the toy's
    distribution. made: that of samples by perfect heads, by the package's claim; None if it does
    not claim one.
    """

    outcomes: tuple[Outcome, ...]
    starts: Mapping[Ids, float]
    data: Mapping[Outcome, float]
    made: Mapping[Outcome, float] | None

    @property
    def tilted(self) -> bool:
        """True if the best heads make another distribution than the data's."""
        made = self.made or {}
        return any(abs(made[x] - p) > 1e-9 for x, p in self.data.items() if made)

    def entropy(self) -> float:
        """Return the entropy of the data given the start, in nats per example."""
        return self.cross(self.data)

    def cross(self, other: Mapping[Outcome, float]) -> float:
        """Return minus the mean log-chance that another distribution gives to the data."""
        return -sum(self.starts[x[0]] * p * log(other[x]) for x, p in self.data.items())


def law_of(bench: Bench) -> Law:
    """Return the distributions of the data and of ideal samples on a toy, given each start.

    A start is the state in which a decoder begins.
    """
    batch = bench.layout(bench.toy.outcomes)
    whole = zip(starts(bench), texts(bench, batch.x0, batch.inside), strict=True)
    outcomes = tuple(whole)
    shares = [units / sum(bench.toy.units) for units in bench.toy.units]
    first: Counter[Ids] = Counter()
    for outcome, share in zip(outcomes, shares, strict=True):
        first[outcome[0]] += share  # type: ignore[assignment]
    data = {x: share / first[x[0]] for x, share in zip(outcomes, shares, strict=True)}
    return Law(outcomes, first, data, _made(bench, outcomes, data, batch.free.sum(1).tolist()))


def _made(
    bench: Bench, outcomes: Sequence[Outcome], data: Mapping[Outcome, float], lengths: list[int]
) -> dict[Outcome, float] | None:
    tilt = bench.family.claim.tilt
    if tilt is None:
        return None
    tilted = {x: data[x] * tilt(length) for x, length in zip(outcomes, lengths, strict=True)}
    total = {x[0]: 0.0 for x in outcomes}
    for x, chance in tilted.items():
        total[x[0]] += chance
    return {x: chance / total[x[0]] for x, chance in tilted.items()}


def starts(bench: Bench) -> list[Ids]:
    """Return a decoder's first state for each outcome, without padding.

    Tokens that it has drawn there itself, of which nothing is known, are -1; where it has drawn
    their places, too, they are left out.
    """
    name = next(iter(bench.family.decoders))
    blank = bench.layout(bench.blanks(bench.toy.outcomes))
    worth = bench.family.samples.get(name)
    few = {worth.grows: 1} if worth is not None and worth.grows else {}
    other = replace(blank, example=blank.example + _OTHERS)
    first, again = (
        bench.decode(bench.table, name, one, record=True, **few).history[0]
        for one in (blank, other)
    )
    pad = bench.vocab["pad"]
    if bench.family.inserts and not torch.equal(first, again):
        first = blank.x0.masked_fill(blank.free, pad)
    elif bench.family.draft is None and first.shape == blank.x0.shape:
        first = first.masked_fill(blank.free & bench.vocab.allowed(())[first], -1)
    return [tuple(x for x in row if x != pad) for row in first.tolist()]


def texts(
    bench: Bench, x: Int[Tensor, "batch length"], body: Bool[Tensor, "batch length"]
) -> list[Ids]:
    """Return the tokens at the marked places of each row, up to the end of text or padding."""
    pad, found = bench.vocab["pad"], []
    end = bench.vocab["eos"] if "eos" in bench.layout.predicts else None
    for ids, own in zip(x.tolist(), body.tolist(), strict=True):
        kept = [token for token, here in zip(ids, own, strict=True) if here]
        if end in kept:
            kept = kept[: kept.index(end)]
        while kept and kept[-1] == pad:
            kept.pop()
        found.append(tuple(kept))
    return found


def counted(bench: Bench, law: Law, decoded: Decoded, rows: Sequence[int]) -> Counter[Outcome]:
    """Count the outcomes that were made; ``rows`` has the example of the toy of each row."""
    hidden = torch.where(decoded.body, decoded.x, -1)
    keyed = torch.cat([torch.tensor(rows)[:, None], hidden], dim=1)
    distinct, counts = torch.unique(keyed, dim=0, return_counts=True)
    found: Counter[Outcome] = Counter()
    written = texts(bench, distinct[:, 1:], distinct[:, 1:] >= 0)
    for row, text, count in zip(distinct[:, 0].tolist(), written, counts.tolist(), strict=True):
        found[law.outcomes[row][0], text] += count
    return found

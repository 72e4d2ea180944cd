"""Checks that the training loss is a mean over rows, and the bound if it is claimed."""

from collections.abc import Iterator
from math import ceil
from typing import Any

import numpy as np
import torch

from xlm_runtime.plug import Batch
from xlm_runtime.verify.bench import Bench, nats, pick, source
from xlm_runtime.verify.table import Table
from xlm_runtime.verify.verdict import Verdict, decided

_TABLES = 6
_REPEATS = 16
_SHARE = 0.25  # of the time that is left: for more repeats, where the loss varies much
_POINTS = 16
_PAIRS = 12
_EXACT = 1e-4  # of the spread of losses: what single precision leaves of an identity
_MEANS = 0.004  # of the spread: what is left of a mean over evenly spread noise
_SIGMAS = 5.0  # of 16 repeats or more, the largest of six: Student's t gives 1e-3 for all of them
_WIDE = 0.1  # of the spread: above this margin more is drawn
_SHARP = 0.25  # of the spread: a wider margin would let a wrong weight through


def objective(bench: Bench) -> Iterator[Verdict]:
    """Yield verdicts on the loss, for wrong tables as for right ones."""
    tables = [bench.table.uneven(seed) for seed in range(_TABLES)]
    yield _additive(bench, tables)
    if bench.family.claim.trained and len({len(e.body) for e in bench.toy.outcomes}) == 1:
        yield _bound(bench, tables)


@torch.no_grad()
def _additive(bench: Bench, tables: list[Table]) -> Verdict:
    """Check that the loss of two rows lies between theirs, at one share for all tables."""
    batch = bench.weighted(1)
    noised = bench.noised(batch, source(batch, bench.settings.seed))
    rng = np.random.default_rng(bench.settings.seed)
    worst = 0.0
    for pair in rng.integers(0, len(batch.x0), (_PAIRS, 2)).tolist():
        one, other, both = (_losses(bench, tables, batch, noised, rows) for rows in
                            ([pair[0]], [pair[1]], pair))  # fmt: skip
        if not np.isfinite([*one, *other, *both]).all():
            worst = float("inf")
            continue
        apart, near = one - other, both - other
        size = float(apart @ apart)
        share = float(apart @ near) / size if size > 0 else 0.5
        scale = max(float(np.abs(one).max()), float(np.abs(other).max()), 1e-9)
        off = float(np.abs(near - share * apart).max()) / scale
        worst = max(worst, off, -share - _EXACT, share - 1 - _EXACT)
    holds = bool(np.isfinite(worst)) and worst <= _EXACT
    return Verdict(
        claim="loss.additive",
        outcome=decided(holds),
        found=_sums(worst, holds),
        toy=bench.toy.name,
        measured=worst,
        expected=0.0,
        margin=_EXACT,
    )


def _sums(worst: float, holds: bool) -> str:
    """State whether the loss is a mean over rows."""
    if not np.isfinite(worst):
        return "the loss is not finite"
    if holds:
        return f"the loss of a batch is a weighted mean over its rows (off by {worst:.0e})"
    return f"the loss of a row depends on the rows beside it (off by {worst:.0e})"


def _losses(
    bench: Bench, tables: list[Table], batch: Batch, noised: Any, rows: list[int]
) -> np.ndarray:
    """Return the loss of some rows, for each table."""
    index = torch.tensor(rows)
    some, part = pick(batch, index), pick(noised, index)
    return np.array([float(bench.loss(table, part, some).total) for table in tables])


def _bound(bench: Bench, tables: list[Table]) -> Verdict:
    """Check that on examples of one length the loss is affine in the likelihood."""
    batch = bench.weighted(_POINTS)
    losses: list[list[float]] = []
    values: list[list[float]] = []
    margin, spread, worst, slope = np.inf, 1.0, 0.0, 1.0
    until = bench.budget.left() * (1 - _SHARE)
    while not losses or (margin > _WIDE * spread and bench.budget.left() > until):
        for _ in range(_REPEATS):
            loss, value = _drawn(bench, tables, batch, len(losses))
            losses.append(loss)
            values.append(value)
        y, x = np.array(losses), np.array(values)
        if not (np.isfinite(y).all() and np.isfinite(x).all()):
            return Verdict(claim="loss.bound", outcome="refuted", toy=bench.toy.name,
                           found="the loss is not finite")  # fmt: skip
        slope, constant = np.polyfit(x.mean(0), y.mean(0), 1)
        off = y - slope * x - constant
        spread = float(y.mean(0).std())
        error = float(off.std(0, ddof=1).max()) / len(off) ** 0.5
        margin = _SIGMAS * error + _MEANS * spread
        worst = float(np.abs(off.mean(0)).max())
    return _weighed(bench, worst / spread, margin / spread, slope > 0)


@torch.no_grad()
def _drawn(
    bench: Bench, tables: list[Table], batch: Batch, i: int
) -> tuple[list[float], list[float]]:
    """Return loss and likelihood of each table, with the i-th noise."""
    noise = source(batch, 2000 * bench.settings.seed + i)
    noised = bench.noised(batch, noise)
    losses = [float(bench.loss(table, noised, batch).total) for table in tables]
    return losses, [float(nats(bench, table, batch, noise).mean()) for table in tables]


def _weighed(bench: Bench, worst: float, margin: float, rising: bool) -> Verdict:
    """Judge the weights, by numbers in units of the spread of losses."""
    vague = worst <= margin and margin > _SHARP  # then the slope is not known, either
    holds = worst <= margin and rising
    numbers = f"off by {worst:.1%} of its spread, margin {margin:.1%}"
    words = "the loss weights its terms differently from the likelihood's bound"
    if vague:
        seconds = ceil(bench.settings.seconds * max(2.0, 1.5 * (margin / _SHARP) ** 2))
        words = f"{numbers}, above {_SHARP:.0%}: more draws of the loss decide it: "
        words += f"--seconds {seconds}"
    elif holds:
        words = f"the loss is the likelihood's bound up to a factor, for any heads ({numbers})"
    else:
        words = f"{words} ({numbers})"
    return Verdict(
        claim="loss.bound",
        outcome="undecided" if vague else decided(holds),
        found=words,
        toy=bench.toy.name,
        measured=worst,
        expected=0.0,
        margin=margin,
    )

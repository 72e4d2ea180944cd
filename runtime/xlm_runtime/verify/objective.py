"""Is the training loss a matter of each row alone, and the bound where it is said to be?"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from xlm_runtime.plug import Batch
from xlm_runtime.verify.bench import Bench, nats, pick, source
from xlm_runtime.verify.table import Table
from xlm_runtime.verify.verdict import Verdict, decided

_TABLES = 6
_REPEATS = 8
_POINTS = 16
_PAIRS = 12
_EXACT = 1e-4  # of the spread of losses: what single precision leaves of an identity
_MEANS = 0.004  # of the spread: what is left of a mean over evenly spread noise
_SIGMAS = 5.0


def objective(bench: Bench) -> Iterator[Verdict]:
    """Verdicts on the loss, for wrong tables as for right ones."""
    tables = [bench.table.uneven(seed) for seed in range(_TABLES)]
    yield _additive(bench, tables)
    if bench.family.claim.trained and len({len(e.body) for e in bench.toy.outcomes}) == 1:
        yield _bound(bench, tables)


@torch.no_grad()
def _additive(bench: Bench, tables: list[Table]) -> Verdict:
    """The loss of two rows lies between those of each, at the same share whatever the heads say."""
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
        found="a batch is a weighted mean of its rows, whatever the heads say"
        if holds
        else "what a row adds to the loss depends on the rows beside it"
        if np.isfinite(worst)
        else "the loss is not finite",
        toy=bench.toy.name,
        measured=worst,
        expected=0.0,
        margin=_EXACT,
    )


def _losses(
    bench: Bench, tables: list[Table], batch: Batch, noised: Any, rows: list[int]
) -> np.ndarray:
    """The loss of some rows, for each table."""
    index = torch.tensor(rows)
    some, part = pick(batch, index), pick(noised, index)
    return np.array([float(bench.loss(table, part, some).total) for table in tables])


@torch.no_grad()
def _bound(bench: Bench, tables: list[Table]) -> Verdict:
    """On examples of one length the loss is the likelihood, but for a factor and a constant."""
    batch = bench.weighted(_POINTS)
    losses, values = [], []
    for i in range(_REPEATS):
        noise = source(batch, 2000 * bench.settings.seed + i)
        noised = bench.noised(batch, noise)
        losses.append([float(bench.loss(table, noised, batch).total) for table in tables])
        values.append([float(nats(bench, table, batch, noise).mean()) for table in tables])
    y, x = np.array(losses), np.array(values)
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        return Verdict(
            claim="loss.bound",
            outcome="refuted",
            found="the loss is not finite",
            toy=bench.toy.name,
        )
    slope, constant = np.polyfit(x.mean(0), y.mean(0), 1)
    off = y - slope * x - constant
    error = off.std(0, ddof=1) / _REPEATS**0.5
    spread = float(y.mean(0).std())
    margin = _SIGMAS * float(error.max()) + _MEANS * spread
    worst = float(np.abs(off.mean(0)).max())
    holds = worst <= margin and slope > 0
    return Verdict(
        claim="loss.bound",
        outcome=decided(holds),
        found="the loss is the likelihood's bound but for a factor, whatever the heads say"
        if holds
        else "the loss weighs its terms otherwise than the likelihood's bound",
        toy=bench.toy.name,
        measured=worst / spread,
        expected=0.0,
        margin=margin / spread,
    )

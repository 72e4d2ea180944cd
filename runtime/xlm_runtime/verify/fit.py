"""Tables fitted by a package's own loss, and their distance from the optimum.

The data is fitted in two halves, each with noise of its own, and the table in use is the mean of
both: their disagreement estimates the error due to the fitted noise. If the network reads the
time, a table that does not read it is fitted first, and the time is read only if that improves the
loss on noise which neither has seen.
"""

from typing import Any

import numpy as np
import torch
from attrs import frozen

from xlm_runtime.plug import Batch
from xlm_runtime.verify.basis import KNOTS
from xlm_runtime.verify.bench import Bench, source
from xlm_runtime.verify.table import Table
from xlm_runtime.verify.toys import UNITS

_ITERATIONS = 15  # of L-BFGS between two looks at the time and at what is gained
_LOOKS = 10
_ROUGH = 8  # a first fit has so many times fewer noises
_LIGHT = 0.02  # of the loss: a band of time counts as at least this much
_STILL = 1e-4  # a share of the loss: less than this is gained no longer


@frozen
class Fit:
    """A summary of how well a table was fitted.

    states: how many rows it has. examples: noised examples it was fitted to. loss: what it loses on
    noise that it has not seen. error: the part of it that a perfect table would not lose,
    estimated. knots: times at which its answers are free; 1: they do not depend on time.
    """

    states: int
    examples: int
    loss: float
    error: float
    knots: int


@frozen
class Fitted:
    """The table in use, the two that it is the mean of, and a cruder one in time."""

    table: Table
    halves: tuple[Table, Table] | None
    coarse: Table | None
    summary: Fit


def fit(bench: Bench, effort: int = 1) -> Fitted:
    """Fit the table of a bench with all outcomes and evenly spread noise.

    ``effort``: the factor on the settings' numbers of noises and of iterations.
    """
    exact = bench.family.corrupt is None  # the data is all there is
    points = 1 if exact else effort * bench.settings.points
    seed = 100 * bench.settings.seed + 10_000 * effort
    half = max(1, points // 2)
    data = [Objective(bench, half, seed + 20 * i) for i in range(1 if exact else 2)]
    rough = Objective(bench, max(1, points // _ROUGH), seed + 70)
    unseen = Objective(bench, half, seed + 50)
    blank = bench.table
    if blank.recording:
        for part in (*data, rough, unseen):
            part.value(blank)  # the table meets the states
        blank.settle(KNOTS)
    unseen.weigh(blank)
    for part in (*data, rough):
        part.scales = unseen.scales
    noises = Noises(rough, data, unseen)
    first = _first(blank.still(), noises, effort)
    if blank.basis.parts > 1:
        moving = _first(blank.moving(first), noises, effort)
        with torch.no_grad():
            first = min(first, moving, key=lambda one: float(unseen.value(one)))
    return _fitted(first, noises, effort)


@frozen
class Noises:
    """The data with few noises to begin with, with those to fit to, and with those to judge by."""

    rough: "Objective"
    data: list["Objective"]
    unseen: "Objective"


def _first(start: Table, noises: Noises, effort: int) -> Table:
    """Return a table that is fitted to the first part of the data."""
    return _minimise(_minimise(start, noises.rough, 1), noises.data[0], effort)


def _fitted(first: Table, noises: Noises, effort: int) -> Fitted:
    """Return the mean of tables fitted to each part of the data, of which the first is."""
    tables = [first, *(_minimise(first, part, effort) for part in noises.data[1:])]
    table = tables[0] if len(tables) == 1 else tables[0].mean(tables[1])
    coarse = table.coarse() if table.basis.parts > 1 else None
    with torch.no_grad():
        loss = float(noises.unseen.value(table))
        each = [float(noises.unseen.value(one)) for one in tables]
        crude = float(noises.unseen.value(coarse)) if coarse is not None else loss
    error = excess(loss, each, crude)
    examples = sum(part.rows for part in noises.data)
    summary = Fit(len(table.known), examples, loss, error, table.basis.parts)
    halves = (tables[0], tables[1]) if len(tables) > 1 else None
    return Fitted(table, halves, coarse, summary)


def excess(mean: float, halves: list[float], crude: float) -> float:
    """Estimate the loss of a table above the best one, from the losses of other fits.

    The mean of two independent fits has half the excess of each, and lines over twice the interval
    err sixteen times as much; a quarter is allowed.
    """
    return max(sum(halves) / len(halves) - mean, 0.0) + max(crude - mean, 0.0) / 4


class Objective:
    """The package's loss on noised data, band by band of time, each heavy enough to be fitted."""

    def __init__(self, bench: Bench, points: int, seed: int) -> None:
        self.bench = bench
        self.data: list[tuple[Batch, Any]] = []
        share = max(1, points // len(bench.bands))
        for i, band in enumerate(bench.bands):
            batch = bench.weighted(share)
            self.data.append((batch, bench.noised(batch, source(batch, seed + i), band)))
        self.rows = sum(len(batch.x0) for batch, _ in self.data)
        self.scales = (1.0,) * len(self.data)

    def weigh(self, blank: Table) -> None:
        """Give each band its share of the time, and at least `_LIGHT` of all that is lost."""
        if len(self.data) == 1:
            return
        with torch.no_grad():
            losses = np.array([float(self._loss(blank, i)) for i in range(len(self.data))])
        shares = losses * [high - low for low, high in filter(None, self.bench.bands)]
        shares = np.maximum(shares / shares.sum(), _LIGHT)
        self.scales = tuple((shares / shares.sum() / losses).tolist())

    def value(self, table: Table) -> torch.Tensor:
        """Return the loss of a table."""
        parts = [scale * self._loss(table, i) for i, scale in enumerate(self.scales)]
        return torch.stack(parts).sum()

    def _loss(self, table: Table, i: int) -> torch.Tensor:
        batch, noised = self.data[i]
        return self.bench.loss(table, noised, batch).total


def _minimise(start: Table, data: Objective, effort: int) -> Table:
    """Run full-batch L-BFGS until it gains nothing, or the time is over."""
    table = start.copy()
    table.remember(True)
    optimiser = torch.optim.LBFGS(
        [table.rows],
        max_iter=_ITERATIONS,
        history_size=20,
        tolerance_grad=1e-9,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )
    weight = 1 / (data.rows if data.bench.family.corrupt is not None else UNITS * 4096)

    def total() -> torch.Tensor:
        return data.value(table) + table.surprise() * weight

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        cost = total()
        cost.backward()  # type: ignore[no-untyped-call]
        return cost

    before = float("inf")
    for _ in range(_LOOKS * effort):
        optimiser.step(closure)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            now = float(total())
        if before - now < _STILL / effort * abs(now) or data.bench.budget.left() < 0:
            break
        before = now
    table.remember(False)
    return table

"""Tables fitted by a package's own loss, and their distance from the optimum.

The data is fitted in two halves, each with noise of its own, and the table in use is the mean of
both: their disagreement estimates the error due to the fitted noise. If the network reads the
time, a table that does not read it is fitted first, and the time is read only if that improves the
loss on noise which neither has seen.
"""

from itertools import count
from time import process_time
from typing import Any

import numpy as np
import torch
from attrs import frozen
from scipy.optimize import OptimizeResult, minimize

from xlm_runtime.plug import Batch
from xlm_runtime.verify.basis import KNOTS
from xlm_runtime.verify.bench import Bench, source
from xlm_runtime.verify.budget import Late
from xlm_runtime.verify.table import Table
from xlm_runtime.verify.toys import UNITS

_LEAST = (0, 2)  # how scipy's descent says that it is flat there, or that no step lowers the loss
_ITERATIONS = 5  # between two looks at the time and at what is gained
_LOOKS = 30
_BEGUN = 2  # looks until a table that does not read the time is copied into one that does
_TRIED = 2  # looks until one of both is chosen
_SHARE = 0.6  # of the time that is left: for a fit, by which the number of noises is chosen
_CALLS = 250  # of the loss with its slope, in all
_FEWER = 16  # times fewer noises, at most, where the time is short
_LIGHT = 0.02  # of the loss: a band of time counts as at least this much
_STILL = 2e-4  # a share of the loss: less than this is gained no longer


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

    Raises:
        Late: when the time is over before the loss falls no longer.
    """
    exact = bench.family.corrupt is None  # the data is all there is
    points = 1 if exact else effort * bench.settings.points
    seed = 100 * bench.settings.seed + 10_000 * effort
    half = max(1, points // 2)

    def halves(size: int) -> list[Objective]:
        return [Objective(bench, size, seed + 20 * i) for i in range(1 if exact else 2)]

    data, unseen = halves(half), Objective(bench, half, seed + 50)
    blank = bench.table
    if blank.recording:
        for part in (*data, unseen):
            part.value(blank)  # the table meets the states
        blank.settle(KNOTS)
    unseen.weigh(blank)
    share = 1.0 if exact else _affordable(unseen, blank)
    if share < 1:
        data = halves(max(1, round(share * half)))
    for part in data:
        part.scales = unseen.scales
    tried = Effort(_LOOKS * effort, _STILL / effort)
    return _fitted(_first(bench, data[0], unseen, tried), data, unseen, tried)


@frozen
class Effort:
    """Limits of a descent: looks at most, and a share of the loss that a look has to gain."""

    looks: int
    least: float


def _affordable(data: "Objective", blank: Table) -> float:
    """Return the share of the noises with which the time is enough for a fit."""
    needed = _CALLS * Descended(blank, data, Effort(0, 0.0)).seconds()
    return min(1.0, max(_SHARE * data.bench.budget.left() / needed, 1 / _FEWER))


def _first(bench: Bench, data: "Objective", unseen: "Objective", effort: Effort) -> Table:
    """Return a table that is fitted to the first part of the data.

    It reads the time where that soon improves the loss on noise which no fit has seen.
    """
    still = Descended(bench.table.still(), data, effort)
    if bench.table.basis.parts == 1:
        return still.finish()
    moving = Descended(bench.table.moving(still.run(_BEGUN)), data, effort)
    with torch.no_grad():
        better = min(still, moving, key=lambda one: float(unseen.value(one.run(_TRIED))))
    return better.finish()


def _fitted(first: Table, data: list["Objective"], unseen: "Objective", effort: Effort) -> Fitted:
    """Return the mean of tables fitted to each part of the data, of which the first is."""
    tables = [first, *(Descended(first, part, effort).finish() for part in data[1:])]
    table = tables[0] if len(tables) == 1 else tables[0].mean(tables[1])
    coarse = table.coarse() if table.basis.parts > 1 else None
    with torch.no_grad():
        loss = float(unseen.value(table))
        each = [float(unseen.value(one)) for one in tables]
        crude = float(unseen.value(coarse)) if coarse is not None else loss
    error = excess(loss, each, crude)
    examples = sum(part.rows for part in data)
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


class Descended:
    """A copy of a table on its way to the least loss on some data."""

    def __init__(self, start: Table, data: Objective, effort: Effort) -> None:
        self.table, self.data, self.effort = start.copy(), data, effort
        exact = data.bench.family.corrupt is None
        self._weight = 1 / (UNITS * 4096 if exact else data.rows)  # of the prior
        self._costs = [float("inf")]  # at the looks
        self.still = False  # the last look gained nothing

    def finish(self) -> Table:
        """Take steps until a look gains nothing, and return the table.

        Raises:
            Late: when the time is over before.
        """
        table = self.run(self.effort.looks)
        if self._late and not self.still:
            raise Late
        return table

    def run(self, looks: int) -> Table:
        """Take steps for so many looks, or until one gains nothing, or the time is over."""
        iterations = count(1)

        def look(intermediate_result: OptimizeResult) -> None:
            if next(iterations) % _ITERATIONS:
                return
            self._costs.append(float(intermediate_result.fun))
            self.still = self._costs[-2] - self._costs[-1] < self.effort.least * self._costs[-1]
            if self.still or self._late:
                raise StopIteration

        self.table.remember(True)
        most = looks * _ITERATIONS
        found = minimize(
            self._slope,
            self._numbers(),
            jac=True,
            method="L-BFGS-B",
            callback=look,
            options={"maxiter": most, "maxfun": 4 * most, "maxcor": 20, "ftol": 0, "gtol": 1e-9},
        )
        self.still |= found.status in _LEAST
        self._write(found.x)
        self.table.remember(False)
        return self.table

    def seconds(self) -> float:
        """Return the processor time of a call of the loss with its slope."""
        numbers = self._numbers()
        self.table.remember(True)
        self._slope(numbers)  # what is kept for later calls is computed in the first one
        begun = process_time()
        self._slope(numbers)
        self.table.remember(False)
        return process_time() - begun

    @property
    def _late(self) -> bool:
        return self.data.bench.budget.left() < 0

    def _numbers(self) -> np.ndarray:
        return self.table.rows.detach().flatten().numpy().copy()

    @torch.no_grad()
    def _write(self, numbers: np.ndarray) -> None:
        self.table.rows.copy_(torch.from_numpy(numbers).view_as(self.table.rows))

    @torch.enable_grad()
    def _slope(self, numbers: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss with these numbers in the table, and its slope."""
        self._write(numbers)
        cost = self.data.value(self.table) + self.table.surprise() * self._weight
        (slope,) = torch.autograd.grad(cost, [self.table.rows])
        return float(cost.detach()), slope.flatten().double().numpy()

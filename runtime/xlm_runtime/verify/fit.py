"""A table fitted by a package's own loss."""

from typing import Any

import torch
from attrs import frozen

from xlm_runtime.plug import Batch
from xlm_runtime.verify.bench import Bench, source
from xlm_runtime.verify.table import Table
from xlm_runtime.verify.toys import UNITS

_FIRST = 16  # points of a first, rough fit
_TIMED = 128  # the most points where rows depend on a time: each costs several times as much


@frozen
class Fit:
    """How well a table was fitted.

    states: how many rows it has. examples: noised examples it was fitted to. loss: what it reached.
    error: what it is worse than the optimum by, in units of the loss: half of what it loses on
    noise that it has not seen.
    """

    states: int
    examples: int
    loss: float
    error: float


def fit(bench: Bench) -> Fit:
    """Fits the table of a bench by L-BFGS, on all the data with evenly spread noise."""
    table = bench.table
    points = min(bench.settings.points, _TIMED) if bench.timed() else bench.settings.points
    points = points if bench.family.corrupt is not None else 1  # the data is all there is
    seed = 100 * bench.settings.seed
    rough, fine = (_Objective(bench, n, seed) for n in (min(_FIRST, points), points))
    for data in (rough, fine):
        data.value(table)  # the table meets the states
    table.settle()
    for data in (rough, fine):
        data.weigh(table)
    _minimise(table, rough, 60)
    _minimise(table, fine, 30)
    with torch.no_grad():
        unseen = _Objective(bench, points, seed + 50, fine.scales)
        reached, fresh = float(fine.value(table)), float(unseen.value(table))
    return Fit(len(table.known), points * UNITS, reached, max(fresh - reached, 0.0) / 2)


class _Objective:
    """The package's loss on noised data; summed over bands of time, each as heavy as the others."""

    def __init__(
        self, bench: Bench, points: int, seed: int, scales: tuple[float, ...] = ()
    ) -> None:
        self.bench = bench
        self.data: list[tuple[Batch, Any]] = []
        share = max(1, points // len(bench.bands))
        for i, band in enumerate(bench.bands):
            batch = bench.weighted(share)
            self.data.append((batch, bench.noised(batch, source(batch, seed + i), band)))
        exact = bench.settings.points if bench.family.corrupt is None else 1  # not drawn: sure
        self.rows = exact * sum(len(batch.x0) for batch, _ in self.data)
        self.scales = scales or (1.0,) * len(self.data)

    def weigh(self, table: Table) -> None:
        """Makes all bands as heavy as each other, by what a table without answers loses."""
        if len(self.data) > 1:
            with torch.no_grad():
                losses = [float(self._loss(table, i)) for i in range(len(self.data))]
            self.scales = tuple(1 / (len(losses) * loss) for loss in losses)

    def value(self, table: Table) -> torch.Tensor:
        """The loss of a table."""
        parts = [scale * self._loss(table, i) for i, scale in enumerate(self.scales)]
        return torch.stack(parts).sum()

    def _loss(self, table: Table, i: int) -> torch.Tensor:
        batch, noised = self.data[i]
        return self.bench.loss(table, noised, batch).total


def _minimise(table: Table, data: _Objective, steps: int) -> None:
    """Full-batch L-BFGS."""
    table.remember(True)
    optimiser = torch.optim.LBFGS(
        [table.rows],
        max_iter=steps,
        history_size=20,
        tolerance_grad=1e-8,
        tolerance_change=1e-10,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        total = data.value(table) + table.surprise() / data.rows
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    table.remember(False)

"""A table fitted by a package's own loss."""

from typing import Any

import torch
from attrs import frozen

from xlm_runtime.plug import Batch
from xlm_runtime.verify.bench import Bench, source
from xlm_runtime.verify.table import Table
from xlm_runtime.verify.toys import UNITS

_FIRST = 16  # points of a first, rough fit
_TIMED = 64  # the most points where rows depend on a time: each costs several times as much


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
    seed = 100 * bench.settings.seed
    batches = [_noised(bench, n, seed) for n in sorted({min(_FIRST, points), points})]
    for batch, noised in batches:
        bench.loss(table, noised, batch)  # the table meets the states
    table.settle()
    for i, (batch, noised) in enumerate(batches):
        reached = _minimise(bench, table, batch, noised, 60 if i == 0 else 30)
    with torch.no_grad():
        batch, noised = _noised(bench, points, seed + 1)
        fresh = float(bench.loss(table, noised, batch).total)
    error = max(fresh - reached, 0.0) / 2
    return Fit(len(table.known), points * UNITS, reached, error)


def _noised(bench: Bench, points: int, seed: int) -> tuple[Batch, Any]:
    batch = bench.weighted(points)
    return batch, bench.noised(batch, source(batch, seed))


def _minimise(bench: Bench, table: Table, batch: Batch, noised: Any, steps: int) -> float:
    """Full-batch L-BFGS; returns the loss that it reached."""
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
        total = bench.loss(table, noised, batch).total + table.surprise() / len(batch.x0)
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        reached = float(bench.loss(table, noised, batch).total)
    table.remember(False)
    return reached

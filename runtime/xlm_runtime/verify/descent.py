"""Quasi-Newton steps on the numbers of a table."""

from collections import deque
from collections.abc import Callable

from xlm_runtime.shapes import Float, Tensor

_HISTORY = 20  # changes of the slope that are remembered
_ENOUGH = 1e-4  # of the fall that the slope foretells: a step that gains less is too long
_TRIALS = 12  # lengths of a step

Value = Callable[[Float[Tensor, " numbers"]], tuple[float, Float[Tensor, " numbers"]]]


class Descent:
    """L-BFGS: a value, and the numbers at which it is the least so far.

    Nocedal and Wright 2006, algorithm 7.4, with steps that are shortened until the value falls
    enough. torch has one, too; importing what its optimisers import takes as long as a whole fit.

    ``value``: numbers -> the value to minimise, and its slope.
    """

    def __init__(self, value: Value, start: Float[Tensor, " numbers"]) -> None:
        self._value = value
        self.at = start
        self.cost, self._slope = value(start)
        self._changes: deque[tuple[Tensor, Tensor]] = deque(maxlen=_HISTORY)

    def step(self) -> bool:
        """Take one step; return False where no length of it lowers the value."""
        way = -self._curved(self._slope)
        fall = float(way @ self._slope)
        size = 1.0 if self._changes else 1 / max(1.0, float(self._slope.abs().sum()))
        for _ in range(_TRIALS):
            cost, slope = self._value(self.at + size * way)
            if cost <= self.cost + _ENOUGH * size * fall:
                self._remember(size * way, slope - self._slope)
                self.at, self.cost, self._slope = self.at + size * way, cost, slope
                return True
            size *= shortened(size * fall, cost - self.cost)
        return False

    def _remember(self, step: Tensor, change: Tensor) -> None:
        """Keep a change of the slope, except where the value does not curve upwards."""
        if float(step @ change) > 1e-10 * float(change @ change):
            self._changes.append((step, change))

    def _curved(self, slope: Float[Tensor, " numbers"]) -> Float[Tensor, " numbers"]:
        """Return the slope times the inverse of the curvature, by the changes that are kept."""
        found, shares = slope.clone(), []
        for step, change in reversed(self._changes):
            shares.append(float(step @ found) / float(step @ change))
            found -= shares[-1] * change
        if self._changes:
            step, change = self._changes[-1]
            found *= float(step @ change) / float(change @ change)
        for (step, change), share in zip(self._changes, reversed(shares), strict=True):
            found += (share - float(change @ found) / float(step @ change)) * step
        return found


def shortened(fall: float, rise: float) -> float:
    """Return the share of a step at which a parabola is lowest, from a tenth to a half.

    ``fall``: of the value by the slope at its start. ``rise``: of the value over the whole step.
    """
    curvature = rise - fall
    share = -fall / (2 * curvature) if 0 < curvature < float("inf") else 0.0
    return min(max(share, 0.1), 0.5)

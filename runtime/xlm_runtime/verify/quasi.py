"""Noise that fills the space of its draws evenly, and noise that ends with the time allowed."""

from dataclasses import dataclass, field, replace
from math import inf

import torch
from torch.quasirandom import SobolEngine

from xlm_runtime.plug.noise import Noise
from xlm_runtime.shapes import Float, Int, Tensor
from xlm_runtime.verify.budget import Budget

_AXES = 40


@dataclass(frozen=True)
class Quasi(Noise):
    """Low-discrepancy draws: the rows of a batch are points of a scrambled Sobol sequence.

    Averages over rows miss the integral by far less than those of independent draws. Each
    (step, stream, position) has an axis of its own; beyond the last one draws are independent.
    """

    points: Float[Tensor, "points axes"] = field(default_factory=lambda: torch.empty(0, 0))
    axes: dict[tuple[int, str, int], int] = field(default_factory=dict)

    def uniform(
        self, stream: str, positions: int | Int[Tensor, "batch positions"] = 1
    ) -> Float[Tensor, "batch positions"]:
        """Draw evenly spread numbers, with the arguments of `Noise.uniform`."""
        number = positions if isinstance(positions, int) else int(positions.max()) + 1
        if len(self.axes) + number > self.points.shape[1]:
            return super().uniform(stream, positions)
        keys = [(self.step, stream, i) for i in range(number)]
        axes = [self.axes.setdefault(key, len(self.axes)) for key in keys]
        drawn = self.points[self.example][:, axes]
        return drawn if isinstance(positions, int) else drawn.gather(1, positions.clamp(min=0))


def quasi(example: Int[Tensor, " batch"], seed: int) -> Quasi:
    """Return a source for rows with indices 0, 1, ... in any order; the seed scrambles it."""
    engine = SobolEngine(_AXES, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    points = engine.draw(len(example), dtype=torch.float64)
    return Quasi(seed, example, points=points)


@dataclass(frozen=True)
class Ending(Noise):
    """Independent draws for a decoder, which has a limited time.

    The number of steps is not limited: a slow decoder cannot be distinguished from an endless one
    by it.
    """

    budget: Budget = field(default_factory=lambda: Budget(inf))

    def at(self, step: int) -> "Noise":
        """Return the source of another step, as `Noise` does.

        Raises:
            Late: when its time is over.
        """
        self.budget.check(step)
        return replace(self, step=step)

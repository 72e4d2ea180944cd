"""``uniform``: steps of equal length."""

from xlmc.calculus.code import Code, built
from xlmc.theory.needs import NOISE
from xlmc.words.grids.base import Grid


class Uniform(Grid):
    """The word ``uniform``."""

    name = "uniform"
    form = "grid uniform(STEPS)"
    meaning = "So many steps of equal length, from t = 1 to t = 0."
    example = "grid uniform(64)"
    needs = (NOISE,)
    order = 1
    timed = True
    way = " on a uniform grid of times"
    summary = "a uniform grid of times"

    def ticks(self, steps: Code | None, size: Code | None, clocks: tuple[Code, ...]) -> Code | None:
        """Return the code of the ticks: of a grid in each block, or of one grid for all places."""
        del clocks
        assert steps is not None
        if size is not None:
            return built("uniform_blocks(canvas, {}, {})", steps, size)
        return built("uniform({}, canvas.x.device)", steps)

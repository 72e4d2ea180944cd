"""Decoders that correct a text after the last step, as long as that changes it."""

from abc import abstractmethod
from dataclasses import dataclass

from xlm_runtime.plug import Noise
from xlm_runtime.shapes import Bool, Tensor

from .canvas import Canvas, Decoding
from .settling import Settling, settled, unsettled
from .ticks import Tick


@dataclass(frozen=True, kw_only=True)
class Correcting(Decoding):
    """A decoder whose ticks go on at one time: there it replaces tokens of rows not yet done."""

    canvas = Settling

    def active(self, canvas: Canvas) -> Bool[Tensor, " batch"]:
        """Return the rows with a free place that the last correction has not left as they were."""
        return unsettled(canvas, canvas.free).any(1)

    def advance(self, canvas: Canvas, tick: Tick, noise: Noise) -> Canvas:
        """Take a step of the grid, or behind its end a correction."""
        if tick.left:
            return self.step(canvas, tick, noise)
        return settled(self.correct(canvas, tick, noise), canvas, tick)

    @abstractmethod
    def correct(self, canvas: Canvas, tick: Tick, noise: Noise) -> Canvas:
        """Replace tokens of all rows of a canvas."""

"""Decoders that append one token a step to every row."""

from dataclasses import dataclass

from xlm_runtime.plug import Noise
from xlm_runtime.shapes import Bool, Tensor

from .canvas import Canvas, Decoding


@dataclass(frozen=True, kw_only=True)
class Appending(Decoding):
    """A decoder that appends one token a step, until a row ends or is full."""

    def start(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Take out all that is free, and align the rows to the right."""
        return canvas.remove(canvas.free).align_right().close_full()

    def active(self, canvas: Canvas) -> Bool[Tensor, " batch"]:
        """Return the rows that may still get a token at the right end."""
        return canvas.open[:, -1]

"""Decoders that replace tokens, as long as a step changes any."""

from dataclasses import dataclass

from xlm_runtime.shapes import Bool, Int, Tensor

from .canvas import Canvas
from .extending import Extending
from .filling import Filling
from .resuming import Resuming
from .settling import Settling, unsettled


@dataclass(frozen=True)
class ResumingSettling(Settling, Resuming):
    """A canvas that grows by blocks, the last of which may change when it holds no mask."""

    def _finished(self, block: Int[Tensor, "batch length"]) -> int:
        """Count the columns on the left in which every row is before its last block."""
        left = (self.seen & (block >= block.amax(1, keepdim=True))).any(0)
        return int(left.long().argmax())


@dataclass(frozen=True, kw_only=True)
class Mending(Filling):
    """A decoder that fills the free places of a batch, and replaces tokens."""

    canvas = Settling

    def active(self, canvas: Canvas) -> Bool[Tensor, " batch"]:
        """Return the rows that hold a mask, or some of whose tokens may be replaced."""
        return canvas.masked.any(1) | unsettled(canvas, canvas.free).any(1)


@dataclass(frozen=True, kw_only=True)
class MendingOnward(Extending):
    """A decoder that writes a text block by block, and replaces tokens of the last one."""

    canvas = Settling

    def active(self, canvas: Canvas) -> Bool[Tensor, " batch"]:
        """Return the rows that may change, or to which a block is to be appended."""
        return super().active(canvas) | unsettled(canvas, canvas.free).any(1)

"""Decoders that append a block of masks to a row, fill it, and append the next one."""

from dataclasses import dataclass, replace

from xlm_runtime.plug import Noise
from xlm_runtime.shapes import Bool, Tensor

from .blocks import block_of
from .canvas import C, Canvas
from .filling import Filling


@dataclass(frozen=True, kw_only=True)
class Extending(Filling):
    """A decoder that writes a text block by block, until a block holds its end."""

    def start(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Take out all that is free, and align the rows to the right; the layout gives the room."""
        canvas = replace(canvas, room=canvas.inside.sum(1))
        return canvas.remove(canvas.free).align_right().close_full()

    def active(self, canvas: Canvas) -> Bool[Tensor, " batch"]:
        """Return the rows that hold a mask, or to which a block is to be appended."""
        return canvas.masked.any(1) | growing(canvas)


def growing(canvas: Canvas) -> Bool[Tensor, " batch"]:
    """Return the rows with room for another block and without an ``eos``."""
    ended = canvas.free & (canvas.x == canvas.network.vocab.specials.get("eos", -1))
    return canvas.open.any(1) & ~ended.any(1)


def last_block(canvas: Canvas, size: int) -> Bool[Tensor, "batch length"]:
    """Return the free places in the last block of each row."""
    block = block_of(canvas.free, size)
    return canvas.free & (block == block.amax(1, keepdim=True))


def extended(canvas: C, size: int) -> C:
    """Append a block of masks to each row that holds none and has not ended."""
    rows = growing(canvas) & ~canvas.masked.any(1)
    return canvas.append_masks(rows, size) if rows.any() else canvas

"""Decoders that insert several masks or tokens a step into the gaps of a row."""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from xlm_runtime.plug import Noise
from xlm_runtime.shapes import Bool, Int, Tensor

from .canvas import Canvas, Decoding, up_to_its_answer
from .ticks import Tick


@dataclass(frozen=True, kw_only=True)
class Growing(Decoding):
    """A decoder that inserts several tokens or masks a step, and reveals the masks of a row."""

    def start(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Take out all that is free but for masks; these are revealed, too."""
        return canvas.remove(canvas.free & ~canvas.masked).close_full()

    def candidates(self, canvas: Canvas, tick: Tick) -> Bool[Tensor, "batch length"]:
        """Return the masks that a step may reveal."""
        return canvas.masked


@dataclass(frozen=True, kw_only=True)
class RevisingGrowing(Growing):
    """A decoder that reveals masks, inserts others, and masks tokens again."""

    def active(self, canvas: Canvas) -> Bool[Tensor, " batch"]:
        """Return all rows: up to the last step a token can become a mask again."""
        return torch.ones_like(canvas.calls, dtype=torch.bool)


@dataclass(frozen=True, kw_only=True)
class Measured(Growing):
    """A decoder that inserts until a row is as long as its own answer."""

    def start(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Leave room for as many tokens as the example's answer has."""
        return super().start(up_to_its_answer(canvas), noise)


def skip_row(
    number: Int[Tensor, "batch length"], room: Int[Tensor, " batch"]
) -> Int[Tensor, "batch length"]:
    """Allow no insertion in a row in which not all fit."""
    return number * (number.sum(1) <= room)[:, None]


def drop_right(
    number: Int[Tensor, "batch length"], room: Int[Tensor, " batch"]
) -> Int[Tensor, "batch length"]:
    """Allow as many insertions as fit, from the left."""
    taken = number.cumsum(1).minimum(room.clamp(min=0)[:, None])
    return taken - F.pad(taken, (1, 0))[:, :-1]

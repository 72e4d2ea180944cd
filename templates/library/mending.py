"""Decoders that replace tokens, as long as a step changes any."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch

from xlm_runtime.plug import Batch
from xlm_runtime.shapes import Bool, Int, Tensor

from .canvas import Canvas
from .extending import Extending
from .filling import Filling
from .network import Network
from .resuming import Resuming
from .ticks import Tick

C = TypeVar("C", bound="Settling")


@dataclass(frozen=True)
class Settling(Canvas):
    """A canvas that knows of which rows no token is to be replaced any more.

    still: those that hold no mask, and that the last step left as they were, or the last of a grid.
    """

    still: Bool[Tensor, " batch"] = field(kw_only=True)

    @classmethod
    def of(cls: type[C], network: Network, batch: Batch, limit: int) -> C:
        """Return the rows of a batch, unchanged, with room for ``limit`` tokens in each."""
        plain = Canvas.of(network, batch, limit)
        still = torch.zeros_like(plain.calls, dtype=torch.bool)
        x, attend, free = plain.x, plain.attend, plain.free
        return cls(
            network, x, attend, free, plain.open, plain.inside, plain.room, plain.calls, still=still
        )


@dataclass(frozen=True)
class ResumingSettling(Settling, Resuming):
    """A canvas that grows by blocks, the last of which may change when it holds no mask."""

    def _finished(self, block: Int[Tensor, "batch length"]) -> int:
        """Count the columns on the left in which every row is before its last block."""
        left = (self.seen & (block >= block.amax(1, keepdim=True))).any(0)
        return int(left.long().argmax())


def unsettled(canvas: Canvas, places: Bool[Tensor, "batch length"]) -> Bool[Tensor, "batch length"]:
    """Return those of some places whose tokens may be replaced."""
    assert isinstance(canvas, Settling), "this canvas does not know what is done"
    return places & ~canvas.still[:, None]


def settled(after: Canvas, before: Canvas, tick: Tick) -> Canvas:
    """Return a canvas that knows which of its rows a step has left as they were."""
    assert isinstance(after, Settling), "this canvas does not know what is done"
    same = (after.x == before.x).all(1) | (tick.left == 1)
    return replace(after, still=same & ~after.masked.any(1))


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

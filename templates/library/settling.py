"""Rows that are done when a step replaces none of their tokens."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch

from xlm_runtime.plug import Batch
from xlm_runtime.shapes import Bool, Tensor

from .canvas import Canvas
from .network import Network
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
        return cls(**vars(plain), still=torch.zeros_like(plain.calls, dtype=torch.bool))


def unsettled(canvas: Canvas, places: Bool[Tensor, "batch length"]) -> Bool[Tensor, "batch length"]:
    """Return those of some places whose tokens may be replaced."""
    assert isinstance(canvas, Settling), "this canvas does not know what is done"
    return places & ~canvas.still[:, None]


def settled(after: Canvas, before: Canvas, tick: Tick) -> Canvas:
    """Return a canvas that knows which of its rows a step has left as they were."""
    assert isinstance(after, Settling), "this canvas does not know what is done"
    same = (after.x == before.x).all(1) | (tick.left == 1)
    return replace(after, still=same & ~after.masked.any(1))

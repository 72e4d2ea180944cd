"""Rows that remember how sure each of their tokens was when it was drawn."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch

from xlm_runtime.plug import Batch
from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .canvas import Canvas
from .filling import Revising
from .growing import RevisingGrowing
from .network import Network

C = TypeVar("C", bound="Rated")
M = TypeVar("M", bound="Moving")


@dataclass(frozen=True)
class Rated(Canvas):
    """A canvas with the confidence of each token when a step drew it; 0 of those that none drew."""

    sure: Float[Tensor, "batch length"] = field(kw_only=True)

    @classmethod
    def of(cls: type[C], network: Network, batch: Batch, limit: int) -> C:
        """Return the rows of a batch, unchanged, with room for ``limit`` tokens in each."""
        sure = torch.zeros(batch.x0.shape, dtype=torch.float64, device=batch.x0.device)
        return cls(**vars(Canvas.of(network, batch, limit)), sure=sure)


@dataclass(frozen=True)
class Moving(Rated):
    """A canvas on which the confidence of a token moves with it."""

    def _moved(
        self: M,
        source: Int[Tensor, "batch width"],
        old: Bool[Tensor, "batch width"],
        new: Bool[Tensor, "batch width"],
        token: Int[Tensor, "batch one"] | int,
    ) -> M:
        """Take each ``old`` place from its source, and put a token in each ``new`` one."""
        sure = self.sure.gather(1, source).masked_fill(~old, 0)
        return replace(super()._moved(source, old, new, token), sure=sure)


def sureness(canvas: Canvas) -> Float[Tensor, "batch length"]:
    """Return the confidence of each token when it was drawn."""
    assert isinstance(canvas, Rated), "this canvas does not rate its tokens"
    return canvas.sure


def rated(
    canvas: Canvas, places: Bool[Tensor, "batch length"], sure: Float[Tensor, " places"]
) -> Canvas:
    """Return a canvas that rates the tokens at some places."""
    assert isinstance(canvas, Rated), "this canvas does not rate its tokens"
    return replace(canvas, sure=canvas.sure.masked_scatter(places, sure.double()))


@dataclass(frozen=True, kw_only=True)
class Rating(Revising):
    """A decoder that masks the tokens again that were least sure."""

    canvas = Rated


@dataclass(frozen=True, kw_only=True)
class RatingGrowing(RevisingGrowing):
    """A decoder that inserts masks, and masks the tokens again that were least sure."""

    canvas = Moving

"""Steps that insert tokens and delete others, the least sure first."""

import torch

from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .canvas import Canvas
from .editing import edited
from .rating import rated


def surely_edited(
    canvas: Canvas,
    gone: Bool[Tensor, "batch length"],
    gaps: Bool[Tensor, "batch length"],
    token: Int[Tensor, " gaps"],
    sure: Float[Tensor, " gaps"],
) -> Canvas:
    """Delete some tokens, and insert one right of each of some positions, with its confidence."""
    made = edited(canvas, gone, gaps, token)
    left = gone | ~canvas.seen
    row, gap = gaps.nonzero(as_tuple=True)
    place = gap + (gaps.cumsum(1) - left.cumsum(1))[row, gap]
    new = torch.zeros_like(made.free).index_put((row, place), torch.ones_like(row).bool())
    return rated(made, new, sure)

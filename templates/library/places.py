"""Which places: uniformly random subsets, and the first by a score."""

import torch

from xlm_runtime.shapes import Bool, Float, Int, Tensor


def first(
    score: Float[Tensor, "batch length"],
    candidates: Bool[Tensor, "batch length"],
    count: Int[Tensor, " batch"],
) -> Bool[Tensor, "batch length"]:
    """The ``count`` candidates of each row with the highest scores (ties: the leftmost)."""
    score = score.masked_fill(~candidates, -torch.inf)
    rank = score.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return candidates & (rank < count[:, None])


def subset(
    u: Float[Tensor, "batch length"],
    candidates: Bool[Tensor, "batch length"],
    count: Int[Tensor, " batch"],
) -> Bool[Tensor, "batch length"]:
    """A uniformly random subset of ``count`` candidates of each row: those with the smallest u."""
    return first(-u, candidates, count)

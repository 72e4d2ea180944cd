"""Layers of a transformer in which a token sees those before it in an order.

Two streams run through them: the tokens, each of which sees itself and those of lower ranks, and a
mask at every place, which sees itself and the tokens of lower ranks, but not the one of its own
place (Yang et al. 2019, arXiv:1906.08237). So the network knows which place it is to fill.
"""

import torch

from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor

from .backbone import rotation
from .blockwise import BlockwiseTransformer, itself

LAST = 2**30  # the rank of masks, whose tokens are yet to come


def drawn_ranks(
    u: Float[Tensor, "batch length"], free: Bool[Tensor, "batch length"]
) -> Int[Tensor, "batch length"]:
    """Return the rank of each token: of fixed ones from left to right, then of free ones by u."""
    place = torch.arange(free.shape[1], device=free.device)
    order = torch.where(free, 1 + u, place / free.shape[1] / 2)
    return order.argsort(dim=1, stable=True).argsort(dim=1)


def known_first(
    masks: Bool[Tensor, "batch length"], free: Bool[Tensor, "batch length"]
) -> Int[Tensor, "batch length"]:
    """Return the rank of each token: fixed ones, free ones, both from left to right; then masks.

    No mask comes before another one.
    """
    known = torch.where(free, 1, 0).masked_fill(masks, 2)
    rank = known.argsort(dim=1, stable=True).argsort(dim=1)
    return rank.masked_fill(masks, LAST)


def visible(
    rank: Int[Tensor, "batch length"], attend: Attend
) -> tuple[Bool[Tensor, "batch 1 length length"], Bool[Tensor, "batch 1 length both"]]:
    """Return what each token sees of the tokens, and each mask of the masks and then the tokens.

    Padding sees itself, so that its softmax is finite.
    """
    before = rank[:, None, :] < rank[:, :, None]
    before = before if attend is None else before & attend.bool()[:, None, :]
    own = itself(rank, rank.shape[1]).expand_as(before)
    return (before | own)[:, None], torch.cat([own, before], 2)[:, None]


class PermutedTransformer(BlockwiseTransformer):
    """A network with rotary positions whose answer at a place depends on lower ranks alone."""

    def forward(
        self,
        masks: Int[Tensor, "batch length"],
        attend: Attend,
        rank: Int[Tensor, "batch length"],
        x0: Int[Tensor, "batch length"],
    ) -> Float[Tensor, "batch length width"]:
        """Return the states of the masks, each in view of the tokens of x0 of lower ranks."""
        cos, sin = rotation(attend, x0, self.size)
        of_tokens, of_masks = visible(rank, attend)
        asked, clean = self.embed(masks), self.embed(x0)
        for i, layer in enumerate(self.blocks, 1):
            last = i == len(self.blocks)  # of whose clean states nothing is read
            asked, clean = layer(asked, clean, cos, sin, of_masks, None if last else of_tokens)
        out: Tensor = self.norm(asked)
        return out

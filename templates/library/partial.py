"""Layers of a transformer that can compute a part of a row, in view of the rest.

The keys and values of the other places are kept from an earlier call, when they may have been read
in view of other tokens: answers are approximate then (Wu et al. 2025, arXiv:2505.22618).
"""

import torch
from torch.nn import functional as F

from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor

from .backbone import Attention, Block, GatedBlock, Transformer, attention_mask, heads, rotation

Past = tuple[tuple[Tensor, Tensor], ...]  # keys and values of each layer: batch heads length axes


def kept(
    old: Float[Tensor, "batch heads length axes"],
    new: Float[Tensor, "batch heads some axes"],
    place: Int[Tensor, "batch some"],
    there: Bool[Tensor, "batch some"],
) -> Float[Tensor, "batch heads length axes"]:
    """Return keys or values of a row with new ones at some of its places, ``there``."""
    wide = place[:, None, :, None].expand_as(new)
    return old.scatter(2, wide, torch.where(there[:, None, :, None], new, old.gather(2, wide)))


def at(values: Tensor, place: Int[Tensor, "batch some"], axis: int) -> Tensor:
    """Return the values at some places of each row."""
    index = place.view(len(place), *(-1 if i == axis else 1 for i in range(1, values.ndim)))
    rows = values.expand(len(place), *values.shape[1:])
    shape = [-1 if i in (0, axis) else size for i, size in enumerate(values.shape)]
    return rows.gather(axis, index.expand(shape))


def mixed(
    attention: Attention,
    x: Float[Tensor, "batch some width"],
    turn: tuple[Tensor, Tensor],
    seen: Bool[Tensor, "batch 1 queries length"] | None,
    where: tuple[Int[Tensor, "batch some"], Bool[Tensor, "batch some"]],
    past: tuple[Tensor, Tensor],
) -> tuple[Float[Tensor, "batch some width"], tuple[Tensor, Tensor]]:
    """Return what some places mix from all places of their row, and the keys and values of these.

    ``turn``: cosines and sines of the places; ``where``: the places, and which of them are real.
    """
    q, k, v = heads(attention.qkv(x), attention.heads, *turn)
    keys, values = kept(past[0], k, *where), kept(past[1], v, *where)
    k, v = keys.to(q.dtype), values.to(q.dtype)  # which autocast may have rounded
    made = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
    return attention.out(made.transpose(1, 2).flatten(2)), (keys, values)


class PartialBlock(Block):
    """A pre-norm Transformer block that can compute some of the places of a row."""

    def joined(
        self, x: Float[Tensor, "batch some width"], made: Float[Tensor, "batch some width"]
    ) -> Float[Tensor, "batch some width"]:
        """Add what attention mixed to its input, and then the feed-forward layer."""
        x = x + made
        out: Tensor = x + self.feed(self.norm_2(x))
        return out


class PartialGatedBlock(GatedBlock):
    """A gated block that can compute some of the places of a row."""

    def joined(
        self, x: Float[Tensor, "batch some width"], made: Float[Tensor, "batch some width"]
    ) -> Float[Tensor, "batch some width"]:
        """Add what attention mixed to its input, and then the feed-forward layer, each gated."""
        x = x + self.gate_1 * made
        out: Tensor = x + self.gate_2 * self.feed(self.norm_2(x))
        return out


class PartialTransformer(Transformer):
    """An encoder with rotary positions that can compute some of the places of a row."""

    def part(
        self,
        x: Int[Tensor, "batch some"],
        place: Int[Tensor, "batch some"],
        there: Bool[Tensor, "batch some"],
        attend: Attend,
        past: Past,
    ) -> tuple[Float[Tensor, "batch some width"], Past]:
        """Return the states of tokens at some places, and the keys and values of all of them.

        Those of the others are ``past``. ``there``: the places that are real, as rows may have
        different numbers of them.
        """
        length = past[0][0].shape[2]
        seen = attention_mask(attend)
        if seen is not None and seen.shape[2] > 1:
            seen = at(seen, place, 2)
        turn = rotation(attend, x.new_zeros(len(x), length), self.size)
        turn = (at(turn[0], place, 1), at(turn[1], place, 1))
        states, made = self.embed(x), []
        for block, old in zip(self.blocks, past, strict=True):
            assert isinstance(block, PartialBlock | PartialGatedBlock)
            new, now = mixed(block.attention, block.norm_1(states), turn, seen, (place, there), old)
            states = block.joined(states, new)
            made.append(now)
        return self.norm(states), tuple(made)

    def nothing(self, rows: int, length: int) -> Past:
        """Return keys and values of rows of which no place has been computed."""
        axes = self.size.width // self.size.heads
        like = self.embed.weight.new_zeros(rows, self.size.heads, length, axes)
        return tuple((like, like) for _ in self.blocks)

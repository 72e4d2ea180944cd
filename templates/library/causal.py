"""Layers under causal attention with rotary positions, from tokens to hidden states.

A token sees itself and the tokens before it in its document, but no padding.
"""

import torch
from torch import nn

from xlm_runtime.plug import ModelSize
from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor

from .attention import SplitAttention
from .backbone import FeedForward, attention_mask, embedding, rotation

Past = tuple[tuple[Tensor, Tensor], ...]  # keys and values of each block: batch heads length axes


def visible(attend: Attend, new: int) -> Bool[Tensor, "batch 1 new length"] | None:
    """Return what each of the last ``new`` tokens sees; None if only the order limits it.

    Padding sees itself, so that its softmax is finite.
    """
    seen = attention_mask(attend)
    if seen is None:
        return None
    key = torch.arange(seen.shape[-1], device=seen.device)
    query = key[len(key) - new :, None]
    return ((key < query) & seen[:, :, -new:]) | (key == query)


class CausalBlock(nn.Module):
    """A pre-norm Transformer block."""

    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(size.width)
        self.attention = SplitAttention(size)
        self.norm_2 = nn.LayerNorm(size.width)
        self.feed = FeedForward(size.width, size.dropout)

    def forward(
        self,
        x: Float[Tensor, "batch length width"],
        cos: Float[Tensor, "rows length 1 half"],
        sin: Float[Tensor, "rows length 1 half"],
        seen: Bool[Tensor, "batch 1 length length"] | None,
    ) -> Float[Tensor, "batch length width"]:
        """Apply attention, then the feed-forward layer, each added to its input."""
        q, k, v = self.attention.project(self.norm_1(x), cos, sin)
        x = x + self.attention.mix(q, k, v, seen)
        out: Tensor = x + self.feed(self.norm_2(x))
        return out


class CachingBlock(CausalBlock):
    """A block that can go on from the keys and values of the tokens before."""

    def extend(
        self,
        x: Float[Tensor, "batch new width"],
        cos: Float[Tensor, "batch new 1 half"],
        sin: Float[Tensor, "batch new 1 half"],
        seen: Bool[Tensor, "batch 1 new length"] | None,
        past: tuple[Tensor, Tensor] | None,
    ) -> tuple[Float[Tensor, "batch new width"], tuple[Tensor, Tensor]]:
        """Return `forward` of the last tokens, and the keys and values of all so far."""
        q, k, v = self.attention.project(self.norm_1(x), cos, sin)
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        x = x + self.attention.mix(q, k, v, seen)
        return x + self.feed(self.norm_2(x)), (k, v)


class CausalTransformer(nn.Module):
    """A decoder with rotary positions: tokens to hidden states that know of no later token."""

    def __init__(self, vocab: int, size: ModelSize, block: type[nn.Module]) -> None:
        super().__init__()
        self.size = size
        self.embed = embedding(vocab, size.width)
        self.blocks = nn.ModuleList(block(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)

    def forward(
        self, xt: Int[Tensor, "batch length"], attend: Attend
    ) -> Float[Tensor, "batch length width"]:
        """Return the hidden state of every position; ``attend`` is None if nothing is padded."""
        cos, sin = rotation(attend, xt, self.size)
        seen = visible(attend, xt.shape[1])
        x = self.embed(xt)
        for block in self.blocks:
            x = block(x, cos, sin, seen)
        out: Tensor = self.norm(x)
        return out


class CachingTransformer(CausalTransformer):
    """A decoder that can go on from what it made of a prefix: the key/value cache."""

    def extend(
        self, new: Int[Tensor, "batch new"], attend: Bool[Tensor, "batch length"], past: Past
    ) -> tuple[Float[Tensor, "batch new width"], Past]:
        """Return the hidden states of the last tokens, and the past for later ones.

        ``attend`` spans the past, empty at first, and the new tokens.
        """
        count = new.shape[1]
        cos, sin = (part[:, -count:] for part in rotation(attend, new, self.size))
        seen = visible(attend, count)
        x, longer = self.embed(new), []
        for i, block in enumerate(self.blocks):
            assert isinstance(block, CachingBlock)
            x, kept = block.extend(x, cos, sin, seen, past[i] if past else None)
            longer.append(kept)
        return self.norm(x), tuple(longer)

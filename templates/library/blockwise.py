"""Layers of a transformer in which a token sees its own block and those before it.

Training runs two streams through them: the noised tokens, each of which sees its block as it is
noised and the blocks before as they are clean, and the clean tokens, which see no noise.
"""

import torch
from torch import nn

from xlm_runtime.plug import ModelSize
from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor

from .attention import SplitAttention
from .backbone import FeedForward, embedding, rotation

Past = tuple[tuple[Tensor, Tensor], ...]  # keys and values of each layer: batch heads length axes


def visible(
    block: Int[Tensor, "batch length"], attend: Attend, new: int
) -> Bool[Tensor, "batch 1 new length"]:
    """Return what each of the last ``new`` tokens sees: its block and those before, no padding.

    Padding sees itself, so that its softmax is finite.
    """
    seen = block[:, None, :] <= block[:, -new:, None]
    seen = seen if attend is None else seen & attend.bool()[:, None, :]
    return (seen | itself(block, new))[:, None]


def streams(
    block: Int[Tensor, "batch length"], attend: Attend
) -> Bool[Tensor, "batch 1 length both"]:
    """Return what each noised token sees of the noised row, and then of the clean one.

    Of the former its own block, of the latter the blocks before (Arriola et al. 2025,
    arXiv:2503.09573). Padding sees itself.
    """
    own = block[:, None, :] == block[:, :, None]
    before = block[:, None, :] < block[:, :, None]
    if attend is not None:
        own, before = own & attend.bool()[:, None, :], before & attend.bool()[:, None, :]
    return torch.cat([own | itself(block, block.shape[1]), before], 2)[:, None]


def itself(block: Int[Tensor, "batch length"], new: int) -> Bool[Tensor, "new length"]:
    """Return for each of the last ``new`` tokens its own place."""
    place = torch.arange(block.shape[1], device=block.device)
    return place[-new:, None] == place


class Streams(nn.Module):
    """A pre-norm Transformer block, for one stream or two."""

    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(size.width)
        self.attention = SplitAttention(size)
        self.norm_2 = nn.LayerNorm(size.width)
        self.feed = FeedForward(size.width, size.dropout)

    def joined(
        self, x: Float[Tensor, "batch new width"], mixed: Float[Tensor, "batch new width"]
    ) -> Float[Tensor, "batch new width"]:
        """Add what attention mixed to its input, and then the feed-forward layer."""
        x = x + mixed
        out: Tensor = x + self.feed(self.norm_2(x))
        return out

    def extend(
        self,
        x: Float[Tensor, "batch new width"],
        cos: Float[Tensor, "rows new 1 half"],
        sin: Float[Tensor, "rows new 1 half"],
        seen: Bool[Tensor, "batch 1 new length"],
        past: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Float[Tensor, "batch new width"], tuple[Tensor, Tensor]]:
        """Return the states of the last tokens, and the keys and values of all so far."""
        q, k, v = self.attention.project(self.norm_1(x), cos, sin)
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        return self.joined(x, self.attention.mix(q, k, v, seen)), (k, v)

    def forward(
        self,
        noised: Float[Tensor, "batch length width"],
        clean: Float[Tensor, "batch length width"],
        cos: Float[Tensor, "rows length 1 half"],
        sin: Float[Tensor, "rows length 1 half"],
        seen: Bool[Tensor, "batch 1 length both"],
        seen_clean: Bool[Tensor, "batch 1 length length"] | None,
    ) -> tuple[Float[Tensor, "batch length width"], Float[Tensor, "batch length width"]]:
        """Return the states of both streams; the clean ones as they are without ``seen_clean``."""
        q, k, v = self.attention.project(self.norm_1(noised), cos, sin)
        clean_q, clean_k, clean_v = self.attention.project(self.norm_1(clean), cos, sin)
        both = torch.cat([k, clean_k], 2), torch.cat([v, clean_v], 2)
        noised = self.joined(noised, self.attention.mix(q, *both, seen))
        if seen_clean is None:
            return noised, clean
        mixed = self.attention.mix(clean_q, clean_k, clean_v, seen_clean)
        return noised, self.joined(clean, mixed)


class GatedStreams(Streams):
    """A block of a diffusion transformer whose modulation is the same for every input.

    What adaLN-Zero (Peebles & Xie 2023, arXiv:2212.09748) becomes without a condition: the norms'
    own scale and shift, and one learned gate for each branch. It starts at one, as there is no
    condition to be learnt before.
    """

    def __init__(self, size: ModelSize) -> None:
        super().__init__(size)
        self.gate_1 = nn.Parameter(torch.ones(size.width))
        self.gate_2 = nn.Parameter(torch.ones(size.width))

    def joined(
        self, x: Float[Tensor, "batch new width"], mixed: Float[Tensor, "batch new width"]
    ) -> Float[Tensor, "batch new width"]:
        """Add what attention mixed to its input, and then the feed-forward layer, each gated."""
        x = x + self.gate_1 * mixed
        out: Tensor = x + self.gate_2 * self.feed(self.norm_2(x))
        return out


class BlockwiseTransformer(nn.Module):
    """A network with rotary positions: tokens to hidden states that know of no later block."""

    def __init__(self, vocab: int, size: ModelSize, block: type[nn.Module]) -> None:
        super().__init__()
        self.size = size
        self.embed = embedding(vocab, size.width)
        self.blocks = nn.ModuleList(block(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)

    def forward(
        self,
        xt: Int[Tensor, "batch length"],
        attend: Attend,
        block: Int[Tensor, "batch length"],
        x0: Int[Tensor, "batch length"],
    ) -> Float[Tensor, "batch length width"]:
        """Return the states of xt, each token sees its own block, and the blocks before it in x0.

        Both streams have the same positions. ``attend`` is None if nothing is padded.
        """
        cos, sin = rotation(attend, xt, self.size)
        seen, seen_clean = streams(block, attend), visible(block, attend, xt.shape[1])
        noised, clean = self.embed(xt), self.embed(x0)
        for i, layer in enumerate(self.blocks, 1):
            last = i == len(self.blocks)  # of whose clean states nothing is read
            noised, clean = layer(noised, clean, cos, sin, seen, None if last else seen_clean)
        out: Tensor = self.norm(noised)
        return out

    def extend(
        self,
        new: Int[Tensor, "batch new"],
        attend: Attend,
        block: Int[Tensor, "batch length"],
        past: Past = (),
    ) -> tuple[Float[Tensor, "batch new width"], Past]:
        """Return the states of the last tokens of a row, and the keys and values of all so far.

        Each token in view of its own block and of those before. ``attend`` and ``block`` span the
        past, of blocks that are done, and the new tokens.
        """
        count = new.shape[1]
        cos, sin = (part[:, -count:] for part in rotation(attend, block, self.size))
        seen = visible(block, attend, count)
        x, longer = self.embed(new), []
        for i, layer in enumerate(self.blocks):
            assert isinstance(layer, Streams)
            x, kept = layer.extend(x, cos, sin, seen, past[i] if past else None)
            longer.append(kept)
        return self.norm(x), tuple(longer)

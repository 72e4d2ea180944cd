"""Layers with rotary positions, from tokens to hidden states."""

import torch
from torch import nn
from torch.nn import functional as F

from xlm_runtime.plug import ModelSize
from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor


def linear(inputs: int, outputs: int, bias: bool = True) -> nn.Linear:
    """Return a linear layer, initially Xavier-normal (Glorot & Bengio 2010) with zero bias."""
    layer = nn.Linear(inputs, outputs, bias)
    nn.init.xavier_normal_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def answer(
    layer: nn.Linear, hidden: Float[Tensor, "places width"], bias: Tensor | None = None
) -> Float[Tensor, "places outputs"]:
    """Return the numbers of a head in float32 at least; ``bias`` replaces that of the layer.

    The product has the precision of the layer's weights, which autocast does not round.
    """
    with torch.autocast(hidden.device.type, enabled=False):
        states = hidden.to(layer.weight.dtype)
        made = F.linear(states, layer.weight, layer.bias if bias is None else bias)
    return made.float() if made.dtype in (torch.float16, torch.bfloat16) else made


def allowed_logits(
    layer: nn.Linear, hidden: Float[Tensor, "places width"], forbidden: Bool[Tensor, " vocab"]
) -> Float[Tensor, "places vocab"]:
    """Return the logits of a head; -inf at forbidden ids, by the bias: no logits are copied."""
    bias = layer.weight.new_zeros(len(forbidden)) if layer.bias is None else layer.bias
    return answer(layer, hidden, bias.masked_fill(forbidden, -torch.inf))


def embedding(vocab: int, width: int) -> nn.Embedding:
    """Return embeddings of standard deviation 0.3: attention contributes from the first step on."""
    embed = nn.Embedding(vocab, width)
    nn.init.normal_(embed.weight, std=0.3)
    return embed


def attention_mask(attend: Attend) -> Bool[Tensor, "batch 1 queries length"] | None:
    """Return the tokens that each one sees: its own document, no padding; None for all tokens.

    If a row is one document, all its tokens see the same, and ``queries`` is 1. For several, the
    mask has length x length entries for each row; padding then sees padding, so that its softmax
    is finite.
    """
    if attend is None:
        return None
    if attend.dtype == torch.bool:
        return attend[:, None, None, :]
    return attend[:, None, :, None] == attend[:, None, None, :]


def rotation(
    attend: Attend, xt: Int[Tensor, "batch length"], size: ModelSize
) -> tuple[Float[Tensor, "rows length 1 half"], Float[Tensor, "rows length 1 half"]]:
    """Return cosines and sines of the rotary angles (Su et al. 2021, arXiv:2104.09864).

    Positions count attended tokens, so that padding on the left shifts nothing. Attention depends
    on their differences alone: the documents of a row need no count of their own.
    """
    if attend is None:
        position = torch.arange(xt.shape[1], device=xt.device)[None]
    else:
        position = attend.bool().cumsum(1) - 1
    axes = size.width // size.heads
    frequency = size.rotary_base ** (-torch.arange(0, axes, 2, device=xt.device) / axes)
    angle = (position[:, :, None] * frequency)[:, :, None]
    return angle.cos(), angle.sin()


def rotate(
    x: Float[Tensor, "batch length heads axes"],
    cos: Float[Tensor, "rows length 1 half"],
    sin: Float[Tensor, "rows length 1 half"],
) -> Float[Tensor, "batch length heads axes"]:
    """Rotate each pair (x_i, x_{i + half}) of a head's axes by its angle."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1).to(x.dtype)


def heads(
    qkv: Float[Tensor, "batch length outputs"],
    number: int,
    cos: Float[Tensor, "rows length 1 half"],
    sin: Float[Tensor, "rows length 1 half"],
) -> tuple[
    Float[Tensor, "batch heads length axes"],
    Float[Tensor, "batch heads length axes"],
    Float[Tensor, "batch heads length axes"],
]:
    """Return rotated queries, rotated keys, and values of a number of heads."""
    each = qkv.view(
        *qkv.shape[:2], 3 * number, qkv.shape[2] // (3 * number)
    )  # batch length heads axes
    q, k = rotate(each[:, :, : 2 * number], cos, sin).transpose(1, 2).chunk(2, 1)
    return q, k, each[:, :, 2 * number :].transpose(1, 2)


class Attention(nn.Module):
    """Multi-head self-attention; every token sees what ``seen`` lets it see."""

    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        self.size = size
        self.heads = size.heads
        self.qkv = linear(size.width, 3 * size.width, bias=False)
        self.out = linear(size.width, size.width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "batch length width"],
        cos: Float[Tensor, "rows length 1 half"],
        sin: Float[Tensor, "rows length 1 half"],
        seen: Bool[Tensor, "batch 1 queries length"] | None,
    ) -> Float[Tensor, "batch length width"]:
        """Mix the tokens of each row."""
        q, k, v = heads(self.qkv(x), self.heads, cos, sin)
        mixed = F.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=seen,
            dropout_p=self.size.attention_dropout if self.training else 0.0,
        )
        mixed = self.out(mixed.transpose(1, 2).flatten(2))
        return F.dropout(mixed, self.size.dropout, self.training)


class FeedForward(nn.Sequential):
    """Two layers with a GELU between them, four times as wide inside."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(
            linear(width, 4 * width),
            nn.GELU(approximate="tanh"),
            linear(4 * width, width),
            nn.Dropout(dropout),
        )


class Block(nn.Module):
    """A pre-norm Transformer block."""

    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(size.width)
        self.attention = Attention(size)
        self.norm_2 = nn.LayerNorm(size.width)
        self.feed = FeedForward(size.width, size.dropout)

    def forward(
        self,
        x: Float[Tensor, "batch length width"],
        cos: Float[Tensor, "rows length 1 half"],
        sin: Float[Tensor, "rows length 1 half"],
        seen: Bool[Tensor, "batch 1 queries length"] | None,
    ) -> Float[Tensor, "batch length width"]:
        """Apply attention, then the feed-forward layer, each added to its input."""
        x = x + self.attention(self.norm_1(x), cos, sin, seen)
        out: Tensor = x + self.feed(self.norm_2(x))
        return out


class GatedBlock(nn.Module):
    """A block of a diffusion transformer whose modulation is the same for every input.

    What adaLN-Zero (Peebles & Xie 2023, arXiv:2212.09748) becomes without a condition: the norms'
    own scale and shift, and one learned gate for each branch. It starts at one, as there is no
    condition to be learnt before.
    """

    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(size.width)
        self.attention = Attention(size)
        self.gate_1 = nn.Parameter(torch.ones(size.width))
        self.norm_2 = nn.LayerNorm(size.width)
        self.feed = FeedForward(size.width, size.dropout)
        self.gate_2 = nn.Parameter(torch.ones(size.width))

    def forward(
        self,
        x: Float[Tensor, "batch length width"],
        cos: Float[Tensor, "rows length 1 half"],
        sin: Float[Tensor, "rows length 1 half"],
        seen: Bool[Tensor, "batch 1 queries length"] | None,
    ) -> Float[Tensor, "batch length width"]:
        """Apply attention, then the feed-forward layer, each gated and added to its input."""
        x = x + self.gate_1 * self.attention(self.norm_1(x), cos, sin, seen)
        out: Tensor = x + self.gate_2 * self.feed(self.norm_2(x))
        return out


class Transformer(nn.Module):
    """An encoder with rotary positions, made of one kind of block: tokens to hidden states."""

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
        seen = attention_mask(attend)
        cos, sin = rotation(attend, xt, self.size)
        x = self.embed(xt)
        for block in self.blocks:
            x = block(x, cos, sin, seen)
        out: Tensor = self.norm(x)
        return out


class Condition(nn.Module):
    """A scalar per row (t, or the total noise sigma) as a vector.

    Sines and cosines of 128 multiples of the value, from ``fastest`` down to a 10,000th of it, then
    a two-layer network. What the best answer depends on is smooth in time: waves much faster than
    4 would make noise of small differences.
    """

    def __init__(self, width: int, fastest: float) -> None:
        super().__init__()
        self.fastest = fastest
        self.inner = linear(256, width)
        self.outer = linear(width, width)

    def forward(self, value: Float[Tensor, " batch"]) -> Float[Tensor, "batch width"]:
        """Embed the values."""
        frequency = self.fastest * 10_000.0 ** (-torch.arange(128, device=value.device) / 128)
        angle = value.float()[:, None] * frequency
        waves = torch.cat([angle.cos(), angle.sin()], dim=-1).to(self.inner.weight.dtype)
        out: Tensor = self.outer(F.silu(self.inner(waves)))
        return out


def modulate(
    x: Float[Tensor, "batch length width"],
    shift: Float[Tensor, "batch 1 width"],
    scale: Float[Tensor, "batch 1 width"],
) -> Float[Tensor, "batch length width"]:
    """Return the activations as x (1 + scale) + shift."""
    return x * (1 + scale) + shift


class ModulatedBlock(nn.Module):
    """A DiT block with adaLN-Zero (Peebles & Xie 2023, arXiv:2212.09748)."""

    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(size.width, elementwise_affine=False)
        self.attention = Attention(size)
        self.norm_2 = nn.LayerNorm(size.width, elementwise_affine=False)
        self.feed = FeedForward(size.width, size.dropout)
        self.modulation = nn.Linear(size.width, 6 * size.width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(
        self,
        x: Float[Tensor, "batch length width"],
        condition: Float[Tensor, "batch width"],
        cos: Float[Tensor, "rows length 1 half"],
        sin: Float[Tensor, "rows length 1 half"],
        seen: Bool[Tensor, "batch 1 queries length"] | None,
    ) -> Float[Tensor, "batch length width"]:
        """Apply attention and feed-forward layer, shifted, scaled and gated by the condition."""
        parts = self.modulation(F.silu(condition))[:, None].chunk(6, dim=-1)
        shift_1, scale_1, gate_1, shift_2, scale_2, gate_2 = parts
        mixed = self.attention(modulate(self.norm_1(x), shift_1, scale_1), cos, sin, seen)
        x = x + gate_1 * mixed
        out: Tensor = x + gate_2 * self.feed(modulate(self.norm_2(x), shift_2, scale_2))
        return out


class ConditionedTransformer(nn.Module):
    """An encoder with rotary positions, conditioned on the amount of noise through adaLN-Zero."""

    def __init__(self, vocab: int, size: ModelSize) -> None:
        super().__init__()
        self.size = size
        self.embed = embedding(vocab, size.width)
        self.condition = Condition(size.width, size.fastest)
        self.blocks = nn.ModuleList(ModulatedBlock(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width, elementwise_affine=False)
        self.modulation = nn.Linear(size.width, 2 * size.width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(
        self,
        xt: Int[Tensor, "batch length"],
        attend: Attend,
        noise: Float[Tensor, " batch"],
    ) -> Float[Tensor, "batch length width"]:
        """Return the hidden state of every position; ``attend`` is None if nothing is padded."""
        seen = attention_mask(attend)
        cos, sin = rotation(attend, xt, self.size)
        condition = self.condition(noise)
        x = self.embed(xt)
        for block in self.blocks:
            x = block(x, condition, cos, sin, seen)
        shift, scale = self.modulation(F.silu(condition))[:, None].chunk(2, dim=-1)
        return modulate(self.norm(x), shift, scale)

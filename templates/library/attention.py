"""Attention whose queries, keys and values are made apart from their mix."""

from torch import nn
from torch.nn import functional as F

from xlm_runtime.plug import ModelSize
from xlm_runtime.shapes import Bool, Float, Tensor

from .backbone import heads, linear


class SplitAttention(nn.Module):
    """Multi-head self-attention in two parts, between which keys and values can be kept."""

    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        self.size = size
        self.heads = size.heads
        self.qkv = linear(size.width, 3 * size.width, bias=False)
        self.out = linear(size.width, size.width, bias=False)

    def project(
        self,
        x: Float[Tensor, "batch length width"],
        cos: Float[Tensor, "rows length 1 half"],
        sin: Float[Tensor, "rows length 1 half"],
    ) -> tuple[
        Float[Tensor, "batch heads length axes"],
        Float[Tensor, "batch heads length axes"],
        Float[Tensor, "batch heads length axes"],
    ]:
        """Return queries, keys and values."""
        return heads(self.qkv(x), self.heads, cos, sin)

    def mix(
        self,
        q: Float[Tensor, "batch heads new axes"],
        k: Float[Tensor, "batch heads length axes"],
        v: Float[Tensor, "batch heads length axes"],
        seen: Bool[Tensor, "batch 1 new length"] | None,
    ) -> Float[Tensor, "batch new width"]:
        """Return the output of each query; ``seen`` is None for plain causal attention."""
        dropout = self.size.attention_dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, seen, dropout, is_causal=seen is None)
        out = self.out(mixed.transpose(1, 2).flatten(2))
        return F.dropout(out, self.size.dropout, self.training)

"""A Qwen2 network (Yang et al. 2024, arXiv:2407.10671).

Grouped-query attention with biases, RMS norms, SwiGLU and rotary positions, as weights that were
published in that format have them; `NAMES` maps them to the names of the files.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import nn
from torch.nn import functional as F

from xlm_runtime.plug import ModelSize
from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor

from .backbone import attention_mask, embedding, linear, rotate, rotation
from .causal import visible

NAMES = {
    "backbone.embed": "model.embed_tokens",
    "backbone.blocks.*.norm_1": "model.layers.*.input_layernorm",
    "backbone.blocks.*.attention.q": "model.layers.*.self_attn.q_proj",
    "backbone.blocks.*.attention.k": "model.layers.*.self_attn.k_proj",
    "backbone.blocks.*.attention.v": "model.layers.*.self_attn.v_proj",
    "backbone.blocks.*.attention.out": "model.layers.*.self_attn.o_proj",
    "backbone.blocks.*.norm_2": "model.layers.*.post_attention_layernorm",
    "backbone.blocks.*.feed.gate": "model.layers.*.mlp.gate_proj",
    "backbone.blocks.*.feed.up": "model.layers.*.mlp.up_proj",
    "backbone.blocks.*.feed.down": "model.layers.*.mlp.down_proj",
    "backbone.norm": "model.norm",
}


@dataclass(frozen=True)
class Shape(ModelSize):
    """The size of a backbone, and the rest of a published one's config.

    kv_heads: the heads of keys and values; each serves as many heads of queries.
    inner: the width inside of the feed-forward layers.
    eps: what RMS norms add to the mean square.
    tied: the embeddings are the weights of the head, too.
    """

    kv_heads: int = 1
    inner: int = 64
    eps: float = 1e-6
    tied: bool = False


def shape_of(size: ModelSize) -> Shape:
    """Return the shape for training from scratch: the gated MLP is about as large as a GELU one."""
    if isinstance(size, Shape):
        return size
    inner = 64 * -(-8 * size.width // (3 * 64))
    return Shape(**asdict(size), kv_heads=size.heads, inner=inner)


def from_config(config: Mapping[str, Any]) -> Shape:
    """Read the shape from a ``config.json``.

    Raises KeyError for a missing entry, and ValueError for one that this network does not support.
    """
    width, heads = config["hidden_size"], config["num_attention_heads"]
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    only = {
        "hidden_act": (config.get("hidden_act", "silu"), "silu"),
        "rope_type": (rope.get("rope_type", rope.get("type", "default")), "default"),
        "use_sliding_window": (bool(config.get("use_sliding_window")), False),
        "head_dim": (config.get("head_dim") or width // heads, width / heads),
    }
    for name, (found, wanted) in only.items():
        if found != wanted:
            raise ValueError(f"{name} is {found}, and this backbone has {wanted}")
    return Shape(
        layers=config["num_hidden_layers"],
        width=width,
        heads=heads,
        rotary_base=float(rope.get("rope_theta") or config["rope_theta"]),
        kv_heads=config["num_key_value_heads"],
        inner=config["intermediate_size"],
        eps=config["rms_norm_eps"],
        tied=bool(config.get("tie_word_embeddings")),
    )


def to_config(size: ModelSize, vocab: int) -> dict[str, Any]:
    """Return the ``config.json`` of a network with ``vocab`` rows of embeddings."""
    shape = shape_of(size)
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "vocab_size": vocab,
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "hidden_act": "silu",
        "rms_norm_eps": shape.eps,
        "rope_theta": shape.rotary_base,
        "tie_word_embeddings": shape.tied,
    }


class GroupedAttention(nn.Module):
    """Self-attention in which several heads of queries share one of keys and values.

    A token sees what ``seen`` lets it see (Ainslie et al. 2023, arXiv:2305.13245).
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.axes = shape.width // shape.heads
        self.dropout = shape.dropout
        self.attention_dropout = shape.attention_dropout
        self.q = linear(shape.width, shape.width)
        self.k = linear(shape.width, shape.kv_heads * self.axes)
        self.v = linear(shape.width, shape.kv_heads * self.axes)
        self.out = linear(shape.width, shape.width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "batch length width"],
        cos: Float[Tensor, "rows length 1 half"],
        sin: Float[Tensor, "rows length 1 half"],
        seen: Bool[Tensor, "batch 1 queries length"] | None,
        ordered: bool,
    ) -> Float[Tensor, "batch length width"]:
        """Mix the tokens of each row; ``ordered``: each one sees those before it, by no mask."""
        q, k, v = (
            part(x).unflatten(2, (-1, self.axes))  # batch length heads axes
            for part in (self.q, self.k, self.v)
        )
        mixed = F.scaled_dot_product_attention(
            rotate(q, cos, sin).transpose(1, 2),
            rotate(k, cos, sin).transpose(1, 2),
            v.transpose(1, 2),
            attn_mask=seen,
            dropout_p=self.attention_dropout if self.training else 0.0,
            is_causal=ordered,
            enable_gqa=True,
        )
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return F.dropout(out, self.dropout, self.training)


class SwiGLU(nn.Module):
    """A feed-forward layer that gates itself (Shazeer 2020, arXiv:2002.05202)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate = linear(shape.width, shape.inner, bias=False)
        self.up = linear(shape.width, shape.inner, bias=False)
        self.down = linear(shape.inner, shape.width, bias=False)
        self.dropout = shape.dropout

    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        """Transform each token on its own."""
        out = self.down(F.silu(self.gate(x)) * self.up(x))
        return F.dropout(out, self.dropout, self.training)


class Qwen2Block(nn.Module):
    """A pre-norm block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm_1 = nn.RMSNorm(shape.width, shape.eps)
        self.attention = GroupedAttention(shape)
        self.norm_2 = nn.RMSNorm(shape.width, shape.eps)
        self.feed = SwiGLU(shape)

    def forward(
        self,
        x: Float[Tensor, "batch length width"],
        cos: Float[Tensor, "rows length 1 half"],
        sin: Float[Tensor, "rows length 1 half"],
        seen: Bool[Tensor, "batch 1 queries length"] | None,
        ordered: bool,
    ) -> Float[Tensor, "batch length width"]:
        """Apply attention, then the feed-forward layer, each added to its input."""
        x = x + self.attention(self.norm_1(x), cos, sin, seen, ordered)
        out: Tensor = x + self.feed(self.norm_2(x))
        return out


class Qwen2(nn.Module):
    """The trunk of a Qwen2 network, which sees both sides: tokens to hidden states."""

    def __init__(self, vocab: int, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed = embedding(vocab, shape.width)
        self.blocks = nn.ModuleList(Qwen2Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, shape.eps)

    def forward(
        self, xt: Int[Tensor, "batch length"], attend: Attend
    ) -> Float[Tensor, "batch length width"]:
        """Return the hidden state of every position; ``attend`` is None if nothing is padded."""
        return self.mix(xt, attend, attention_mask(attend))

    def mix(
        self,
        xt: Int[Tensor, "batch length"],
        attend: Attend,
        seen: Bool[Tensor, "batch 1 queries length"] | None,
        ordered: bool = False,
    ) -> Float[Tensor, "batch length width"]:
        """Return the hidden states of tokens that see what ``seen`` lets them see.

        ``ordered``: without padding, those before them alone.
        """
        cos, sin = rotation(attend, xt, self.shape)
        x = self.embed(xt)
        for block in self.blocks:
            x = block(x, cos, sin, seen, ordered)
        out: Tensor = self.norm(x)
        return out


class CausalQwen2(Qwen2):
    """The trunk of a Qwen2 network as it was published: a token sees those before it."""

    def forward(
        self, xt: Int[Tensor, "batch length"], attend: Attend
    ) -> Float[Tensor, "batch length width"]:
        """Return the hidden state of every position, which no later token changes."""
        seen = visible(attend, xt.shape[1])
        return self.mix(xt, attend, seen, ordered=seen is None)

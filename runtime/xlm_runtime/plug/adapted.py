"""Architectures of transformers under any attention: their sizes, networks, states and weights.

A network is the library's own model for language modelling, whose last layer is apart: a head.
Weights come in the library's format, and are read by it. None of a repository's own code is run.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from math import gcd
from pathlib import Path
from typing import Any

import torch
from torch import nn

from xlm_runtime.plug.family import ModelSize
from xlm_runtime.shapes import Bool, Float, Int, Tensor

Past = tuple[tuple[Tensor, Tensor], ...]  # keys and values of each layer: batch heads length axes
DECODERS, ENCODERS = ("gpt2", "llama", "qwen2", "qwen3"), ("bert", "esm", "modernbert")
_SPECIAL = ("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")
_DROPOUT = ("hidden_dropout_prob", "resid_pdrop", "embd_pdrop", "embedding_dropout", "mlp_dropout")
_ATTENTION_DROPOUT = ("attention_dropout", "attn_pdrop", "attention_probs_dropout_prob")
_OTHER = (  # entries of a config that change what a network computes, and are not supported
    "quantization_config", "use_sliding_window", "is_decoder", "add_cross_attention",
    "final_logit_softcapping", "emb_layer_norm_before",
)  # fmt: skip


@dataclass(frozen=True)
class AdaptedSize(ModelSize):
    """The size of an architecture, with all of its ``config.json``."""

    config: Mapping[str, Any] = field(default_factory=dict)


# Sizes


def from_config(config: Mapping[str, Any]) -> AdaptedSize:
    """Read the size from a ``config.json``.

    Raises ValueError for an architecture that is not supported, or not in this form.
    """
    kind, known = config.get("model_type"), (*DECODERS, *ENCODERS)
    if kind not in known:
        raise ValueError(f"model_type is {kind}, and supported are {', '.join(known)}")
    made = _config(config)
    wrong = [name for name in _OTHER if getattr(made, name, None)]
    if kind in DECODERS and {*(getattr(made, "layer_types", None) or ())} - {"full_attention"}:
        wrong.append("layer_types")
    if kind == "esm" and made.position_embedding_type != "rotary":
        wrong.append("position_embedding_type")
    if wrong:
        raise ValueError(f"{wrong[0]} is {getattr(made, wrong[0])}, which is not supported")
    rope = getattr(made, "rope_parameters", None) or {}
    return AdaptedSize(
        layers=made.num_hidden_layers,
        width=made.hidden_size,
        heads=made.num_attention_heads,
        rotary_base=float(rope.get("rope_theta", ModelSize.rotary_base)),
        config=dict(config),
    )


def shrunk(config: Mapping[str, Any], size: ModelSize) -> AdaptedSize:
    """Return the size of a network of the same architecture with other layers, width and heads.

    Feed-forward layers and the heads of keys and values keep their proportions.
    """
    old, plain = _config(config), {**config}
    changes = {
        "num_hidden_layers": size.layers,
        "hidden_size": size.width,
        "num_attention_heads": size.heads,
    }
    if inner := getattr(old, "intermediate_size", None):
        changes["intermediate_size"] = 8 * max(1, round(inner * size.width / old.hidden_size / 8))
    if keys := getattr(old, "num_key_value_heads", None):
        share = max(1, size.heads * keys // old.num_attention_heads)
        changes["num_key_value_heads"] = gcd(size.heads, share)
    if getattr(old, "head_dim", None):
        changes["head_dim"] = size.width // size.heads
    plain.pop("layer_types", None)  # of each layer; follows from the rest
    plain |= {old.attribute_map.get(name, name): value for name, value in changes.items()}
    more = asdict(size) | {"config": plain}
    return AdaptedSize(**more)


def to_config(size: ModelSize, vocab: int) -> dict[str, Any]:
    """Return the ``config.json`` of a network with ``vocab`` rows of embeddings."""
    return {**_known(size).config, "vocab_size": vocab}


def _known(size: ModelSize) -> AdaptedSize:
    if not isinstance(size, AdaptedSize):
        raise TypeError("an architecture of transformers needs its config: see `shrunk`")
    return size


def _config(config: Mapping[str, Any]) -> Any:
    """Return the library's own form of a config, in which no id is special.

    The row of a padding id would be kept from learning.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    plain = {key: value for key, value in config.items() if key != "model_type"}
    plain |= dict.fromkeys(_SPECIAL)
    try:
        return AutoConfig.for_model(config["model_type"], **plain)
    except StrictDataclassError as error:
        raise ValueError(" ".join(str(error).split())) from error


# Networks


def network(size: ModelSize, vocab: int) -> nn.Module:
    """Return a network with fresh weights and ``vocab`` ids, its head included.

    Raises ValueError for a dropout that the architecture does not have.
    """
    made: nn.Module = _class(_known(size)).from_config(
        _settled(_known(size), vocab), attn_implementation="sdpa"
    )
    return made


def pretrained(
    size: ModelSize, folder: Path, dtype: torch.dtype
) -> tuple[nn.Module, dict[str, Any]]:
    """Return a network with the weights in a folder, and the library's account of their names."""
    known = _known(size)
    made, account = _class(known).from_pretrained(
        folder, config=_settled(known, known.config["vocab_size"]), dtype=dtype,
        attn_implementation="sdpa", local_files_only=True, use_safetensors=True,
        ignore_mismatched_sizes=True, output_loading_info=True,
    )  # fmt: skip
    return made, account


def _class(size: AdaptedSize) -> Any:
    import transformers

    causal = size.config["model_type"] in DECODERS
    return transformers.AutoModelForCausalLM if causal else transformers.AutoModelForMaskedLM


def _settled(size: AdaptedSize, vocab: int) -> Any:
    """Return the config of a network, whose dropout is that of the size.

    ESM scales embeddings by the share of masks in a row, which at one of all masks is infinite, and
    which tokens that see only a part of a row must not know: it is off, as in DPLM (Wang et al.
    2024, arXiv:2402.18567).
    """
    made = _config({**size.config, "vocab_size": vocab})
    made.use_cache, made.token_dropout = False, False
    for value, names in ((size.dropout, _DROPOUT), (size.attention_dropout, _ATTENTION_DROPOUT)):
        there = [name for name in names if hasattr(made, name)]
        if value and not there:
            raise ValueError(f"{made.model_type} has no such dropout, and model.dropout={value:g}")
        for name in there:
            setattr(made, name, value)
    return made


def release(net: nn.Module) -> nn.Linear:
    """Take the last layer out of a network, which then answers with hidden states."""
    known: Any = net
    head: nn.Linear = known.get_output_embeddings()
    known.released = next(name for name, module in net.named_modules() if module is head)
    parent, _, leaf = known.released.rpartition(".")
    beside: Any = net.get_submodule(parent)
    setattr(beside, leaf, nn.Identity())
    if "bias" in dict(beside.named_parameters(recurse=False)):  # of the head: twice in BERT
        head.bias = beside.bias
        del beside.bias
        beside.register_buffer("bias", torch.zeros(()), persistent=False)
    return head


def attached(net: nn.Module, head: nn.Linear) -> Any:
    """Return a copy of a network with its last layer in its place again."""
    whole: Any = deepcopy(net)
    last = deepcopy(head)
    parent, _, leaf = whole.released.rpartition(".")
    beside: Any = whole.get_submodule(parent)
    setattr(beside, leaf, last)
    if "bias" in dict(beside.named_buffers(recurse=False)):
        del beside.bias
        beside.bias = last.bias
    if whole.config.model_type == "esm":  # which adds the bias itself
        last.register_parameter("bias", None)
    whole.tie_weights()
    return whole


# States


def states(
    net: nn.Module,
    ids: Int[Tensor, "batch length"],
    position: Int[Tensor, "rows length"],
    seen: Bool[Tensor, "rows 1 queries length"],
) -> Float[Tensor, "batch length width"]:
    """Return the hidden states of tokens at some positions, each in view of what ``seen`` marks."""
    config: Any = net.config
    position = position.expand_as(ids)
    _check_room(config, position)
    if config.model_type == "esm":
        return _esm(net, ids, position, seen)
    mask: Any = seen
    if config.model_type == "modernbert":
        near = (position[:, None, :, None] - position[:, None, None, :]).abs()
        mask = {"full_attention": seen, "sliding_attention": seen & (near <= config.sliding_window)}
    hidden: Tensor = net(input_ids=ids, attention_mask=mask, position_ids=position).logits
    return hidden


def _esm(net: Any, ids: Tensor, position: Tensor, seen: Tensor) -> Tensor:
    """Return the states of ESM, whose own model multiplies embeddings by the mask it is given."""
    x = net.esm.embeddings(input_ids=ids, position_ids=position)
    waves = net.esm.rotary_embeddings(x, position)
    x = net.esm.encoder(x, attention_mask=seen, position_embeddings=waves).last_hidden_state
    hidden: Tensor = net.lm_head(x)
    return hidden


def check_keeps(net: nn.Module) -> None:
    """Refuse an encoder, which keeps no keys and values.  Raises ValueError."""
    config: Any = net.config
    if config.model_type not in DECODERS:
        raise ValueError(f"{config.model_type} keeps no keys and values: drop `reuse while prefix`")


def extended(
    net: nn.Module,
    ids: Int[Tensor, "batch new"],
    position: Int[Tensor, "rows new"],
    seen: Bool[Tensor, "rows 1 new length"],
    past: Past,
) -> tuple[Float[Tensor, "batch new width"], Past]:
    """Return `states` of the last tokens of a row, and the keys and values of all so far."""
    from transformers import DynamicCache

    _check_room(net.config, position)
    cache = DynamicCache()
    for layer, (keys, values) in enumerate(past):
        cache.update(keys, values, layer)
    made = net(
        input_ids=ids, attention_mask=seen, position_ids=position.expand_as(ids),
        past_key_values=cache, use_cache=True,
    )  # fmt: skip
    kept: list[Any] = cache.layers
    return made.logits, tuple((layer.keys, layer.values) for layer in kept)


def _check_room(config: Any, position: Tensor) -> None:
    """Refuse rows that are longer than a table of positions."""
    room = config.max_position_embeddings
    if (
        config.model_type in ("bert", "gpt2")
        and position.shape[1] > room
        and int(position.max()) >= room
    ):
        raise ValueError(
            f"a row has {int(position.max()) + 1} tokens, and {config.model_type} has positions "
            f"for {room}: set a smaller data.block or data.prompt"
        )

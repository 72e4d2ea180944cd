"""Published diffusion models in layouts of their own, whose weights become those of a network here.

Each map is exact: the network computes the same logits, up to rounding. A layout is known by the
entries of its ``config.json``, whatever it calls its model.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import signature
from math import log
from typing import Any

import torch
from attrs import frozen
from torch import Tensor, nn
from torch.nn import functional as F

from xlm_runtime.plug import Family, ModelSize

Get = Callable[[str], Tensor]


@frozen
class Layout:
    """A layout of published weights.

    entries: those of its config by which it is known; of several layouts the first of `LAYOUTS`.
    size: the family and a config -> the size of its network. weights: (tensors by their names,
    config, the name of the head) -> weights by the names of the network. roles: the ids of special
    tokens that the tokenizer may lack. config: in the family's own published format. fits:
    (network, config) -> why the network is another one than the weights need; empty if it is not.
    beside: the names of tensors that are no weights. rows: those of the embeddings, where
    ``vocab_size`` is not an entry.
    """

    entries: frozenset[str]
    size: Callable[[Family, Mapping[str, Any]], ModelSize]
    weights: Callable[[Get, Mapping[str, Any], str], Iterator[tuple[str, Tensor]]]
    roles: Callable[[Mapping[str, Any]], Mapping[str, int]]
    config: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    fits: Callable[[nn.Module, Mapping[str, Any]], str] = lambda *_: ""
    beside: frozenset[str] = frozenset()
    rows: Callable[[Mapping[str, Any]], int] | None = None


# A diffusion transformer with a modulation by sigma: Sahoo et al. 2024, arXiv:2406.07524


def _dit_size(_: Family, config: Mapping[str, Any]) -> ModelSize:
    if config.get("time_conditioning"):
        raise ValueError("time_conditioning is True: its modulation depends on the time")
    return ModelSize(layers=config["n_blocks"], width=config["hidden_dim"], heads=config["n_heads"])


def _dit(get: Get, config: Mapping[str, Any], head: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights of the transformer that is given sigma = 0.

    Its modulation is then the same everywhere: the scale and the shift go into the norms.
    """
    parts_of = _modulation(get) if config.get("adaln", True) else _plain(config["hidden_dim"])
    yield "backbone.embed.weight", get("backbone.vocab_embed.embedding")
    for i in range(config["n_blocks"]):
        ours, theirs = f"backbone.blocks.{i}", f"backbone.blocks.{i}"
        parts = parts_of(theirs, 6)
        for number, (shift, scale, gate) in ((1, parts[:3]), (2, parts[3:])):
            yield f"{ours}.norm_{number}.weight", get(f"{theirs}.norm{number}.weight") * (1 + scale)
            yield f"{ours}.norm_{number}.bias", shift
            yield f"{ours}.gate_{number}", gate
        yield from _matrices(get, ours, theirs)
    last = "backbone.output_layer"
    shift, scale = parts_of(last, 2)
    yield "backbone.norm.weight", get(f"{last}.norm_final.weight") * (1 + scale)
    yield "backbone.norm.bias", shift
    weight, bias = _layer(get, f"{last}.linear")
    yield f"{head}.weight", weight
    yield f"{head}.bias", bias


def _matrices(get: Get, ours: str, theirs: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights of a block's attention and of its two layers behind that."""
    yield f"{ours}.attention.qkv.weight", get(f"{theirs}.attn_qkv.weight")
    yield f"{ours}.attention.out.weight", get(f"{theirs}.attn_out.weight")
    for place in (0, 2):
        weight, bias = _layer(get, f"{theirs}.mlp.{place}")
        yield f"{ours}.feed.{place}.weight", weight
        yield f"{ours}.feed.{place}.bias", bias


def _modulation(get: Get) -> Callable[[str, int], Sequence[Tensor]]:
    """Return what a module's modulation by sigma = 0 is, in so many parts."""
    waves = torch.cat([torch.ones(128), torch.zeros(128)])  # cosines and sines of zero
    inner = F.silu(F.linear(waves, *_layer(get, "backbone.sigma_map.mlp.0")))
    condition = F.silu(F.linear(inner, *_layer(get, "backbone.sigma_map.mlp.2")))
    return lambda at, parts: F.linear(condition, *_layer(get, f"{at}.adaLN_modulation")).chunk(
        parts
    )


def _plain(width: int) -> Callable[[str, int], Sequence[Tensor]]:
    """Return what no modulation is: shifts and scales of 0, and gates of 1."""
    zero, one = torch.zeros(width), torch.ones(width)
    return lambda _, parts: (zero, zero, one, zero, zero, one)[:parts]


# The same in blocks of tokens: Arriola et al. 2025, arXiv:2503.09573


def _blocks_size(family: Family, config: Mapping[str, Any]) -> ModelSize:
    if config["causal"] or not config["cross_attn"]:
        raise ValueError("causal is True or cross_attn is False: it is no block diffusion model")
    return _dit_size(family, config)


def _blocks_fit(network: nn.Module, config: Mapping[str, Any]) -> str:
    """Return why the blocks of tokens of a network are others."""
    size, blocks = config["block_size"], getattr(network, "blocks", None)
    if blocks is None:
        return "its attention is blockwise, and that of the network is not"
    found: Tensor = blocks(torch.ones(1, 2 * size, dtype=torch.bool))[0]
    if found.tolist() == [0] * size + [1] * size:
        return ""
    return f"it was trained on blocks of {size} tokens (block_size), and those here are others"


def _layer(get: Get, name: str) -> tuple[Tensor, Tensor]:
    return get(f"{name}.weight"), get(f"{name}.bias")


# Blocks of Llama under the names of OLMo: Nie et al. 2025, arXiv:2502.09992

_LLAMA = {
    "norm_1": "attn_norm", "norm_2": "ff_norm", "attention.q": "q_proj", "attention.k": "k_proj",
    "attention.v": "v_proj", "attention.out": "attn_out", "feed.gate": "ff_proj",
    "feed.up": "up_proj", "feed.down": "ff_out",
}  # fmt: skip
_LLAMA_ONLY = {
    "activation_type": "silu", "layer_norm_type": "rms", "block_type": "llama", "rope": True,
    "include_bias": False, "include_qkv_bias": False, "weight_tying": False, "alibi": False,
    "attention_layer_norm": False, "input_emb_norm": False, "scale_logits": False,
}  # fmt: skip


def _llama_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the config of Qwen2 with the same blocks, whose biases are zero."""
    for name, wanted in _LLAMA_ONLY.items():
        if config.get(name, wanted) not in (wanted, None):
            raise ValueError(f"{name} is {config[name]}, and supported is {wanted}")
    return {
        "model_type": "qwen2",
        "architectures": ["Qwen2ForCausalLM"],
        "vocab_size": config["vocab_size"],
        "hidden_size": config["d_model"],
        "intermediate_size": config["mlp_hidden_size"],
        "num_hidden_layers": config["n_layers"],
        "num_attention_heads": config["n_heads"],
        "num_key_value_heads": config.get("n_kv_heads") or config["n_heads"],
        "hidden_act": "silu",
        "rms_norm_eps": config["rms_norm_eps"],
        "rope_theta": config["rope_theta"],
        "tie_word_embeddings": False,
    }


def _llama_size(family: Family, config: Mapping[str, Any]) -> ModelSize:
    if family.published is None or not family.published.names:
        raise ValueError("its blocks are those of `backbone qwen2`, which the family does not have")
    return family.published.size(_llama_config(config))


def _llama(get: Get, config: Mapping[str, Any], head: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights of the blocks, which have no biases."""
    yield "backbone.embed.weight", get("model.transformer.wte.weight")
    for i in range(config["n_layers"]):
        for ours, theirs in _LLAMA.items():
            weight = get(f"model.transformer.blocks.{i}.{theirs}.weight")
            yield f"backbone.blocks.{i}.{ours}.weight", weight
            if ours in ("attention.q", "attention.k", "attention.v"):
                yield f"backbone.blocks.{i}.{ours}.bias", weight.new_zeros(weight.shape[0])
    yield "backbone.norm.weight", get("model.transformer.ln_f.weight")
    yield f"{head}.weight", get("model.transformer.ff_out.weight")


# A diffusion transformer with the total noise as its condition: Lou et al. 2024, arXiv:2310.16834


def _ratios_size(_: Family, config: Mapping[str, Any]) -> ModelSize:
    model, graph = config["model"], config["graph"]["type"]
    if graph != "absorb" or not model["scale_by_sigma"]:
        raise ValueError(f"graph is {graph}, and supported is absorb, with scale_by_sigma")
    if model["cond_dim"] > model["hidden_size"]:
        raise ValueError("cond_dim is larger than hidden_size")
    shape = {"layers": model["n_blocks"], "width": model["hidden_size"], "heads": model["n_heads"]}
    return ModelSize(**shape, fastest=1.0)


def _ratios_fit(network: nn.Module, _: Mapping[str, Any]) -> str:
    """Return why a network has another condition than the total noise, or other waves of it."""
    trunk: Any = network.trunk
    condition: Any = getattr(network.backbone, "condition", None)
    if condition is None or "sigma" not in signature(trunk).parameters:
        return (
            "its condition is the total noise: write `backbone dit(condition = sigma)` in the spec"
        )
    if getattr(condition, "fastest", None) != 1.0:
        return "the package is of an older version, which has other waves: build it anew"
    return ""


def _ratios(get: Get, config: Mapping[str, Any], head: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights; the norms' own go into the scales, and the condition is as wide as all.

    Published outputs are the logarithms of ratios after log(exp(sigma) - 1) + log(tokens) is taken
    off them; here they are in units of 1 / (exp(sigma) - 1), so that log(tokens) remains.
    """
    model = config["model"]
    wider = model["hidden_size"] - model["cond_dim"]
    for ours, theirs, inputs in (("inner", "mlp.0", 0), ("outer", "mlp.2", wider)):
        weight, bias = _layer(get, f"sigma_map.{theirs}")
        yield f"backbone.condition.{ours}.weight", F.pad(weight, (0, inputs, 0, wider))
        yield f"backbone.condition.{ours}.bias", F.pad(bias, (0, wider))

    def modulated(ours: str, theirs: str, norms: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
        """Multiply the scale behind each norm: w (1 + c) is 1 + (w c + w - 1)."""
        weight, bias = (one.clone() for one in _layer(get, f"{theirs}.adaLN_modulation"))
        width = model["hidden_size"]
        for i, name in enumerate(norms):  # each has a shift, a scale and, in blocks, a gate
            own, rows = get(f"{name}.weight"), slice((3 * i + 1) * width, (3 * i + 2) * width)
            weight[rows] *= own[:, None]
            bias[rows] = own * bias[rows] + own - 1
        yield f"{ours}.weight", F.pad(weight, (0, wider))
        yield f"{ours}.bias", bias

    yield "backbone.embed.weight", get("vocab_embed.embedding")
    for i in range(model["n_blocks"]):
        ours, theirs = f"backbone.blocks.{i}", f"blocks.{i}"
        norms = [f"{theirs}.norm1", f"{theirs}.norm2"]
        yield from modulated(f"{ours}.modulation", theirs, norms)
        yield from _matrices(get, ours, theirs)
    last = "output_layer"
    yield from modulated("backbone.modulation", last, [f"{last}.norm_final"])
    weight, bias = _layer(get, f"{last}.linear")
    yield f"{head}.weight", weight
    yield f"{head}.bias", bias - log(config["tokens"])


LAYOUTS = (
    Layout(
        frozenset({"tokens", "model", "graph", "noise"}),
        _ratios_size,
        _ratios,
        lambda config: {"mask": config["tokens"]},
        fits=_ratios_fit,
        rows=lambda config: config["tokens"] + 1,
    ),
    Layout(
        frozenset({"n_blocks", "hidden_dim", "cond_dim", "n_heads", "block_size", "cross_attn"}),
        _blocks_size,
        _dit,
        lambda config: {"mask": config["vocab_size"] - 1},
        fits=_blocks_fit,
        beside=frozenset({"sampling_eps_min", "sampling_eps_max"}),
    ),
    Layout(
        frozenset({"n_blocks", "hidden_dim", "cond_dim", "n_heads"}),
        _dit_size,
        _dit,
        lambda config: {"mask": config["vocab_size"] - 1},
    ),
    Layout(
        frozenset({"n_layers", "d_model", "mlp_hidden_size", "n_heads", "mask_token_id"}),
        _llama_size,
        _llama,
        lambda config: {"mask": config["mask_token_id"]},
        _llama_config,
    ),
)


def of(config: Mapping[str, Any]) -> Layout | None:
    """Return the layout of a published config, or None for one that the family itself reads."""
    return next((one for one in LAYOUTS if one.entries <= config.keys()), None)

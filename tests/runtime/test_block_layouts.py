"""Published weights whose rows are seen block by block."""

import math
from pathlib import Path

import pytest
import torch
from published_layouts import HEADS, LAYERS, MDLM, VOCAB, WIDTH, block_folder, mdlm, rotated
from torch.nn import functional as F

from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.model.model import pretrained
from xlm_runtime.model.published import find
from xlm_runtime.packages import package as packages
from xlm_runtime.plug import Vocabulary
from xlm_runtime.system.errors import RunError, UsageError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

BLOCK = 3
BLOCKS = MDLM | {
    "model_type": "bd3lm", "block_size": BLOCK, "cross_attn": True, "adaln": True, "causal": False,
    "attn_backend": "flex", "var_min": True,
}  # fmt: skip


def in_blocks(adaln):
    """Names and shapes of `modeling_bd3lm.py`."""
    found = mdlm() | {"sampling_eps_min": torch.tensor(1e-3), "sampling_eps_max": torch.tensor(1.0)}
    modulation = ("adaLN_modulation", "sigma_map")
    return {n: t for n, t in found.items() if adaln or not any(m in n for m in modulation)}


def blocks_logits(weights, xt, x0, adaln):
    """`DITBackbone.forward` on xt and x0 end to end, under the published mask."""
    w = {name.removeprefix("backbone."): tensor for name, tensor in weights.items()}

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0)

    def parts(name, number):
        if not adaln:
            return [0, 0, 1, 0, 0, 1][:number]
        frequency = torch.exp(-math.log(10000) * torch.arange(128) / 128)
        waves = torch.cat([(0 * frequency).cos(), (0 * frequency).sin()])[None]
        c = F.silu(linear(F.silu(linear(waves, "sigma_map.mlp.0")), "sigma_map.mlp.2"))
        return linear(c, f"{name}.adaLN_modulation")[:, None].chunk(number, 2)

    def norm(x, name, shift, scale):
        return F.layer_norm(x, [WIDTH]) * w[f"{name}.weight"] * (1 + scale) + shift

    n = xt.shape[1]
    place = torch.arange(2 * n)
    clean, block = place >= n, place % n // BLOCK
    q, k = block[:, None], block[None, :]
    seen = (q == k) & (clean[:, None] == clean[None, :])
    seen |= (q > k) & clean[None, :] & ~clean[:, None]
    seen |= (q >= k) & clean[None, :] & clean[:, None]
    x = w["vocab_embed.embedding"][torch.cat([xt, x0], 1)]
    for i in range(LAYERS):
        at = f"blocks.{i}"
        shift, scale, gate, shift_2, scale_2, gate_2 = parts(at, 6)
        qkv = linear(norm(x, f"{at}.norm1", shift, scale), f"{at}.attn_qkv")
        qq, kk, vv = qkv.unflatten(2, (3, HEADS, -1)).unbind(2)
        both = [torch.cat([rotated(half, 1e4) for half in one.chunk(2, 1)], 1) for one in (qq, kk)]
        scores = torch.einsum("bqhd,bkhd->bhqk", *both) / math.sqrt(WIDTH // HEADS)
        mixed = scores.masked_fill(~seen, -torch.inf).softmax(-1)
        mixed = torch.einsum("bhqk,bkhd->bqhd", mixed, vv).flatten(2)
        x = x + gate * linear(mixed, f"{at}.attn_out")
        inner = linear(norm(x, f"{at}.norm2", shift_2, scale_2), f"{at}.mlp.0")
        x = x + gate_2 * linear(F.gelu(inner, approximate="tanh"), f"{at}.mlp.2")
    shift, scale = parts("output_layer", 2)
    return linear(norm(x, "output_layer.norm_final", shift, scale), "output_layer.linear")[:, :n]


def block_network(folder, *sets, family="bd3lm"):
    found = packages.load(ROOT / f"examples/{family}").family
    config = build(found, [], parse_sets([f"model.pretrained={folder}", *sets]))
    specials = {"pad": 0, "mask": VOCAB - 1, "bos": 1, "eos": 1}
    parts = (found, Vocabulary(VOCAB, specials), "text", 8, config)
    return pretrained(*parts, find(str(folder), weights=True)).network.eval()


@pytest.mark.parametrize("adaln", [True, False])
@torch.no_grad()
def test_logits_in_blocks_are_those_of_the_published_definition(adaln, tmp_path):
    tensors = in_blocks(adaln)
    folder = block_folder(tmp_path, BLOCKS | {"adaln": adaln}, tensors)
    net = block_network(folder, f"noise.block={BLOCK}")
    generator = torch.Generator().manual_seed(1)
    x0 = torch.randint(VOCAB - 1, (2, 8), generator=generator)  # the last block has two tokens
    xt = x0.clone()
    xt[:, ::2] = VOCAB - 1
    block = net.blocks(torch.ones(2, 8, dtype=torch.bool))
    ours = net.to_token(net.trunk(xt, None, block, x0))
    theirs = blocks_logits(tensors, xt, x0, adaln)
    torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(("change", "sets", "family", "told"), [
    ({}, (), "bd3lm", r"trained on blocks of 3 tokens \(block_size\), and those here are others"),
    ({}, (), "mdlm", "its attention is blockwise, and that of the network is not"),
    ({"causal": True}, ("noise.block=3",), "bd3lm", "it is no block diffusion model"),
    ({"time_conditioning": True}, ("noise.block=3",), "bd3lm", "time_conditioning is True"),
])  # fmt: skip
def test_blocks_that_do_not_fit(change, sets, family, told, tmp_path):
    folder = block_folder(tmp_path, BLOCKS | change, in_blocks(adaln=True))
    with pytest.raises((RunError, UsageError), match=told):
        block_network(folder, *sets, family=family)

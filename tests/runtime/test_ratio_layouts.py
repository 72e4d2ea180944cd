"""Published weights that give ratios under a condition."""

import math
from pathlib import Path

import pytest
import torch
from published import tokenizer
from published_layouts import (
    HEADS,
    LAYERS,
    LENGTH,
    VOCAB,
    WIDTH,
    attention,
    block_folder,
    mdlm,
    rotated,
)
from torch.nn import functional as F

import xlm_runtime
from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.model.model import pretrained
from xlm_runtime.model.published import find
from xlm_runtime.packages import package as packages
from xlm_runtime.plug import Vocabulary
from xlm_runtime.run.main import run
from xlm_runtime.system.errors import RunError, UsageError
from xlmc.compiler import compile_spec

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

TOKENS = VOCAB - 1
RATIOS = {
    "tokens": TOKENS, "ngpus": 8, "noise": {"type": "loglinear", "sigma_min": 1e-4},
    "graph": {"type": "absorb", "report_all": False},
    "model": {
        "name": "small", "type": "ddit", "hidden_size": WIDTH, "cond_dim": 6, "length": 64,
        "n_blocks": LAYERS, "n_heads": HEADS, "scale_by_sigma": True, "dropout": 0.1,
    },
}  # fmt: skip


def ratios():
    """Names of `model/transformer.py` of the authors: those of MDLM without a prefix."""
    return {name.removeprefix("backbone."): tensor for name, tensor in mdlm().items()}


def ratio_logits(w, ids, sigma):
    """`SEDD.forward`: the logarithm of each token's chance relative to that of the mask."""

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0)

    frequency = torch.exp(-math.log(10000) * torch.arange(128) / 128)
    argument = sigma[:, None] * frequency
    waves = torch.cat([argument.cos(), argument.sin()], -1)
    c = F.silu(linear(F.silu(linear(waves, "sigma_map.mlp.0")), "sigma_map.mlp.2"))
    x = w["vocab_embed.embedding"][ids]
    for i in range(LAYERS):
        mod = linear(c, f"blocks.{i}.adaLN_modulation")[:, None].chunk(6, 2)
        normed = F.layer_norm(x, [WIDTH]) * w[f"blocks.{i}.norm1.weight"]
        qkv = linear(normed * (1 + mod[1]) + mod[0], f"blocks.{i}.attn_qkv")
        q, k, v = qkv.unflatten(2, (3, HEADS, -1)).unbind(2)
        mixed = attention(rotated(q, 1e4), rotated(k, 1e4), v)
        x = x + mod[2] * linear(mixed, f"blocks.{i}.attn_out")
        normed = F.layer_norm(x, [WIDTH]) * w[f"blocks.{i}.norm2.weight"]
        inner = linear(normed * (1 + mod[4]) + mod[3], f"blocks.{i}.mlp.0")
        x = x + mod[5] * linear(F.gelu(inner, approximate="tanh"), f"blocks.{i}.mlp.2")
    shift, scale = linear(c, "output_layer.adaLN_modulation")[:, None].chunk(2, 2)
    x = F.layer_norm(x, [WIDTH]) * w["output_layer.norm_final.weight"]
    x = linear(x * (1 + scale) + shift, "output_layer.linear")
    return x - sigma.expm1().log()[:, None, None] - math.log(x.shape[-1] - 1)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """SEDD as it was published: told the total noise, of which 0.001 of the tokens know nothing."""
    home = tmp_path_factory.mktemp("ratios")
    spec = home / "told.xlm"
    spec.write_text(
        "family told extends sedd {\n noise { clean -> mask survival alpha(t) = 1 - 0.999 * t }\n"
        " network { backbone dit(condition = sigma) }\n}\n"
    )
    (home / "told").mkdir()
    for name, content in compile_spec(spec).package.files.items():
        (home / "told" / name).write_bytes(content)
    return home / "told"


def told_network(path, folder):
    family = packages.load(path).family
    config = build(family, [], parse_sets([f"model.pretrained={folder}"]))
    specials = {"pad": 0, "mask": TOKENS, "bos": 1, "eos": 1}
    parts = (family, Vocabulary(VOCAB, specials), "text", 8, config)
    return pretrained(*parts, find(str(folder), weights=True)).network.eval()


@torch.no_grad()
def test_ratios_are_those_of_the_published_definition(told, tmp_path):
    net = told_network(told, block_folder(tmp_path, RATIOS, ratios()))
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(TOKENS, (3, LENGTH), generator=generator)
    ids[:, ::2] = TOKENS
    sigma = torch.tensor([0.01, 0.7, 6.0])
    ours = net.token(net.trunk(ids, None, sigma)) - sigma.expm1().log()[:, None, None]
    wanted = ratio_logits(ratios(), ids, sigma)
    masked = ids == TOKENS
    some = torch.isfinite(ours[0, 0])  # the mask and padding are never predicted
    assert some.sum() >= TOKENS - 3
    torch.testing.assert_close(ours[masked][:, some], wanted[masked][:, some], atol=3e-5, rtol=1e-4)


@pytest.mark.parametrize(("change", "family", "said"), [
    ({}, "sedd", r"write `backbone dit\(condition = sigma\)`"),
    ({}, "mdlm", r"write `backbone dit\(condition = sigma\)`"),
    ({"graph": {"type": "uniform"}}, "told", "graph is uniform, and supported is absorb"),
    ({"model": RATIOS["model"] | {"cond_dim": 99}}, "told", "cond_dim is larger"),
    ({"tokens": "many"}, "told", "it has no vocab_size"),
])  # fmt: skip
def test_ratios_that_do_not_fit(change, family, said, told, tmp_path):
    folder = block_folder(tmp_path, RATIOS | change, ratios())
    path = told if family == "told" else ROOT / f"examples/{family}"
    with pytest.raises((RunError, UsageError), match=said):
        told_network(path, folder)


def test_a_run_uses_ratios_as_they_are(told, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "weights"
    folder.mkdir()
    block_folder(folder, RATIOS, ratios())
    tokenizer(folder)
    sets = (f"model.pretrained={folder}", "generate.samples=0", "eval.draws=1", "decoder.steps=2")
    assert run(told, "chat_task:CHAT", job="eval", sets=sets) == 0
    assert "they are used as they are" in capsys.readouterr().out
    again = xlm_runtime.pretrained(told, folder, body=6).model.network
    assert again.backbone.condition.fastest == 1.0

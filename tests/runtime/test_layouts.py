"""Published diffusion models: random weights in each layout, against a forward pass of its own."""

import json
import math
from pathlib import Path

import pytest
import torch
from architectures import CONFIGS
from published import tokenizer
from published_layouts import (
    HEADS,
    LAYERS,
    LENGTH,
    MDLM,
    VOCAB,
    WIDTH,
    attention,
    mdlm,
    random,
    rotated,
)
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

import xlm_runtime
from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.model import layouts
from xlm_runtime.model.model import pretrained
from xlm_runtime.model.published import find
from xlm_runtime.packages import package as packages
from xlm_runtime.plug import Vocabulary
from xlm_runtime.run.main import run
from xlm_runtime.system.errors import RunError, UsageError
from xlmc.compiler import compile_spec

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LLADA = {
    "model_type": "llada", "vocab_size": VOCAB, "d_model": WIDTH, "n_layers": LAYERS,
    "n_heads": HEADS, "n_kv_heads": HEADS, "mlp_hidden_size": 24, "rms_norm_eps": 1e-5,
    "rope_theta": 5e5, "mask_token_id": 300, "activation_type": "silu", "layer_norm_type": "rms",
    "block_type": "llama", "rope": True, "include_bias": False, "weight_tying": False,
}  # fmt: skip


@pytest.mark.parametrize("config", [MDLM, LLADA], ids=["mdlm", "llada"])
def test_a_layout_is_known_by_its_entries(config):
    other = config | {"model_type": "my_own"}
    assert layouts.of(other) is layouts.of(config)
    assert layouts.of(config) is not None
    for entry in layouts.of(config).entries:
        assert layouts.of({k: v for k, v in config.items() if k != entry}) is None


def test_a_config_of_a_library_is_of_no_layout():
    for kind in CONFIGS.values():
        assert layouts.of(kind.to_dict()) is None


def llada():
    """Names and shapes of `modeling_llada.py`."""
    shapes = {
        "wte.weight": (VOCAB, WIDTH),
        "ln_f.weight": (WIDTH,),
        "ff_out.weight": (VOCAB, WIDTH),
    }
    for i in range(LAYERS):
        shapes |= {f"blocks.{i}.{name}.weight": shape for name, shape in {
            "attn_norm": (WIDTH,), "ff_norm": (WIDTH,), "q_proj": (WIDTH, WIDTH),
            "k_proj": (WIDTH, WIDTH), "v_proj": (WIDTH, WIDTH), "attn_out": (WIDTH, WIDTH),
            "ff_proj": (24, WIDTH), "up_proj": (24, WIDTH), "ff_out": (WIDTH, 24),
        }.items()}  # fmt: skip
    return {f"model.transformer.{name}": tensor for name, tensor in random(shapes).items()}


# The published definitions, in plain functions


def mdlm_logits(weights, ids):
    """`DIT.forward` with the sigma of a model without time, zero."""
    w = {name.removeprefix("backbone."): tensor for name, tensor in weights.items()}

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0)

    frequency = torch.exp(-math.log(10000) * torch.arange(128) / 128)
    argument = torch.zeros(len(ids), 1) * frequency
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
    return linear(x * (1 + scale) + shift, "output_layer.linear")


def llada_logits(weights, ids):
    """`LLaDALlamaBlock.forward`, without a mask."""
    w = {name.removeprefix("model.transformer."): tensor for name, tensor in weights.items()}

    def norm(x, name):
        return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() * w[f"{name}.weight"]

    x = w["wte.weight"][ids]
    for i in range(LAYERS):
        at = f"blocks.{i}"
        normed = norm(x, f"{at}.attn_norm")
        q, k, v = (
            (normed @ w[f"{at}.{part}_proj.weight"].T).unflatten(2, (HEADS, -1)) for part in "qkv"
        )
        x = x + attention(rotated(q, 5e5), rotated(k, 5e5), v) @ w[f"{at}.attn_out.weight"].T
        normed = norm(x, f"{at}.ff_norm")
        inner = F.silu(normed @ w[f"{at}.ff_proj.weight"].T) * (
            normed @ w[f"{at}.up_proj.weight"].T
        )
        x = x + inner @ w[f"{at}.ff_out.weight"].T
    return norm(x, "ln_f") @ w["ff_out.weight"].T


KINDS = {"mdlm": (MDLM, mdlm, mdlm_logits), "llada": (LLADA, llada, llada_logits)}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """A package for each layout: that of the family, and LLaDA on blocks of that kind."""
    home = tmp_path_factory.mktemp("package")
    spec = home / "llada_qwen.xlm"
    spec.write_text("family llada_qwen extends llada { network { backbone qwen2 } }")
    (home / "llada_qwen").mkdir()
    for name, content in compile_spec(spec).package.files.items():
        (home / "llada_qwen" / name).write_bytes(content)
    return {"mdlm": ROOT / "examples/mdlm", "llada": home / "llada_qwen"}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def source(kind, tmp_path):
    config, tensors, _ = KINDS[kind]
    folder = tmp_path / kind
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors(), folder / "model.safetensors")
    return folder


def network(path, folder, specials, size=VOCAB):
    family = packages.load(path).family
    config = build(family, [], parse_sets([f"model.pretrained={folder}"]))
    parts = (family, Vocabulary(size, specials), "text", 8, config)
    return pretrained(*parts, find(str(folder), weights=True)).network.eval()


@torch.no_grad()
def test_logits_are_those_of_the_published_definition(kind, paths, source):
    mask = 300 if kind == "llada" else VOCAB - 1
    net = network(paths[kind], source, {"pad": 0, "mask": mask, "bos": 1, "eos": 1})
    ids = torch.randint(VOCAB, (2, LENGTH), generator=torch.Generator().manual_seed(1))
    ids[:, ::3] = mask
    wanted = KINDS[kind][2](KINDS[kind][1](), ids)
    ours = net.to_token(net.trunk(ids, None))
    torch.testing.assert_close(ours, wanted, atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_the_mask_may_have_another_id(kind, paths, source):
    """A tokenizer without a mask gets one behind its ids; it has the row of the published one."""
    there = 300 if kind == "llada" else VOCAB - 1
    specials = {"pad": VOCAB, "mask": VOCAB + 1, "bos": 1, "eos": 2}
    net = network(paths[kind], source, specials, VOCAB + 2)
    theirs = torch.randint(200, (1, LENGTH), generator=torch.Generator().manual_seed(1))
    ours = theirs.clone()
    ours[:, ::2], theirs[:, ::2] = VOCAB + 1, there
    wanted = KINDS[kind][2](KINDS[kind][1](), theirs)
    made = net.to_token(net.trunk(ours, None))
    torch.testing.assert_close(made[..., :200], wanted[..., :200], atol=2e-5, rtol=1e-4)
    assert not torch.equal(net.backbone.embed.weight[VOCAB], net.backbone.embed.weight[VOCAB + 1])


def test_a_run_uses_them_as_they_are(kind, paths, source, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.chdir(tmp_path)
    tokenizer(source)
    sets = (f"model.pretrained={source}", "generate.samples=0", "generate.count=2", "eval.draws=1")
    assert run(paths[kind], "chat_task:CHAT", job="eval", sets=sets) == 0
    assert "they are used as they are" in capsys.readouterr().out
    train = ("train.steps=2", "train.learning_rate=1e-9", "train.ema=0")
    assert run(paths[kind], "chat_task:CHAT", job="train", sets=(*sets, *train)) == 0
    family = "mdlm" if kind == "mdlm" else "llada_qwen"
    loaded = xlm_runtime.load(f"runs/{family}/chat/quick-seed1")
    plain = xlm_runtime.pretrained(paths[kind], source, body=6)
    ours, theirs = (one.model.network.state_dict() for one in (loaded, plain))
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-6) for name in ours)
    if kind == "llada":
        loaded.publish("out")
        assert json.loads(Path("out/config.json").read_text())["model_type"] == "qwen2"
        again = xlm_runtime.pretrained(paths[kind], "out", body=6).model.network.state_dict()
        assert all(torch.equal(ours[name], again[name]) for name in ours)


def test_what_does_not_fit(kind, paths, source):
    specials = {"pad": 0, "mask": 300, "bos": 1, "eos": 1}
    file = source / "model.safetensors"
    tensors = load_file(file)
    name = next(n for n in tensors if n.endswith("attn_out.weight"))
    for changed, told in (
        (tensors | {"odd": torch.ones(1)}, "odd is unknown"),
        ({n: t for n, t in tensors.items() if n != name}, f"{name} is missing"),
        (tensors | {name: torch.ones(3, 3)}, r"is \[3, 3\], and the network has \[16, 16\]"),
        (tensors | {name: torch.full((16, 16), torch.inf)}, "are not finite"),
    ):
        save_file(changed, file)
        with pytest.raises(RunError, match=told):
            network(paths[kind], source, specials)


@pytest.mark.parametrize(("kind", "change", "told"), [
    ("mdlm", {"time_conditioning": True}, "time_conditioning is True"),
    ("llada", {"include_bias": True}, "include_bias is True, and supported is False"),
    ("llada", {"block_type": "sequential"}, "block_type is sequential"),
    ("mdlm", {"n_blocks": None}, "the layers that its config"),
], indirect=["kind"])  # fmt: skip
def test_configs_of_another_network(kind, change, told, paths, source):
    config = KINDS[kind][0] | change
    (source / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match=told):
        network(paths[kind], source, {"pad": 0, "mask": 300, "bos": 1, "eos": 1})


def test_a_family_with_another_backbone(paths, source, kind):
    other = "llada" if kind == "mdlm" else "mdlm"
    with pytest.raises((RunError, UsageError), match=r"its backbone is another|`backbone qwen2`"):
        network(paths[other], source, {"pad": 0, "mask": 300, "bos": 1, "eos": 1})

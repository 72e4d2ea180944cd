"""Published diffusion models: random weights in each layout, against a forward pass of its own."""

import json
import math
from pathlib import Path

import pytest
import torch
from architectures import CONFIGS
from published import tokenizer
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
VOCAB, LENGTH, WIDTH, HEADS, LAYERS = 320, 9, 16, 2, 2
MDLM = {
    "model_type": "mdlm", "vocab_size": VOCAB, "hidden_dim": WIDTH, "cond_dim": 6, "n_heads": HEADS,
    "n_blocks": LAYERS, "model_length": 64, "dropout": 0.1, "time_conditioning": False,
}  # fmt: skip
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


def random(shapes):
    torch.manual_seed(3)
    return {name: 0.4 * torch.randn(shape) for name, shape in shapes.items()}


def mdlm():
    """Names and shapes of `models/dit.py` of the authors, under the class of the Hub."""
    shapes = {
        "vocab_embed.embedding": (VOCAB, WIDTH), "rotary_emb.inv_freq": (WIDTH // HEADS // 2,),
        "sigma_map.mlp.0.weight": (6, 256), "sigma_map.mlp.0.bias": (6,),
        "sigma_map.mlp.2.weight": (6, 6), "sigma_map.mlp.2.bias": (6,),
        "output_layer.norm_final.weight": (WIDTH,), "output_layer.linear.weight": (VOCAB, WIDTH),
        "output_layer.linear.bias": (VOCAB,), "output_layer.adaLN_modulation.weight": (32, 6),
        "output_layer.adaLN_modulation.bias": (32,),
    }  # fmt: skip
    for i in range(LAYERS):
        shapes |= {f"blocks.{i}.{name}": shape for name, shape in {
            "norm1.weight": (WIDTH,), "norm2.weight": (WIDTH,), "attn_qkv.weight": (48, WIDTH),
            "attn_out.weight": (WIDTH, WIDTH), "mlp.0.weight": (64, WIDTH), "mlp.0.bias": (64,),
            "mlp.2.weight": (WIDTH, 64), "mlp.2.bias": (WIDTH,),
            "adaLN_modulation.weight": (96, 6), "adaLN_modulation.bias": (96,),
        }.items()}  # fmt: skip
    return {f"backbone.{name}": tensor for name, tensor in random(shapes).items()}


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


def rotated(x, base):
    """Rotary positions on halves; x: batch length heads axes."""
    axes = x.shape[-1]
    frequency = 1.0 / base ** (torch.arange(0, axes, 2) / axes)
    angle = torch.outer(torch.arange(x.shape[1]), frequency)
    angle = torch.cat([angle, angle], -1)[:, None]
    a, b = x[..., : axes // 2], x[..., axes // 2 :]
    return x * angle.cos() + torch.cat([-b, a], -1) * angle.sin()


def attention(q, k, v):
    weights = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(q.shape[-1])
    return torch.einsum("bhqk,bkhd->bqhd", weights.softmax(-1), v).flatten(2)


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


# Block diffusion: the layout of MDLM, whose rows are seen block by block

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


def block_folder(tmp_path, config, tensors):
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(tensors, tmp_path / "model.safetensors")
    return tmp_path


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


# Ratios under a condition: SEDD

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

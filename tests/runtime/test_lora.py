"""Adapters: which weights they change, and what is saved of them."""

import re
import shutil
import sys
from pathlib import Path

import pytest
import torch
from architectures import CONFIGS, built
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, GPT2Config

import xlm_runtime
from xlm_runtime.run.main import run
from xlm_runtime.train.trials import rate

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = (
    "model.layers=2", "model.width=16", "model.heads=2", "train.steps=6", "train.batch=4",
    "train.validate_examples=4", "generate.samples=0", "train.checkpoint_every=3",
    "train.validate_every=3",
)  # fmt: skip
LORA = ("train.lora=2", "train.learning_rate=0.01", "train.ema=0")


@pytest.fixture
def train(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def begin(family, *sets, **more):
        path = EXAMPLES / family if isinstance(family, str) else family
        return run(path, "star_easy", **{"job": "train", **more}, sets=(*SMALL, *sets))

    return begin


def weights(folder, step=6, name="raw"):
    return load_file(Path(folder) / f"checkpoints/step-{step:08d}/{name}.safetensors")


@pytest.fixture
def begun(train):
    assert train("mlm") == 0
    return "runs/mlm/star_easy/quick-seed1"


def test_only_adapters_train(train, begun):
    """Matrices of blocks move by a rank of two at most; new gates move, all else stays."""
    assert train("mdlm", *LORA, init=begun, name="lora") == 0
    before, after = weights(begun, name="ema"), weights("runs/mdlm/star_easy/lora")
    assert {*after} - {*before} == {n for n in after if "gate" in n}
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    parts = ("attention.qkv", "attention.out", "feed.0", "feed.2")
    assert moved == {f"backbone.blocks.{i}.{part}.weight" for i in range(2) for part in parts}
    for name in moved:
        assert torch.linalg.matrix_rank(after[name] - before[name], atol=1e-5) <= 2
    assert any((after[name] - 1).abs().max() > 1e-4 for name in after if "gate" in name)


def test_a_resumed_run_ends_as_if_it_had_never_stopped(train, begun):
    assert train("mdlm", *LORA, init=begun, name="whole") == 0
    whole = Path("runs/mdlm/star_easy/whole")
    again = shutil.copytree(whole, whole.parent / "again")
    shutil.rmtree(again / "checkpoints/step-00000006")
    (again / "checkpoints/index.json").write_text(
        '{"last": 3, "best": 3, "loss": null, "seen": 12}'
    )
    assert train("mdlm", *LORA, init=begun, name="again") == 0
    for name, weight in weights(whole).items():
        assert torch.equal(weight, weights(again)[name]), name
    loaded = xlm_runtime.load(again)  # which needs no adapters
    assert not any("lora" in name for name, _ in loaded.model.network.named_parameters())


@pytest.mark.parametrize("kind", ["qwen3", "gpt2"])
def test_an_architecture_of_transformers(kind, train, tmp_path):
    config = CONFIGS["qwen3"]
    size = {"vocab_size": 76}
    config = type(config)(**config.to_dict() | size) if kind == "qwen3" else GPT2Config(
        **size, n_embd=32, n_layer=2, n_head=4, n_positions=64)  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained("source")
    path = built(tmp_path, "full", "source")
    sized = [s for s in SMALL if not s.startswith("model.")]
    common = {"job": "train", "seed": 1}
    plain = ("model.pretrained=source", "data.tokenizer=tokenizer")
    xlm_runtime.tokenizers.words([str(i) for i in range(70)], ()).save(Path("tokenizer"))
    texts = Path("texts.txt")
    texts.write_text("\n".join(" ".join(str((i * j) % 70) for j in range(1, 9)) for i in range(99)))
    assert run(path, "lm1b", sets=(*sized, *plain, *LORA), data=texts, **common) == 0
    home = Path("runs/full/lm1b/quick-seed1")
    before, after = load_file("source/model.safetensors"), weights(home)
    part = "mlp.up_proj" if kind == "qwen3" else "mlp.c_fc"
    layer = "model.layers" if kind == "qwen3" else "transformer.h"
    name = f"{layer}.0.{part}.weight"
    change = after[f"backbone.net.{name}"] - before[name]
    assert 0 < torch.linalg.matrix_rank(change, atol=1e-5) <= 2
    xlm_runtime.load(home, ckpt="last").publish("out")
    published = load_file("out/model.safetensors")
    assert torch.equal(published[name], weights(home, name="ema")[f"backbone.net.{name}"])


def test_without_weights_or_library(train, begun, capsys, monkeypatch):
    assert train("mlm", "train.lora=2", name="nothing") == 2
    assert "adapters change weights that were trained" in capsys.readouterr().err
    assert train("mlm", "train.lora_bits=4", init=begun, name="nothing") == 2
    assert "train.lora=0: rounded matrices cannot be trained" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    assert train("mlm", "train.lora=2", "train.lora_bits=8", init=begun, name="nothing") == 2
    assert (
        "train.lora_bits=8 needs bitsandbytes, which is not installed: pip install 'xlmc[bits]'"
        in capsys.readouterr().err
    )
    monkeypatch.setitem(sys.modules, "peft", None)
    assert train("mlm", "train.lora=2", init=begun, name="none") == 2
    assert (
        "train.lora=2 needs peft, which is not installed: pip install 'xlmc[lora]'"
        in capsys.readouterr().err
    )


def test_trials_train_what_a_run_would_train(train, begun, capsys, monkeypatch):
    """Adapters of rank 2, and the gates that the weights to start from do not have."""
    monkeypatch.setattr(rate, "STEPS", 3)
    assert train("mdlm", *LORA, init=begun, name="lora", job="plan") == 0
    said = capsys.readouterr().out
    total, learnt = re.search(r"weights +([\d,]+), of which ([\d,]+) are trained", said).groups()
    adapters = 2 * 2 * ((16 + 48) + (16 + 16) + (16 + 64) + (64 + 16))
    assert int(learnt.replace(",", "")) == adapters + 2 * 2 * 16
    assert int(total.replace(",", "")) > int(learnt.replace(",", ""))
    assert train("mdlm", *LORA, init=begun, name="lora", job="rate") == 0
    assert len(re.findall("held-out loss", capsys.readouterr().out)) == len(rate.RATES)
    assert not Path("runs/mdlm").exists()

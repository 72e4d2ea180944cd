"""Matrices in 8 and 4 bits: the same as when they are read back, fixed, and taken up exactly."""

import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional as F
from transformers.pytorch_utils import Conv1D

import xlm_runtime
from xlm_runtime.config.config import Train
from xlm_runtime.model import memory
from xlm_runtime.model.rounded import Rounded, bytes_of, round_off
from xlm_runtime.run.main import run
from xlm_runtime.train import lora

pytestmark = pytest.mark.bits
EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = (
    "model.layers=2", "model.width=32", "model.heads=2", "train.steps=6", "train.batch=4",
    "train.validate_examples=4", "generate.samples=0", "train.checkpoint_every=3",
    "train.validate_every=3",
)  # fmt: skip
LORA = ("train.lora=2", "train.learning_rate=0.01", "train.ema=0")
ERRORS = {8: 0.012, 4: 0.12}  # of normal weights, root mean squares


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_layer_is_that_of_the_matrix_that_is_read_back(bits: int, dtype: torch.dtype) -> None:
    layer = nn.Linear(48, 20).to(dtype)
    layer.weight.data[3] = 0
    made = Rounded(layer, bits)
    whole = made.whole()
    assert whole.weight.dtype == dtype
    error = (whole.weight - layer.weight).float().norm() / layer.weight.float().norm()
    assert 0 < error < ERRORS[bits]
    assert not whole.weight[3].any()
    x, grad = torch.randn(5, 7, 48, dtype=dtype), torch.randn(5, 7, 20, dtype=dtype)
    one, two = (x.clone().requires_grad_() for _ in range(2))
    kept = list[tuple[int, ...]]()
    with saved_tensors_hooks(lambda t: (kept.append(tuple(t.shape)), t)[1], lambda t: t):
        y = made(one)
    z = F.linear(two, whole.weight, whole.bias)
    y.backward(grad)
    z.backward(grad)
    near = {"rtol": 0, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 0.02, "atol": 0.05}
    torch.testing.assert_close(y, z, **near)
    torch.testing.assert_close(one.grad, two.grad, **near)
    assert (20, 48) not in kept
    assert {*made.state_dict()} == {"weight", "scales", "bias"}
    assert sum(part.numel() * part.itemsize for part in made.buffers()) == bytes_of(
        nn.Sequential(layer), bits
    )


@pytest.mark.parametrize("bits", [8, 4])
def test_adapters_are_merged_into_whole_matrices(bits: int) -> None:
    """Also into those that transformers transposes; what is computed stays the same."""
    torch.manual_seed(0)
    network = nn.Module()
    network.backbone = nn.Sequential(nn.Linear(32, 64), nn.GELU(), Conv1D(32, 64))
    network.head = nn.Linear(32, 5)
    train = Train(lora=2, lora_bits=bits)
    lora.adapt(network, train, ())
    for name, weight in network.named_parameters():
        if ".lora_" in name:
            weight.data = torch.randn_like(weight)
    whole = lora.merged(network, train)
    assert [type(layer) for layer in whole.backbone] == [nn.Linear, nn.GELU, Conv1D]
    x = torch.randn(3, 32)
    torch.testing.assert_close(whole.backbone(x), network.backbone(x), rtol=1e-4, atol=1e-4)
    assert all(weight.is_contiguous() for weight in whole.parameters())


def weights(folder: Path, step: int = 6) -> dict[str, torch.Tensor]:
    return load_file(folder / f"checkpoints/step-{step:08d}/raw.safetensors")


@pytest.mark.parametrize("bits", [8, 4])
def test_the_base_stays_and_adapters_learn(
    bits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    how = {"job": "train", "task": "star_easy"}
    assert run(EXAMPLES / "mlm", sets=SMALL, **how) == 0
    begun = Path("runs/mlm/star_easy/quick-seed1")
    how |= {"init": str(begun), "sets": (*SMALL, *LORA, f"train.lora_bits={bits}")}
    assert run(EXAMPLES / "mdlm", name="whole", **how) == 0
    whole = Path("runs/mdlm/star_easy/whole")
    before = load_file(begun / "checkpoints/step-00000006/ema.safetensors")
    for step in (3, 6):
        for name, weight in weights(whole, step).items():
            if re.search(r"(qkv|out|feed.\d)\.weight$", name):
                layer = nn.Linear(*before[name].shape[::-1], bias=False)
                layer.weight.data = before[name]
                change = weight - Rounded(layer, bits).whole().weight
                assert 0 < torch.linalg.matrix_rank(change, atol=1e-5) <= 2
            elif "gate" not in name:
                assert torch.equal(weight, before[name]), name
    again = shutil.copytree(whole, whole.parent / "again")
    shutil.rmtree(again / "checkpoints/step-00000006")
    (again / "checkpoints/index.json").write_text(
        '{"last": 3, "best": 3, "loss": null, "seen": 12}'
    )
    shutil.rmtree(begun)
    assert run(EXAMPLES / "mdlm", name="again", **how) == 0
    for name, weight in weights(whole).items():
        assert torch.equal(weight, weights(again)[name]), name
    loaded = xlm_runtime.load(whole)  # which needs neither adapters nor the library
    kinds = {type(module) for module in loaded.model.network.modules()}
    assert nn.Linear in kinds
    assert Rounded not in kinds


@pytest.mark.parametrize("bits", [8, 4])
def test_memory_is_counted(
    bits: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    how = {"task": "star_easy", "sets": SMALL}
    assert run(EXAMPLES / "mlm", job="train", **how) == 0
    how["init"] = "runs/mlm/star_easy/quick-seed1"
    how["sets"] = (*SMALL, *LORA, f"train.lora_bits={bits}")
    assert run(EXAMPLES / "mdlm", job="plan", **how) == 0
    said = capsys.readouterr().out
    assert f"are trained and {2 * 12 * 32 * 32:,} are in {bits} bits" in said
    network = nn.Sequential(nn.Linear(64, 64, bias=False), nn.LayerNorm(64))
    round_off(network, bits)
    codes = 64 * 64 * bits // 8 + 4 * 64
    network.requires_grad_(False)
    assert memory.of_training(network, torch.float32) == 2 * codes + 8 * 128
    assert memory.weights_of(network) == 64 * 64 + 128

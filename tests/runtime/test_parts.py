"""A run whose batches are divided ends with the weights of one whose batches are not."""

import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file
from torch import Tensor

from xlm_runtime.run.main import run

EXAMPLES = Path(__file__).parents[2] / "examples"
SETS = (
    "train.steps=3", "train.batch=12", "train.learning_rate=1e-2", "train.ema=0", "train.clip=0",
    "model.size=tiny", "model.dropout=0", "data.tokenizer=bpe:300", "generate.samples=0",
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Texts of 1 to 40 words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLM_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "mine.txt"
    path.write_text("".join(f"{'the sun of number ' * (1 + i % 10)}{i}\n" for i in range(300)))
    return path


def train(family: str, data: Path, name: str, *sets: str) -> dict[str, Tensor]:
    package = EXAMPLES / family
    assert run(package, "lm1b", job="train", data=data, name=name, sets=(*SETS, *sets)) == 0
    return weights(family, name)


def weights(family: str, name: str) -> dict[str, Tensor]:
    folder = Path("runs") / family / "lm1b" / name / "checkpoints/step-00000003"
    return load_file(folder / "raw.safetensors")


def assert_near(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """But for Adam's step where a slope is 0: its sign is then that of rounding."""
    for name, weight in expected.items():
        apart = (found[name] - weight).abs() > 1e-4 * weight.abs().max()
        assert apart.float().mean() < 0.02, name


@pytest.mark.many
@pytest.mark.parametrize("family", ["mlm", "mdlm", "flexmdm"])
def test_parts_one_after_the_other(family: str, data: Path) -> None:
    whole = train(family, data, "whole")
    assert_near(train(family, data, "parts", "train.device_batch=3"), whole)


@pytest.mark.slow
def test_parts_on_two_devices(data: Path) -> None:
    whole = train("mlm", data, "whole")
    code = f"import sys; sys.path[:0] = {sys.path!r}; from xlmc.__main__ import main; main()"
    (data.parent / "go.py").write_text(code)
    command = [sys.executable, "go.py", "run", str(EXAMPLES / "mlm"), "--task", "lm1b"]
    command += ["--data", str(data), "--job", "train", "--name", "two"]
    for one in (*SETS, "train.devices=2", "train.device_batch=3"):
        command += ["--set", one]
    done = subprocess.run(command, cwd=data.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert_near(weights("mlm", "two"), whole)

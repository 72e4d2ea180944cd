"""A run that was interrupted, in whatever way, ends with the same weights as one that was not."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

Start = Callable[..., int]
HERE = Path(__file__).parent
SETS = (
    "train.steps=24", "train.checkpoint_every=5", "train.validate_every=8", "train.log_every=1",
    "train.schedule=cosine", "train.warmup=4", "generate.samples=1", "model.dropout=0.2",
    "train.device_batch=8",
)  # fmt: skip
BEFORE = 250 + 3 + 32  # training examples read before the first step: lengths, a check, a digest
READS = BEFORE + 16 * 17 + 3  # strikes while step 18 is read; the last checkpoint is of step 16
RUNS = Path("runs/toy/toy_reverse")


def weights(name: str) -> dict[str, torch.Tensor]:
    folder = RUNS / name / "checkpoints/step-00000024"
    return {
        f"{kind}.{key}": value
        for kind in ("raw", "ema")
        for key, value in load_file(folder / f"{kind}.safetensors").items()
    }


def rows(name: str) -> list[tuple[str, str, str]]:
    found = csv.DictReader((RUNS / name / "logs/metrics.csv").read_text().splitlines())
    return [(row["step"], row["train/loss"], row["validation/loss"]) for row in found]


def assert_same(name: str) -> None:
    one, other = weights("whole"), weights(name)
    assert one.keys() == other.keys()
    for key in one:
        assert torch.equal(one[key], other[key]), key


def train(start: Start, name: str) -> int:
    return start(job="train", sets=SETS, name=name)


@pytest.fixture
def whole(start: Start) -> Start:
    """A run named ``whole`` that nothing interrupts."""
    assert train(start, "whole") == 0
    return start


def test_killed(whole: Start) -> None:
    code = (
        "import sys; from pathlib import Path; from xlm_runtime.run.main import run; import torch; "
        f"sys.path.insert(0, {str(HERE)!r}); torch.set_num_threads(1); "
        f"run(Path({str(HERE / 'toy_family')!r}), 'toy_task:REVERSE', job='train', "
        f"sets={SETS!r}, name='other')"
    )
    environment = os.environ | {
        "TOY_FAULT": f"SIGKILL:{READS}",
        "PYTHONPATH": str(HERE.parents[1] / "runtime"),
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert json.loads((RUNS / "other/checkpoints/index.json").read_text())["last"] == 16
    assert train(whole, "other") == 0
    assert_same("other")
    assert rows("whole") == rows("other")  # no step is logged twice


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_asked_to_stop(whole: Start, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    number = getattr(signal, name)
    before = signal.getsignal(number)
    monkeypatch.setenv("TOY_FAULT", f"{name}:{READS}")
    assert train(whole, "other") == 130
    assert signal.getsignal(number) == before
    monkeypatch.delenv("TOY_FAULT")
    last = json.loads((RUNS / "other/checkpoints/index.json").read_text())["last"]
    assert last == 18  # the step that was under way is finished and saved
    assert train(whole, "other") == 0
    assert_same("other")


@pytest.mark.many
@pytest.mark.parametrize("name", ["muon", "schedule_free", "torch.optim:NAdam"])
def test_another_optimiser_resumes_likewise(
    start: Start, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    sets = (*SETS, f"train.optimizer={name}", "train.schedule=constant", "train.steps=24")
    assert start(job="train", sets=sets, name="whole") == 0
    monkeypatch.setenv("TOY_FAULT", f"SIGTERM:{READS}")
    assert start(job="train", sets=sets, name="other") == 130
    monkeypatch.delenv("TOY_FAULT")
    assert start(job="train", sets=sets, name="other") == 0
    assert_same("other")
    assert rows("whole") == rows("other")


def test_asked_to_stop_at_a_validation(whole: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_FAULT", f"SIGTERM:{BEFORE + 16 * 7 + 3}")  # while step 8 is read
    assert train(whole, "other") == 130
    monkeypatch.delenv("TOY_FAULT")
    index = json.loads((RUNS / "other/checkpoints/index.json").read_text())
    assert (index["last"], index["best"]) == (8, 8)
    assert train(whole, "other") == 0
    assert_same("other")
    assert rows("whole") == rows("other")


def test_failed(whole: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_FAULT", f"raise:{READS}")
    with pytest.raises(RuntimeError):
        train(whole, "other")
    monkeypatch.delenv("TOY_FAULT")
    last = json.loads((RUNS / "other/checkpoints/index.json").read_text())["last"]
    assert last == 17  # the failure struck before any part of step 18
    assert train(whole, "other") == 0
    assert_same("other")


def test_failure_within_a_step_keeps_the_last_whole_state(
    whole: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_FAULT", f"raise:{READS + 8}")  # in the second part of step 18
    with pytest.raises(RuntimeError):
        train(whole, "other")
    monkeypatch.delenv("TOY_FAULT")
    last = json.loads((RUNS / "other/checkpoints/index.json").read_text())["last"]
    assert last == 16
    assert train(whole, "other") == 0
    assert_same("other")


def test_dropout_makes_these_tests_see_the_generators(whole: Start) -> None:
    sets = tuple(s for s in SETS if "dropout" not in s)
    assert whole(job="train", sets=(*sets, "model.dropout=0"), name="other") == 0
    assert not torch.equal(weights("whole")["raw.out.weight"], weights("other")["raw.out.weight"])

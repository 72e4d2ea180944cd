"""What a command may not do to a run that is there, forced or not."""

import csv
import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import torch

from xlm_runtime.run.main import run
from xlm_runtime.train.order import Order

HERE = Path(__file__).parent
MLM = HERE.parents[1] / "examples/mlm"
Start = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def begun(start: Start) -> Path:
    """A run of 30 steps."""
    assert start(job="train", sets=["train.steps=30"], name="mine") == 0
    return Path("runs/toy/toy_reverse/mine")


def prints(folder: Path) -> dict[str, str]:
    """A digest of each file that a run cannot do without."""
    kept = ("config.json", "run.json", "checkpoints", "tokenizer", "package")
    files = [file for name in kept for file in (folder / name, *(folder / name).rglob("*"))]
    return {
        str(file.relative_to(folder)): sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_a_state_that_is_cut_off_costs_nothing_else(
    begun: Path, start: Start, capsys: Capture
) -> None:
    (state,) = begun.glob("checkpoints/*/state.ckpt")
    state.write_bytes(state.read_bytes()[:9000])
    before = prints(begun)
    assert start(job="train", sets=["train.steps=40"], name="mine", force=True) == 4
    assert "state.ckpt is damaged" in capsys.readouterr().err
    assert prints(begun) == before
    assert start(job="eval", name="mine") == 0


def test_a_state_that_is_another_thing_costs_nothing_else(begun: Path, start: Start) -> None:
    (state,) = begun.glob("checkpoints/*/state.ckpt")
    torch.save({"nothing": 1}, state)
    before = {k: v for k, v in prints(begun).items() if k.startswith("checkpoints")}
    assert start(job="train", sets=["train.steps=40"], name="mine", force=True) == 4
    assert before.items() <= prints(begun).items()
    assert start(job="eval", name="mine") == 0


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["train.steps=40", "model.layers=2"], "is of another network"),
        (["train.steps=30", "train.learning_rate=0.1"], "leaves none"),
        (["train.steps=20", "model.layers=2"], "leaves none"),
    ],
)
def test_what_cannot_go_on_is_refused_before_anything_is_written(
    sets: list[str], message: str, begun: Path, start: Start, capsys: Capture
) -> None:
    before = prints(begun)
    assert start(job="train", sets=sets, name="mine", force=True) == 2
    assert message in capsys.readouterr().err
    assert prints(begun) == before


def test_other_ids_are_not_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLM_CACHE", str(tmp_path / "cache"))

    def train(steps: int, letters: str) -> int:
        rows = [{"prompt": f"{a} {b}", "target": f"{b} {a}"} for a in letters for b in letters]
        Path("mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        sets = (f"train.steps={steps}", "train.batch=4", "model.size=tiny", "generate.samples=0")
        data = Path("mine.jsonl")
        return run(MLM, "jsonl", job="train", data=data, sets=sets, name="mine", force=steps > 2)

    assert train(2, "abcdefgh") == 0
    before = prints(Path("runs/mlm/jsonl/mine"))
    assert train(4, "stuvwxyz") == 2
    assert "was trained with another tokenizer" in capsys.readouterr().err
    assert prints(Path("runs/mlm/jsonl/mine")) == before


def test_a_run_of_another_pair_is_named(begun: Path, start: Start, capsys: Capture) -> None:
    for options in ({"job": "eval"}, {"job": "train", "force": True}):
        assert start("TEXT", run_dir=begun, **options) == 2
        assert "is a run of toy on toy_reverse, not of toy on toy_text" in capsys.readouterr().err


def test_a_checkpoint_of_another_run_is_named(
    begun: Path, trained: Path, start: Start, capsys: Capture
) -> None:
    foreign = trained / "checkpoints/step-00000060"
    assert start(job="eval", name="mine", ckpt=str(foreign)) == 2
    assert f"is a checkpoint of {trained}: name that with --run" in capsys.readouterr().err
    shutil.copytree(foreign, "copy")
    assert start(job="eval", name="mine", ckpt="copy") == 0


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "a b"])
def test_a_name_is_that_of_one_folder(name: str, start: Start, capsys: Capture) -> None:
    assert start(job="train", name=name) == 2
    assert "name a run" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_no_evaluation_is_lost(begun: Path, start: Start) -> None:
    assert start(job="eval", name="mine") == 0
    assert start(job="eval", name="mine", sets=["eval.examples=5"]) == 0
    lines = (begun / "evaluations.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert [one["examples"] for one in found] == [37, 5]
    assert [one["settings"]["eval"]["examples"] for one in found] == [0, 5]
    assert json.loads((begun / "metrics.json").read_text())["examples"] == 5


def test_weights_of_another_network_are_named(begun: Path, start: Start, capsys: Capture) -> None:
    assert start(job="train", sets=["train.steps=2", "model.width=64"], name="wide") == 0
    (wide,) = (begun.parent / "wide/checkpoints").glob("step-*")
    shutil.copytree(wide, "copy")
    assert start(job="eval", name="mine", ckpt="copy") == 2
    assert "is of another network" in capsys.readouterr().err
    weights = Path("copy/ema.safetensors")
    weights.write_bytes(weights.read_bytes()[:500])
    assert start(job="eval", name="mine", ckpt="copy") == 4
    assert "copy/ema.safetensors is damaged" in capsys.readouterr().err


def test_another_batch_goes_on_with_the_next_example(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read twice or left out, and every step takes all of its parts."""
    read: list[int] = []
    at = Order._at
    monkeypatch.setattr(Order, "_at", lambda self, p: read.append(p) or at(self, p))
    quiet = ["generate.samples=0", "train.validate_every=100", "train.log_every=1"]
    home = Path("runs/toy/toy_reverse/mine")
    one = [*quiet, "train.steps=9", "train.batch=8", "train.device_batch=2"]
    assert start(job="train", sets=one, name="mine") == 0
    for done, steps, batch, part, first in ((9, 14, 6, 3, 72), (14, 20, 4, 1, 102)):
        read.clear()
        sets = [
            *quiet,
            f"train.steps={steps}",
            f"train.batch={batch}",
            f"train.device_batch={part}",
        ]
        assert start(job="train", sets=sets, name="mine", force=True) == 0
        size = batch * (steps - done)
        assert read[:size] == list(range(first, first + size))
        assert len(read) <= size + part  # one part may be fetched ahead
        index = json.loads((home / "checkpoints/index.json").read_text())
        assert (index["last"], index["seen"]) == (steps, first + size)
    rows = csv.DictReader((home / "logs/metrics.csv").read_text().splitlines())
    assert [int(row["step"]) for row in rows if row["train/loss"]] == list(range(1, 21))

"""A run knows its data by what is in them, not by where they are."""

import subprocess
import sys
from pathlib import Path

import pytest

from xlm_runtime.run.main import run
from xlm_runtime.tasks.base.sources import user_rows

ROOT = Path(__file__).parents[2]
MLM = ROOT / "examples/mlm"
SETS = (
    "train.steps=2", "train.batch=8", "eval.examples=4", "eval.samples=2", "generate.count=1",
    "generate.samples=0", "model.size=tiny", "data.tokenizer=bpe:300",
)  # fmt: skip
HOME = Path("runs/mlm/lm1b")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLM_CACHE", str(tmp_path / "cache"))
    return texts(tmp_path / "mine.txt", "a lazy dog sleeps in the sun of number")


def texts(path: Path, start: str) -> Path:
    path.write_text("".join(f"{start} {i} {i * i}\n" for i in range(400)))
    return path


def begin(data: Path, job: str = "all", sets: tuple[str, ...] = SETS) -> int:
    return run(MLM, "lm1b", job=job, data=data, sets=sets)


def test_other_texts_under_the_same_name_are_another_run(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert begin(data) == 0
    assert begin(data) == 0
    assert "is trained" in capsys.readouterr().out
    texts(data, "quick brown foxes jump over fences")
    assert begin(data) == 0
    said = capsys.readouterr().out
    assert "is another run (its content was another; its tokenizer was another)" in said
    assert "evaluated before" not in said
    (other,) = HOME.glob("quick-seed1-content_*-tokenizer_*")
    assert (other / "run.json").exists()


def test_a_job_reads_new_texts_with_the_tokenizer_of_its_run(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert begin(data, "train") == 0
    texts(data, "quick brown foxes jump over fences")
    capsys.readouterr()
    assert run(MLM, "lm1b", job="eval", sets=("eval.examples=4", "eval.samples=2")) == 0
    assert "the data are not those that" in capsys.readouterr().out


def test_a_file_of_the_same_bytes_in_another_format_is_other_data(tmp_path: Path) -> None:
    for name in ("a.txt", "a.jsonl"):
        (tmp_path / name).write_text('{"text": "one"}\n{"text": "two"}\n')
    keys = [user_rows(tmp_path / name, ("text",), {}).key for name in ("a.txt", "a.jsonl")]
    assert keys[0] != keys[1]


@pytest.mark.slow
def test_two_devices_train_and_one_goes_on(data: Path) -> None:
    sets = ("train.devices=2", *SETS)
    code = f"import sys; sys.path[:0] = {sys.path!r}; from xlmc.__main__ import main; main()"
    (data.parent / "go.py").write_text(code)
    command = [sys.executable, "go.py", "run", str(MLM), "--task", "lm1b", "--data", str(data)]
    command += [part for one in sets for part in ("--set", one)]
    done = subprocess.run(command, cwd=data.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (data.parent / HOME / "quick-seed1/metrics.json").exists()
    assert (data.parent / HOME / "quick-seed1/predictions.jsonl").exists()

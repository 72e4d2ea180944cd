"""The task, the metric and the family in ``examples/own`` work as a user would run them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from xlm_runtime import tasks
from xlm_runtime.tasks.base.prepared import DataOptions

ROOT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the examples in it, in which a command is given."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def _run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path += {sys.path!r}; from xlmc.__main__ import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_task_and_a_metric_of_one_s_own(checkout: Path) -> None:
    sets = ["train.steps=3", "eval.examples=20", "generate.count=2", "generate.samples=0"]
    done = _run(
        checkout, "run", "examples/mdlm", "--task", "examples.own.addition:ADDITION",
        "--metric", "examples.own.distance:DISTANCE",
        *(part for one in sets for part in ("--set", one)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (file,) = checkout.glob("runs/mdlm/addition/*/metrics.json")
    found = json.loads(file.read_text())["answers"]
    assert {"exact_match", "token_accuracy", "distance"} <= found.keys()
    (predictions,) = checkout.glob("runs/mdlm/addition/*/predictions.jsonl")
    for line in predictions.read_text().splitlines():
        row = json.loads(line)
        first, second = (int(part.replace(" ", "")) for part in row["prompt"].split(" + "))
        assert int(row["target"].replace(" ", "")) == first + second


def test_a_task_out_of_one_that_is_there(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    task = tasks.get("examples.own.stars:THREE")
    about = task.about(DataOptions(preset="quick", cache=checkout))
    assert about["problem"] == "3 lines of 4 nodes, 10 labels; body: nodes"
    assert about["guess"] == 1 / 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mixed", "spread"])
def test_a_family_of_primitives_that_nobody_combined(checkout: Path, name: str) -> None:
    built = _run(checkout, "build", f"examples/own/{name}.xlm")
    assert built.returncode == 0, built.stderr
    said = json.loads((checkout / f"out/{name}/MANIFEST.json").read_text())
    assert said["claim"]["value"] == "bound"
    sets = ["train.steps=3", "decoder.steps=4", "eval.examples=20", "generate.count=2"]
    done = _run(
        checkout, "run", f"out/{name}", "--task", "star_easy",
        *(part for one in sets for part in ("--set", one)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_metric_measures_the_distance(checkout: Path) -> None:
    (checkout / "mine.jsonl").write_text('{"index": 500, "prediction": "1"}\n')
    command = ["run", "examples/mdlm", "--task", "examples.own.addition:ADDITION", "--job", "score"]
    command += ["--metric", "examples.own.distance:DISTANCE", "--predictions", "mine.jsonl"]
    done = _run(checkout, *command)
    assert done.returncode == 0, done.stderr
    found = json.loads((checkout / "mine.scores.json").read_text())["answers"]
    assert found["distance"] > 1
    assert found["distance_count"] == 1

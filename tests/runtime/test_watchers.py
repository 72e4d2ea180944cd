"""Loggers, callbacks and a profiler that settings name; what a run logs by itself."""

import csv
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

Start = Callable[..., int]
RUN = Path("runs/toy/toy_reverse/mine")
SETS = ("train.steps=6", "train.validate_every=4", "train.log_every=2", "generate.samples=0")


def train(start: Start, *sets: str) -> int:
    return start(job="train", name="mine", sets=(*SETS, *sets))


def rows() -> list[dict[str, str]]:
    return list(csv.DictReader((RUN / "logs/metrics.csv").read_text().splitlines()))


def test_numbers_of_training_and_validation_are_logged(start: Start) -> None:
    assert train(start) == 0
    trained = [int(row["step"]) for row in rows() if row["train/loss"]]
    validated = [int(row["step"]) for row in rows() if row["validation/loss"]]
    assert (trained, validated) == ([2, 4, 6], [4, 6])
    assert float(rows()[0]["train/learning_rate"]) > 0
    assert list((RUN / "logs/tensorboard").glob("events*"))


def test_damage_to_what_was_logged_is_named(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(start) == 0
    (RUN / "logs/sealed.json").unlink()  # as after a kill
    (RUN / "logs/metrics.csv").write_text('step,train/loss\nnone,"2"\n')
    assert start(job="train", name="mine", force=True, sets=("train.steps=8", *SETS[1:])) == 4
    assert "metrics.csv is damaged: a row begins" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        ("train.loggers=wandb", "train.loggers=wandb: wandb is not installed: pip install wandb"),
        ("train.loggers=mflow", "train.loggers mflow: write it as package.module:NAME"),
        ("train.loggers=toy_watch:STEPS", "'STEPS' is a Steps, not an instance of a Logger"),
        ("train.callbacks=toy_watch:Steps", "'Steps' is a class; name an instance of it"),
        ("train.callbacks=nowhere:X", "train.callbacks nowhere:X: there is no module nowhere"),
        ('train.callbacks=["toy_watch:STEPS", 3]', 'write "A", or ["A", "B"]'),
        ("train.profiler=quick", "must be one of none, simple, advanced, pytorch"),
    ],
)
def test_what_cannot_be_had_is_refused_before_training(
    start: Start, sets: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(start, sets) == 2
    assert words in capsys.readouterr().err
    assert not RUN.exists()


def test_callbacks_and_loggers_of_the_user(start: Start) -> None:
    watch = importlib.import_module("toy_watch")
    own = ('train.callbacks=["toy_watch:STEPS"]', "train.loggers=toy_watch:KEPT")
    assert train(start, *own) == 0
    assert Path("steps.txt").read_text() == "6 2"
    steps = [step for step, _ in watch.KEPT.rows]
    assert steps == [2, 4, 4, 6, 6]
    assert watch.KEPT.settings["train"]["steps"] == 6
    validated = [float(row["validation/loss"]) for row in rows() if row["validation/loss"]]
    assert list(watch.STEPS.validated.values()) == pytest.approx(validated)
    watch.STEPS.steps = watch.STEPS.validations = 0
    sets = ("train.steps=8", *SETS[1:], *own)
    assert start(job="train", name="mine", force=True, sets=sets) == 0
    assert Path("steps.txt").read_text() == "8 3"  # what it had counted came back with the state


def test_a_callback_may_end_the_training(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    sets = ("train.steps=50", "train.validate_every=4", "train.callbacks=toy_watch:HASTY")
    assert start(job="train", name="mine", sets=(*sets, "generate.samples=0")) == 0
    assert "stopped by a callback after step 8 of 50" in capsys.readouterr().out
    assert json.loads((RUN / "checkpoints/index.json").read_text())["last"] == 8


@pytest.mark.parametrize("kind", ["simple", "advanced"])
def test_a_profiler_writes_beside_the_logs(start: Start, kind: str) -> None:
    assert train(start, f"train.profiler={kind}") == 0
    assert list((RUN / "logs").glob("fit-profile*"))


def test_a_state_of_an_older_version_is_refused_in_one_line(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    from xlm_runtime.system import hashes

    assert train(start) == 0
    file = RUN / "checkpoints/step-00000006/state.ckpt"
    state = torch.load(file, weights_only=True)
    del state["averaging_state"], state["current_model_state"]
    torch.save(state, file)
    hashes.seal(file.parent)
    capsys.readouterr()
    assert start(job="train", name="mine", force=True, sets=("train.steps=8", *SETS[1:])) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "state.ckpt is of an older version: training cannot resume from it" in lines[0]
    assert start(job="eval", run_dir=RUN, sets=("eval.examples=2",)) == 0


@pytest.mark.slow
def test_training_takes_five_percent_more_than_a_bare_loop_at_most() -> None:
    """At 0.1 s a step, in CPU seconds: see `benchmarks/loop.py`."""
    command = [sys.executable, str(Path(__file__).parents[2] / "benchmarks/loop.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1])["ratio"] < 1.05, done.stdout


STILL = (
    "train.steps=40",
    "train.validate_every=4",
    "train.learning_rate=1e-12",
    "train.patience=2",
)


def test_training_ends_where_no_validation_is_better(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(start, *STILL) == 0
    index = json.loads((RUN / "checkpoints/index.json").read_text())
    assert (index["best"], index["last"]) == (4, 12)
    assert "stopped after step 12 of 40: step 4 is the best" in capsys.readouterr().out
    assert train(start, *STILL) == 0  # done, and not done again
    assert "is trained (12 steps of 40, the best being 4)" in capsys.readouterr().out
    assert json.loads((RUN / "checkpoints/index.json").read_text()) == index


def test_training_goes_on_while_validations_get_better(start: Start) -> None:
    assert train(start, "train.steps=16", "train.patience=1", "train.learning_rate=1e-3") == 0
    assert json.loads((RUN / "checkpoints/index.json").read_text())["last"] == 16


def test_the_best_checkpoint_may_be_that_of_a_term(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(start, "train.best=nothing") == 4
    assert "train.best=nothing: a validation has loss, token" in capsys.readouterr().err
    assert start(job="train", name="other", sets=(*SETS, "train.best=token")) == 0
    index = json.loads((RUN.parent / "other/checkpoints/index.json").read_text())
    found = csv.DictReader((RUN.parent / "other/logs/metrics.csv").read_text().splitlines())
    terms = {int(r["step"]): float(r["validation/token"]) for r in found if r["validation/token"]}
    assert index["loss"] == pytest.approx(terms[index["best"]])


def test_validations_decode_and_the_best_is_the_largest_metric(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ("train.steps=60", "train.validate_every=20", "train.decode_examples=16")
    assert train(start, *sets, "train.best=max:exact_match", "train.learning_rate=0.01") == 0
    found = {int(r["step"]): r for r in rows() if r["validation/exact_match"]}
    matches = {step: float(row["validation/exact_match"]) for step, row in found.items()}
    assert [*matches] == [20, 40, 60]
    assert max(matches.values()) > matches[20]  # it learns
    index = json.loads((RUN / "checkpoints/index.json").read_text())
    assert index["loss"] == -max(matches.values())
    assert matches[index["best"]] == max(matches.values())
    assert "validation/exact_match_error" not in found[20]
    assert "exact_match" in capsys.readouterr().out


def test_metrics_of_validations_are_those_of_an_evaluation_of_the_same_examples(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = (
        "train.steps=20",
        "train.validate_every=20",
        "train.decode_examples=8",
        "eval.examples=8",
    )
    monkeypatch.setattr("toy_task.Toy.prepare", same_splits(toy_task().Toy.prepare))
    assert start(name="mine", sets=(*SETS, *sets)) == 0
    (row,) = [row for row in rows() if row["validation/exact_match"]]
    answers = json.loads((RUN / "metrics.json").read_text())["answers"]
    assert float(row["validation/exact_match"]) == answers["exact_match"]


def toy_task() -> Any:
    return importlib.import_module("toy_task")


def same_splits(prepare: Callable[..., Any]) -> Callable[..., Any]:
    """A task that tests on what it validates on."""

    def prepared(self: Any, options: Any) -> Any:
        made = prepare(self, options)
        return replace(made, test=made.validation)

    return prepared

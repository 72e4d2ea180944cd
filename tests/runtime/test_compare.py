"""The list of runs and their comparison: what differs, what compares, and what is damaged."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from shelf import Shelf

from xlm_runtime.run import share
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.reports import report
from xlm_runtime.run.reports.comparable import Side, reasons
from xlm_runtime.run.reports.compare import compare, grouped, number_rows, read_runs
from xlm_runtime.run.reports.listing import list_runs
from xlm_runtime.system.atomic import write_json
from xlm_runtime.use.named import found

Start = Callable[..., int]
HERE = Path(__file__).parent
HOME = Path("runs/toy/toy_reverse")
SHORT = ("train.steps=2", "generate.samples=0", "generate.count=3", "eval.draws=1")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of three seeds, a longer one, and one of another package."""
    from xlm_runtime.run.main import run

    folder = tmp_path_factory.mktemp("shelf")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        patch.chdir(folder)
        toy, task = HERE / "toy_family", "toy_task:REVERSE"
        assert run(toy, task, sets=SHORT, seeds="3") == 0
        assert run(toy, task, sets=(*SHORT, "train.steps=4"), name="long") == 0
        shutil.copytree(toy, "other", ignore=shutil.ignore_patterns("__pycache__"))
        text = (toy / "toy.xlm").read_text().replace("\n", "\n  # changed\n", 1)
        Path("other/toy.xlm").write_text(text)
        assert run(Path("other"), task, sets=SHORT, name="other") == 0
    return folder


@pytest.fixture
def here(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(shelf / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def runs(*names: str) -> list[Path]:
    return [HOME / name for name in names]


def listed(capsys: pytest.CaptureFixture[str], **options: object) -> list[str]:
    plain = {"family": None, "task": None, "where": (), "sort": None}
    assert list_runs(Path("runs"), **{**plain, **options}) == 0
    return capsys.readouterr().out.splitlines()


def names(lines: list[str]) -> list[str]:
    return [line.split()[0].rsplit("/", 1)[-1] for line in lines if line.startswith("  runs/")]


def test_runs_are_listed_with_their_numbers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = listed(capsys)
    assert len(names(lines)) == 5
    long = next(line for line in lines if "/long" in line)
    value = json.loads((HOME / "long/metrics.json").read_text())["answers"]["exact_match"]
    assert " 4/4 " in long
    assert f"exact match {value:.4f}" in long
    assert "train.steps=4" in long
    assert names(listed(capsys, where=("train.steps=4",))) == ["long"]
    assert names(listed(capsys, where=("train.seed=2", "preset=quick"))) == ["quick-seed2"]
    assert not names(listed(capsys, family="toys"))
    assert len(names(listed(capsys, family="toy", task="toy_reverse"))) == 5


def test_what_a_killed_pull_left_is_no_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(HOME / "long", "runs/.pull-abc/run")  # the newest of all
    os.utime("runs/.pull-abc/run/run.json")
    assert len(names(listed(capsys))) == 5
    assert ".pull" not in str(found("runs")[0].path)


def test_runs_are_sorted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(HOME / "other")  # its numbers are those of quick-seed1
    values = {
        path.parent.name: json.loads(path.read_text())["likelihood"]["perplexity"]
        for path in HOME.glob("*/metrics.json")
    }
    order = sorted(values, key=lambda name: values[name])
    assert names(listed(capsys, sort="perplexity")) == order
    assert names(listed(capsys, sort="-perplexity")) == order[::-1]
    assert names(listed(capsys, sort="train.steps"))[-1] == "long"
    (HOME / order[0] / "evaluations.jsonl").unlink()
    (HOME / order[0] / "metrics.json").unlink()
    lines = listed(capsys, sort="perplexity")
    assert names(lines)[-1] == f"{order[0]}*"  # those without the number come last
    assert any("It was not evaluated." in line for line in lines)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"sort": "perplexty"}, "did you mean 'perplexity'?"),
        ({"sort": "warmup"}, "did you mean 'train.warmup'?"),
        ({"where": ("train.stepz=3",)}, "did you mean 'train.steps'?"),
        ({"where": ("train.steps",)}, "write it as"),
    ],
)
def test_what_no_run_has_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], options: dict, why: str
) -> None:
    plain = {"family": None, "task": None, "where": (), "sort": None}
    assert list_runs(Path("runs"), **{**plain, **options}) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("run.json", "{"),
        ("run.json", None),
        ("config.json", None),
        ("config.json", '{"model": 3}'),
        ("metrics.json", '{"examples": "x"}'),
        ("evaluations.jsonl", "no JSON\n"),
        ("checkpoints/index.json", '{"last": 9}'),
        ("checkpoints/step-00000002/hashes.json", '{"files": 3}'),
    ],
)
def test_a_damaged_run_is_listed_as_damaged(
    here: Path, capsys: pytest.CaptureFixture[str], file: str, text: str | None
) -> None:
    path = HOME / "quick-seed2" / file
    path.unlink() if text is None else path.write_text(text)
    lines = listed(capsys)
    assert sum(line.startswith(f"damaged: {HOME}/quick-seed2: ") for line in lines) == 1
    assert len(names(lines)) == 4
    assert names(listed(capsys, where=("train.seed=1",), sort="train.steps"))[-1] == "long"


def test_no_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list_runs(tmp_path, None, None, (), None) == 0
    assert "there is no run in" in capsys.readouterr().out
    assert list_runs(tmp_path / "no", None, None, (), None) == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_runs_of_several_seeds_are_one_column(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = runs("quick-seed1", "quick-seed2", "quick-seed3", "long", "quick-seed1")
    columns = grouped(read_runs(paths))
    assert [len(column.runs) for column in columns] == [3, 1]
    assert compare(paths) == 0
    out = capsys.readouterr().out
    assert f"A: {HOME}/quick-seed1 and 2 more, seeds 1, 2, 3" in out
    assert "train.steps  2  4" in out
    assert "train.seed" not in out
    assert "data: the same" in out
    assert "spec, A -> B: the same" in out
    assert "(sd " in out
    assert "tokens per second: a speed is of the machine" in out


def test_numbers_are_beside_each_other_with_their_difference(here: Path) -> None:
    columns = grouped(read_runs(runs("quick-seed1", "long")))
    rows, heads = number_rows(columns)
    assert heads == ["numbers", "A", "B", "B - A"]
    found = [
        json.loads((path / "metrics.json").read_text()) for path in runs("quick-seed1", "long")
    ]
    values = [one["likelihood"]["nats_per_token"] for one in found]
    errors = [one["likelihood"]["nats_per_token_error"] for one in found]
    row = next(row for row in rows if row[0] == "nats per token")
    both = [f"{value:.4f} ± {error:.4f}" for value, error in zip(values, errors, strict=True)]
    whole = (errors[0] ** 2 + errors[1] ** 2) ** 0.5
    assert row[1:] == [*both, f"{values[1] - values[0]:.4f} ± {whole:.4f}"]


def test_another_spec_is_shown_as_a_text(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(runs("quick-seed1", "other")) == 0
    out = capsys.readouterr().out
    assert "    +  # changed" in out
    assert "loss: the objectives of different packages are different quantities" in out


def test_a_part_of_the_test_data_does_not_compare(
    here: Path, start: Start, shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(shelf / "runs", "runs", dirs_exist_ok=True)
    metrics = HOME / "long/metrics.json"
    (HOME / "long/evaluations.jsonl").unlink()
    metrics.unlink()
    assert start(job="eval", run_dir=HOME / "long", sets=("eval.examples=5",)) == 0
    capsys.readouterr()
    assert compare(runs("quick-seed1", "long")) == 0
    out = capsys.readouterr().out
    assert (
        "different numbers of examples, 37 and 5: a part of the test data is for debugging" in out
    )
    assert "long: These numbers are of a part of the test data: 5 of 37 examples." in out
    row = next(line for line in out.splitlines() if "nats per token" in line)
    assert row.endswith("*")  # and no difference


def test_numbers_of_another_package_or_of_lost_weights_are_not_shown(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("quick-seed1", "quick-seed2"):
        (HOME / name / "evaluations.jsonl").unlink()
    for name, mark in (("quick-seed1", "package"), ("quick-seed2", "weights")):
        file = HOME / name / "metrics.json"
        found = json.loads(file.read_text())
        found["of"][mark] = "of another"
        write_json(file, found)
    assert compare(runs("quick-seed1", "quick-seed2", "long")) == 0
    out = capsys.readouterr().out
    assert (
        "quick-seed1: These weights were not evaluated: the last evaluation was of another" in out
    )
    assert "quick-seed2: These weights were not evaluated: the last evaluation was of other" in out


def test_a_run_that_was_pulled_is_beside_its_original(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = Shelf(here / "hub")
    hub.use(monkeypatch)
    share.push(Run(HOME / "long"), "best", "tester/toy")
    assert share.pull("tester/toy", Path("came")) == 0
    columns = grouped(read_runs([HOME / "long", Path("came"), HOME / "quick-seed1"]))
    assert [len(column.runs) for column in columns] == [1, 1, 1]
    capsys.readouterr()
    assert compare([HOME / "long", Path("came")]) == 0
    out = capsys.readouterr().out
    assert "not evaluated" not in out
    assert "data: the same" in out
    assert out.count("0.0000 ± ") >= 5
    assert report.report([HOME / "long", Path("came")], Path("r.html")) == 0
    assert list_runs(Path("came"), None, None, (), None) == 0


def test_what_cannot_be_compared_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare([]) == 2
    assert compare(runs("long", "long")) == 2
    assert "name two runs or more" in capsys.readouterr().err
    assert compare(runs("long", "lng")) == 2
    assert "there is no run at" in capsys.readouterr().err
    (HOME / "long/config.json").write_text("{")
    assert compare(runs("long", "other")) == 4
    assert "config.json is damaged" in capsys.readouterr().err


def side(claim: str = "tight", **found: object) -> Side:
    base = {
        "examples": 9, "test_examples": 9, "loss_split": "test", "loss_count": 9, "protocol": "p",
        "of": {"data": "d", "package": "p"}, "claim": {"value": claim, "why": ""},
        "likelihood": {"given": "given the length", "joint": {"given": ""}}, "answers": {},
        "splits": {"test": {"texts": "x", "tokens": "y"}},
        "settings": {"eval": {"oracle": False, "samples": 4}, "generate": {"stop": ""}},
    }  # fmt: skip
    return Side({"task": "t"}, base | found)


def prints(texts: str, tokens: str) -> dict:
    return {"of": {"data": texts + tokens}, "splits": {"test": {"texts": texts, "tokens": tokens}}}


@pytest.mark.parametrize(
    ("other", "kinds", "name", "why"),
    [
        (side("bound"), {"likelihood", "joint"}, "", "one is tight and the other a bound"),
        (side(likelihood={"given": ""}), {"likelihood"}, "", "the joint numbers compare"),
        (
            side(likelihood={"given": "given the length", "joint": {"given": "given the prompt"}}),
            {"joint"}, "", "conditions of the joint numbers differ",
        ),
        (side(protocol="q"), {"answers"}, "", "different protocols"),
        (side(loss_count=8), {"likelihood", "joint", "loss"}, "", "9 and 8"),
        (side(loss_split="validation"), {"likelihood", "joint", "loss"}, "", "different splits"),
        (side(examples=3), {"answers", "decoding"}, "", "for debugging"),
        (side(settings={"eval": {"oracle": True, "samples": 4}, "generate": {"stop": ""}}),
         {"answers", "decoding"}, "", "lengths of the answers"),
        (side(**prints("z", "w")), {"answers", "decoding"}, "", "different test data"),
        (side(**prints("x", "w")), {"answers", "decoding"}, "token_accuracy", "not their tokens"),
        (side(of={"data": "e"}, splits=None), {"answers", "loss"}, "", "evaluate it again"),
        (side(of={"data": "d", "package": "q"}), {"loss"}, "", "different quantities"),
    ],
    ids=lambda one: "" if isinstance(one, Side | set) else one,
)  # fmt: skip
def test_what_does_not_compare_has_a_reason(
    other: Side, kinds: set[str], name: str, why: str
) -> None:
    found = [reason for reason in reasons(side(), other) if why in reason.text]
    assert {kind for reason in found for kind in reason.kinds} >= kinds
    concerned = {kind for reason in found for kind in kinds if reason.concerns(name or "x", kind)}
    assert concerned == kinds
    assert not (name and any(reason.concerns("x", "answers") for reason in found))


def test_other_judges_do_not_compare() -> None:
    found = reasons(side(asked=["mauve=a"]), side(asked=["mauve=b"]))
    assert [reason.names for reason in found] == [("mauve",), ("tokens_per_second",)]


def test_equal_evaluations_compare() -> None:
    texts = [reason.text for reason in reasons(side(), side())]
    assert texts == ["a speed is of the machine, and of what else it did"]


def test_hashes_of_texts_are_those_of_every_family(trained: Path) -> None:
    found = json.loads((trained / "metrics.json").read_text())["splits"]
    assert found.keys() == {"train", "validation", "test"}
    assert len({one["texts"] for one in found.values()}) == 3
    assert Run(trained).facts["content"]

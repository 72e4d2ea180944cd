"""The numbers of a run as they are shown: with their claims, or as missing."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from xlm_runtime.model import generate
from xlm_runtime.run.reports import measured
from xlm_runtime.run.reports.table import table as lines_of
from xlm_runtime.run.reports.table import values
from xlm_runtime.system import atomic

Start = Callable[..., int]
HERE = Path(__file__).parent
HOME = Path("runs/toy/toy_reverse")
SHORT = ("train.steps=6", "generate.samples=0", "eval.examples=5", "generate.count=3")


def test_no_likelihood_is_shown_where_none_is_claimed(
    start: Start, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    copied = tmp_path / "toy"
    shutil.copytree(HERE / "toy_family", copied)
    file = copied / "family.py"
    text = file.read_text().replace('Claim("tight", "the average', 'Claim("none", "nobody knows')
    file.write_text(text.replace("nelbo=nelbo", "nelbo=None"))
    assert start(package=copied, sets=SHORT) == 0
    out = capsys.readouterr().out
    assert "no likelihood: nobody knows" in out
    assert "perplexity" not in out
    assert "likelihood" not in json.loads((HOME / "quick-seed1/metrics.json").read_text())


def test_the_claim_stands_beside_every_likelihood(trained: Path) -> None:
    table = lines_of(json.loads((trained / "metrics.json").read_text()))
    rows = [line for line in table if line.startswith(("  nats", "  bits", "  perplexity"))]
    assert len(rows) == 4
    assert all(row.endswith("  tight") for row in rows)
    assert table[-1] == "  tight: the average over all orders of revealing"


def test_what_is_given_stands_beside_every_likelihood(trained: Path) -> None:
    found = json.loads((trained / "metrics.json").read_text())
    joint = {"perplexity": 3.0, "perplexity_error": 0.5, "given": "", "lengths": "some law"}
    likelihood = {"perplexity": 2.0, "given": "given the length", "joint": joint}
    shown = measured.checked(found | {"likelihood": likelihood}, "here")
    table = lines_of(shown)
    assert [line.split() for line in table if "perplexity" in line] == [
        ["perplexity", "2.0000", "tight,", "given", "the", "length"],
        ["joint", "perplexity", "3.0000", "±", "0.5000", "tight"],
    ]
    assert "  joint by: some law" in table


def test_numbers_that_are_not_finite_are_null_in_json(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    one = ("train.steps=2", "eval.samples=1", "eval.examples=1", "generate.count=1")
    metrics = ("repetition", "distinct")
    assert start("TEXT", sets=one, metrics=metrics) == 0
    folder = Path("runs/toy/toy_text/quick-seed1")
    for file in ("metrics.json", "evaluations.jsonl"):
        found = json.loads((folder / file).read_text(), parse_constant=pytest.fail)
        assert found["answers"]["repetition_error"] is None
    first = capsys.readouterr().out
    assert start("TEXT", sets=one, metrics=metrics) == 0
    assert first[first.index("evaluation of") : first.index("1 pred")] in capsys.readouterr().out
    short = Path("short.txt")
    short.write_text("a b\n")
    assert start("TEXT", job="score", predictions=short, metrics=metrics) == 0
    found = json.loads(Path("short.scores.json").read_text(), parse_constant=pytest.fail)
    assert found["answers"]["repetition"] is None
    assert re.search(r"\n  repetition +not finite\n", capsys.readouterr().out)


def test_the_decoder_and_the_layout_stand_beside_the_numbers(trained: Path) -> None:
    found = json.loads((trained / "metrics.json").read_text())
    assert (found["decoder"], found["decoder_params"]) == ("default", {"temperature": 0.0})
    table = lines_of(found)
    assert "  decoder: default (temperature 0.0), draws in float64" in table
    assert "  layout: prompt [body pad]" in table
    assert "  likelihood by: draws of noise for each example: 4, their amounts spread" in table
    old = {k: v for k, v in found.items() if k not in ("decoder_params", "layout")}
    old["likelihood"] = {"nats_per_token": 2.0}  # as it was written before
    assert next(line for line in lines_of(old) if "nats" in line).split() == [
        "nats", "per", "token", "2.0000", "tight",
    ]  # fmt: skip


@pytest.mark.parametrize("job", ["eval", "generate", "score"])
def test_numbers_are_said_where_they_cannot_be_written(
    job: str, start: Start, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start(job="train", sets=SHORT) == 0
    Path("mine.txt").write_text("a b c d\n" * 5)
    capsys.readouterr()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "write_text", full)
    monkeypatch.setattr(generate, "write_text", full)
    file = Path("mine.txt") if job == "score" else None
    assert start(job=job, predictions=file, sets=SHORT[1:]) == 4
    said = capsys.readouterr()
    name = "mine.scores.json" if job == "score" else f"{HOME}/quick-seed1"
    assert f"error: {name} cannot be written: No space left on device; free some" in said.err
    assert ("exact match" in said.out) is (job != "generate")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_number_that_is_not_finite_is_said(value: float | None) -> None:
    part = {"loss": value, "loss_error": value}
    assert values([(part, "tight")], {}) == ["  loss              not finite           tight"]

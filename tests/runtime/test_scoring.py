"""The job ``score``: the same numbers as an evaluation, and clear words for what does not fit."""

import csv
import gzip
import json
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xlm_runtime.model.generate import Sample, record
from xlm_runtime.plug import Example
from xlm_runtime.run.folder.predictions import Prediction, answer, match, read
from xlm_runtime.run.main import run
from xlm_runtime.run.reports import table
from xlm_runtime.system.atomic import write_json
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tokenizers import bpe

Start = Callable[..., int]
HERE = Path(__file__).parent
SHORT = ("train.steps=40", "generate.samples=0", "generate.count=37")


def _scores(file: Path) -> dict[str, float]:
    found = json.loads(file.with_name(f"{file.stem}.scores.json").read_text())
    return found["answers"]


@pytest.mark.parametrize("task", ["REVERSE", "TEXT"])
def test_predictions_of_a_run_score_as_its_evaluation_did(start: Start, task: str) -> None:
    more = ("eval.samples=37",) if task == "TEXT" else ()
    metrics = ("length", "distinct")
    assert start(task, sets=(*SHORT, *more), metrics=metrics) == 0
    folder = Path(f"runs/toy/toy_{task.lower()}/quick-seed1")
    evaluated = json.loads((folder / "metrics.json").read_text())["answers"]
    file = folder / "predictions.jsonl"
    assert start(task, job="score", predictions=file, metrics=metrics) == 0
    assert _scores(file) == pytest.approx(evaluated, nan_ok=True)
    assert 0 < evaluated["length"] < 6


def _write(name: str, rows: list[object]) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    Path(name).write_text("".join(f"{line}\n" for line in lines))
    return Path(name)


def _right(splits: Prepared) -> list[dict[str, object]]:
    """The right answers, as any system may write them."""
    decode = splits.tokenizer.decode
    return [
        {"index": e.index, "prompt": decode(e.prompt), "prediction": decode(e.body)}
        for e in (splits.test[i] for i in range(len(splits.test)))
    ]


@pytest.mark.parametrize("keys", [("index",), ("prompt",), (), ("index", "prompt")])
def test_without_any_run_by_index_prompt_or_order(
    keys: tuple[str, ...], start: Start, splits: Prepared
) -> None:
    rows = [{k: v for k, v in row.items() if k in (*keys, "prediction")} for row in _right(splits)]
    rows[3]["prediction"] = "a a a"
    if keys:
        rows.reverse()
    file = _write("mine.jsonl", list(rows))
    assert start(job="score", predictions=file) == 0
    found = _scores(file)
    assert found["exact_match"] == pytest.approx(36 / 37)
    assert found["exact_match_count"] == 37
    assert not Path("runs").exists()


def test_lines_of_text(start: Start, splits: Prepared) -> None:
    file = _write("mine.txt", [str(row["prediction"]) for row in _right(splits)])
    assert start(job="score", predictions=file) == 0
    assert _scores(file)["token_accuracy"] == 1


@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz", "json", "parquet"])
def test_tables_of_predictions(suffix: str, start: Start, splits: Prepared) -> None:
    rows = [{**row, "note": "a, b"} for row in reversed(_right(splits))]
    file = Path(f"mine.{suffix}")
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
    elif suffix == "json":
        file.write_text(json.dumps(rows, indent=1))
    else:
        text = StringIO()
        writer = csv.DictWriter(text, rows[0], delimiter="\t" if suffix == "tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
        raw = text.getvalue().encode()
        file.write_bytes(gzip.compress(raw) if suffix.endswith("gz") else raw)
    assert start(job="score", predictions=file) == 0
    found = json.loads(Path(f"{file.stem}.scores.json").read_text())["answers"]
    assert found["exact_match"] == 1
    assert found["exact_match_count"] == 37


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "text\na\n", "line 2 has no `prediction`; it has: text"),
        ("a.csv", "index,prediction\nx,a\n", "line 2: `index` is no whole number but 'x'"),
        ("a.json", '[{"prediction": "a"}, {"prediction": 3}]', "row 2: `prediction` is no text"),
        ("a.xlsx", "x", "'.xlsx' is none of .txt"),
        ("a", '{"prediction": "a"}', "line 1 is a JSON object: give the file the suffix .jsonl"),
    ],
)
def test_tables_that_hold_none(name: str, content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(UsageError) as told:
        read(file)
    assert f"--predictions {file}: {said}" in str(told.value)


def test_unknown_words_are_wrong_and_counted(
    start: Start, splits: Prepared, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [str(row["prediction"]) for row in _right(splits)]
    rows[0] = "what is " + rows[0]  # two words too many
    rows[1] = ""
    file = _write("mine.txt", list(rows))
    assert start(job="score", predictions=file) == 0
    found = json.loads(Path("mine.scores.json").read_text())
    assert found["unknown_words"] == 2
    assert found["answers"]["exact_match"] == pytest.approx(35 / 37)
    said = "2 words that the tokenizer does not know, wrong for exact_match, token_accuracy\n"
    assert said in capsys.readouterr().out
    assert found["guess"] == 0.125


def test_unknown_words_are_not_wrong_where_no_tokens_are_compared(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _write("mine.txt", ["what a b", "c d"])
    assert start("TEXT", job="score", predictions=file, metrics=("distinct",)) == 0
    assert "  1 words that the tokenizer does not know\n" in capsys.readouterr().out
    assert _scores(file)["distinct_1"] == 1


@pytest.mark.parametrize("metric", ["exact_match", "token_accuracy"])
@pytest.mark.parametrize("job", ["all", "score"])
def test_texts_are_not_compared_with_what_was_not_asked(
    job: str, metric: str, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _write("mine.txt", ["a b"]) if job == "score" else None
    assert start("TEXT", job=job, predictions=file, metrics=(metric,)) == 2
    said = f"--metric {metric}: task toy_text has no questions, so that no text is right or wrong"
    assert said in capsys.readouterr().err
    assert not Path("runs").exists()


def test_some_of_the_examples(
    start: Start, splits: Prepared, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _write("mine.jsonl", list(_right(splits)[5:9]))
    assert start(job="score", predictions=file) == 0
    assert "33 of 37 test examples have none: not counted" in capsys.readouterr().out
    assert _scores(file)["exact_match_count"] == 4
    plain = _write("mine.txt", [str(row["prediction"]) for row in _right(splits)[:4]])
    assert start(job="score", predictions=plain) == 2
    assert "4 predictions for 37 test examples" in capsys.readouterr().err
    assert start(job="score", predictions=plain, sets=("eval.examples=4",)) == 0


@pytest.mark.parametrize("key", ["prompt", "target"])
def test_a_task_of_texts_asks_nothing(
    key: str, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _write("mine.jsonl", [P, P | {key: "a b"}])
    assert start("TEXT", job="score", predictions=file, metrics=("length",)) == 2
    said = f"line 2 has a `{key}`, but task toy_text has no questions: leave `{key}` out"
    assert said in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("name", "task"), [("arlm", "n_queens_8"), ("ilm", "uniref50")])
def test_any_package_with_the_layout_will_do(
    name: str, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither could be trained on the task."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLM_CACHE", str(tmp_path / "cache"))
    examples = HERE.parents[1] / "examples"
    assert run(examples / name, task) == 2
    index = {"index": 0} if task == "n_queens_8" else {}
    file = _write("mine.jsonl", [{"prediction": "M K V"} | index])
    assert run(examples / name, task, job="score", predictions=file) == 0


P = {"prediction": "a"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "the file is empty"),
        (["{"], "line 1 is not JSON"),
        (["[1]"], "line 1 is not an object"),
        ([P, {"predicton": "a"}], "line 2 has no `prediction` (did you mean it by 'predicton'?)"),
        ([{"prediction": 3}], "line 1: `prediction` is no text but 3"),
        ([P | {"index": "3"}], "line 1: `index` is no whole number but '3'"),
        ([P | {"index": 263}, P], "line 2 has no `index`, but others have one"),
        ([P | {"index": 2}], "line 1: no test example has index 2 (37 of them"),
        ([P | {"index": 263}, P | {"index": 263}], "lines 1 and 2 both answer index 263"),
        ([P | {"prompt": "a a a a"}], "line 1: no test example has the prompt 'a a a a'"),
        ([P | {"prompt": "what"}], "no test example has the prompt 'what'"),
        ([P | {"index": 263, "prompt": "h h h h"}], "the `prompt` is not that of test example 263"),
        ([P | {"index": 263, "target": "h h h h"}], "the `target` is not that of test example 263"),
    ],
)
def test_what_does_not_fit_is_said(
    rows: list[object], said: str, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(job="score", predictions=_write("mine.jsonl", rows)) == 2
    assert said in capsys.readouterr().err
    assert not Path("mine.scores.json").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"job": "score"}, "name the file to score with --predictions FILE"),
        ({"job": "eval", "predictions": Path("x")}, "belongs to --job score"),
        ({"job": "score", "predictions": Path("x")}, "--predictions x: there is no such file"),
        ({"task": "TEXT", "job": "score", "predictions": Path("y.txt")}, "toy_text has no metrics"),
    ],
)
def test_wrong_commands(
    options: dict[str, object], said: str, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("y.txt").write_text("a b\n")
    assert start(**options) == 2
    assert said in capsys.readouterr().err


def test_a_run_beside_the_file_says_which_data(start: Start, trained: Path) -> None:
    shutil.copytree(trained, "there")
    config = json.loads(Path("there/config.json").read_text())
    config["data"]["seed"] = 7  # other problems: the predictions cannot be matched
    write_json(Path("there/config.json"), config)
    assert start(job="score", predictions=Path("there/predictions.jsonl")) == 2
    shutil.copy("there/predictions.jsonl", "alone.jsonl")
    assert start(job="score", predictions=Path("alone.jsonl")) == 0


def test_prompts_that_occur_twice_are_answered_in_their_order(tmp_path: Path) -> None:
    tokenizer = bpe([], 256, ("pad",))
    asked, twice = tokenizer.encode("one?"), Example(1, tokenizer.encode("b"), ())
    examples = [Example(0, tokenizer.encode("a"), asked), Example(1, twice.body, asked)]
    given = [Prediction(i, text, prompt="one?") for i, text in enumerate("ab")]
    pairs = match(given, examples, tokenizer, tmp_path)
    assert [(p.text, e.index) for p, e in pairs] == [("a", 0), ("b", 1)]
    with pytest.raises(UsageError, match="lines 1 and 2 both answer the prompt 'one"):
        match([*given, Prediction(2, "c", prompt="one?")], examples, tokenizer, tmp_path)


def test_ids_that_the_text_does_not_tell_are_kept(tmp_path: Path) -> None:
    tokenizer = bpe(["abab" * 50], 260, ("pad", "mask", "eos"))
    canonical = tokenizer.encode("abab")
    spelt = [tokenizer.encode("a")[0], tokenizer.encode("b")[0]] * 2
    assert canonical != spelt
    shown = [
        record(Sample(Example(0, ()), tuple(ids), 1), tokenizer, None) for ids in (canonical, spelt)
    ]
    assert "ids" not in shown[0]
    assert shown[1]["ids"] == spelt
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(one) + "\n" for one in shown[1:]))
    (line,) = read(tmp_path / "p.jsonl")
    judged, unknown = answer(line, Example(0, ()), tokenizer, ())
    assert (list(judged.ids), judged.text, unknown) == (spelt, "abab", 0)


def test_scores_show_the_same_lines_as_an_evaluation(trained: Path) -> None:
    found = json.loads((trained / "metrics.json").read_text())
    assert set(table.values([(found["answers"], "decoded")], found)) <= set(table.table(found))

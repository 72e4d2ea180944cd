"""Tasks of prompts and targets: the user's own (``jsonl``), and what they share."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xlm_runtime import tasks
from xlm_runtime.run import main
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared, Split
from xlm_runtime.tasks.base.task import Task

SPECIALS = ("pad", "mask", "bos", "eos")
PAIRS = {"prompt": "question", "target": "answer"}
FAMILY = Path(__file__).parents[2] / "examples/mdlm"


def _file(folder: Path, n: int = 300, **more: str) -> Path:
    rows = [
        {"question": f"what follows {i}?", "answer": f"it is {i + 1}", **more} for i in range(n)
    ]
    path = folder / "my.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _given(data: Path, columns: dict[str, str]) -> Task:
    return tasks.get("jsonl").given(data, columns)


def _prepare(data: Path, columns: dict[str, str], **more: object) -> Prepared:
    options = DataOptions(
        preset="quick", cache=data.parent / "cache", data=data, columns=columns,
        specials=SPECIALS, **{"tokenizer": "bpe:300", **more},  # type: ignore[arg-type]
    )  # fmt: skip
    return _given(data, columns).prepare(options)


def _texts(made: Prepared, split: Split) -> list[tuple[str, str]]:
    decode = made.tokenizer.decode
    return [(decode(split[i].prompt), decode(split[i].body)) for i in range(len(split))]


def test_pairs_are_split_by_their_prompt(tmp_path: Path) -> None:
    file = _file(tmp_path)
    file.write_text(file.read_text() * 2)
    made = _prepare(file, PAIRS)
    splits = [_texts(made, split) for split in (made.train, made.validation, made.test)]
    assert sum(map(len, splits)) == 600
    assert sum(len(set(split)) for split in splits) == 300  # twins are in the same split
    assert all(len(split) > 5 for split in splits)
    for prompt, body in splits[0]:
        number = int(prompt.removeprefix("what follows ").rstrip("?"))
        assert body == f"it is {number + 1}"
    bodies = [body for split in splits for _, body in split]
    longest = max(len(made.tokenizer.encode(body)) for body in bodies)
    assert (made.body, made.prompt) == (longest, 512)
    assert made.facts["sizes"]["train"] == len(splits[0])
    assert "exact match" in made.facts["protocol"]


@pytest.mark.parametrize(
    ("rows", "columns", "layout"),
    [
        ({"question": "a", "answer": "b"}, PAIRS, "seq2seq"),
        ({"prompt": "a", "target": "b", "note": "c"}, {}, "seq2seq"),
        ({"prompt": "a", "answer": "b"}, {"target": "answer"}, "seq2seq"),
        ({"text": "a", "note": "b"}, {}, "text"),
        ({"only": "a"}, {}, "text"),
        ({"question": "a", "answer": "b"}, {"text": "answer"}, "text"),
    ],
)
def test_the_columns_decide_the_layout(
    rows: dict[str, str], columns: dict[str, str], layout: str, tmp_path: Path
) -> None:
    file = tmp_path / "my.jsonl"
    file.write_text(json.dumps(rows) + "\n")
    assert _given(file, columns).layout == layout


def test_columns_that_do_not_tell_are_said(tmp_path: Path) -> None:
    file = _file(tmp_path)
    with pytest.raises(
        UsageError, match=r"which of its columns \(question, answer\) should be read"
    ):
        _given(file, {})
    with pytest.raises(UsageError, match=r"no column 'answr' \(did you mean 'answer'\?\)"):
        _prepare(file, {"prompt": "question", "target": "answr"})
    with pytest.raises(UsageError, match="there is no column 'prompt'"):
        _prepare(file, {"target": "answer"})


def test_what_is_too_long_is_dropped_counted_and_named(tmp_path: Path) -> None:
    file = _file(tmp_path)
    long = {"question": "why? " * 600, "answer": "so"}
    wide = {"question": "how", "answer": "thus " * 600}
    none = {"question": "who", "answer": None}
    rows = "".join(json.dumps(row) + "\n" for row in (long, wide, none))
    file.write_text(file.read_text() + rows)
    made = _prepare(file, PAIRS)
    dropped = {reason.split(" in ")[0]: f["rows"] for reason, f in made.facts["dropped"].items()}
    assert dropped == {
        "null": 1,
        "a prompt of more than 512 tokens": 1,
        "a target of more than 512 tokens": 1,
    }
    assert sum(made.facts["sizes"].values()) == 300
    narrow = _prepare(file, PAIRS, block=4)
    assert narrow.body == 4
    bodies = [b for s in (made.train, made.validation, made.test) for _, b in _texts(made, s)]
    longer = sum(len(made.tokenizer.encode(body)) > 4 for body in bodies)
    assert 300 - sum(narrow.facts["sizes"].values()) == longer > 10


def test_a_column_that_begins_late_is_not_overlooked(tmp_path: Path) -> None:
    file = tmp_path / "my.jsonl"
    file.write_text('{"prompt": "a"}\n' * 150 + '{"prompt": "a", "target": "b"}\n' * 250)
    assert _given(file, {}).layout == "seq2seq"


def test_a_row_is_named_by_its_line_whatever_is_wrong_with_it(tmp_path: Path) -> None:
    lines = _file(tmp_path).read_text().splitlines()
    broken = {
        "null in 'answer'": {"question": "who", "answer": None},
        "a prompt of more than 512 tokens": {"question": "why? " * 600, "answer": "so"},
        "a target of more than 512 tokens": {"question": "how", "answer": "thus " * 600},
    }
    file = tmp_path / "broken.jsonl"
    for reason, row in broken.items():
        first = '{"question": null, "answer": "a"}'  # a row that is left out before
        file.write_text("\n".join([first, *lines[1:201], json.dumps(row), *lines[202:]]))
        found = {why: rows["first"] for why, rows in _prepare(file, PAIRS).facts["dropped"].items()}
        assert [rows for why, rows in found.items() if why.startswith(reason)] == [[202]]


def test_rows_of_a_folder_are_named_with_their_file(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "train.csv").write_text("prompt,target\na,\nb,c\n")
    for name in ("valid.csv", "test.csv"):
        (folder / name).write_text("prompt,target\nb,c\n,d\n")
    dropped = _prepare(folder, {}).facts["dropped"]
    assert dropped == {
        "nothing in 'prompt'": {"rows": 2, "first": ["test.csv:3", "valid.csv:3"]},
        "nothing in 'target'": {"rows": 1, "first": ["train.csv:2"]},
    }


def test_a_copy_of_a_file_is_named_as_it_is(tmp_path: Path) -> None:
    file = _file(tmp_path)
    copy = tmp_path / "copy.jsonl"
    copy.write_text(file.read_text())
    one, other = (_prepare(path, columns) for path in (file, copy) for columns in [PAIRS])
    assert one.facts["cache"] == other.facts["cache"]
    assert (one.facts["source"], other.facts["source"]) == (str(file), str(copy))


def test_numbers_are_read_as_their_text_and_nothing_else_is(tmp_path: Path) -> None:
    file = tmp_path / "my.jsonl"
    rows = [{"prompt": f"{i} and one", "target": i + 1} for i in range(300)]
    rows += [{"prompt": "a", "target": 0.5}, {"prompt": "a", "target": True}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = _prepare(file, {})
    assert ("5 and one", "6") in _texts(made, made.train) + _texts(made, made.test)
    assert made.facts["dropped"] == {
        "no text but a float in 'target'": {"rows": 1, "first": [301]},
        "no text but a bool in 'target'": {"rows": 1, "first": [302]},
    }


def test_more_rows_are_asked_for_only_where_some_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "my.jsonl"
    file.write_text('{"prompt": "a", "target": 0.5}\n' * 9)
    with pytest.raises(
        RunError, match=r"no text but a float in 'target': 9 rows, first \[1"
    ) as told:
        _prepare(file, {})
    assert "give more" not in str(told.value)


def test_repeated_rows_do_not_fill_a_split(tmp_path: Path) -> None:
    file = tmp_path / "my.jsonl"
    file.write_text('{"prompt": "a", "target": "b"}\n' * 400)
    with pytest.raises(RunError, match=r"of different rows one in 20 .* give more different rows"):
        _prepare(file, {})


def test_the_room_of_a_prompt_may_be_set(tmp_path: Path) -> None:
    file = _file(tmp_path)
    made = _prepare(file, PAIRS, prompt=4)
    longer = [p for p, _ in _texts(made, made.train) if len(made.tokenizer.encode(p)) > 4]
    assert (made.prompt, longer) == (4, [])
    assert any("a prompt of more than 4 tokens" in why for why in made.facts["dropped"])
    assert made.facts["cache"] != _prepare(file, PAIRS).facts["cache"]


def test_a_folder_of_other_formats(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "train.csv").write_text('prompt,target\n"one, two",three\n007,NA\n')
    pq.write_table(pa.table({"prompt": ["a"], "target": ["b"]}), folder / "valid.parquet")
    (folder / "test.tsv").write_text("prompt\ttarget\nc\td\n")
    made = _prepare(folder, {})
    assert _texts(made, made.train) == [("one, two", "three"), ("007", "NA")]
    assert _texts(made, made.validation) == [("a", "b")]
    assert _texts(made, made.test) == [("c", "d")]


def test_texts_of_one_s_own(tmp_path: Path) -> None:
    made = _prepare(_file(tmp_path), {"text": "answer"}, block=3)
    assert made.prompt == 0
    assert made.facts["cut"]["train"] > 0


def test_nothing_stale_is_read(tmp_path: Path) -> None:
    file = _file(tmp_path)
    folders = [
        _prepare(file, PAIRS, **more).facts["cache"]
        for more in ({}, {"block": 9}, {"tokenizer": "bpe:290"}, {})
    ]
    assert folders[0] == folders[3]
    assert len(set(folders)) == 3
    turned = _prepare(file, {"prompt": "answer", "target": "question"}).facts["cache"]
    file.write_text(file.read_text().replace("it is 7", "it is x"))
    assert len({*folders, turned, _prepare(file, PAIRS).facts["cache"]}) == 5


def test_too_few_rows_are_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no pair is left for .*test.* one in 20"):
        _prepare(_file(tmp_path, 3), PAIRS)


def test_without_data_it_says_what_it_wants(tmp_path: Path) -> None:
    options = DataOptions(preset="quick", cache=tmp_path, specials=SPECIALS)
    with pytest.raises(UsageError, match=r"reads your own data: --data FILE"):
        tasks.get("jsonl").given(None, {}).prepare(options)


def test_a_run_on_pairs_of_one_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLM_CACHE", str(tmp_path / "cache"))
    file = _file(tmp_path)
    run: Callable[..., int] = main.run
    small = ("train.steps=2", "model.layers=1", "model.width=32", "model.heads=1", "eval.draws=1")
    options = {
        "data": file,
        "tokenizer": "bpe:300",
        "sets": (*small, "generate.count=2", "eval.samples=4", "decoder.steps=2"),
    }
    columns = "prompt=question,target=answer"
    assert run(FAMILY, "jsonl", columns=columns, **options) == 0
    folder = tmp_path / "runs/mdlm/jsonl/quick-seed1"
    line = json.loads((folder / "predictions.jsonl").read_text().splitlines()[0])
    assert line["prompt"].startswith("what follows ")
    found = json.loads((folder / "metrics.json").read_text())
    assert "exact_match" in found["answers"]
    assert run(FAMILY, "jsonl", job="eval") == 0  # the run knows its data and columns
    assert run(FAMILY, "jsonl") == 2
    assert "reads your own data" in capsys.readouterr().err
    assert run(FAMILY, "jsonl", columns="text=answer", name="texts", **options) == 0
    assert "repetition" in json.loads((folder.parent / "texts/metrics.json").read_text())["answers"]

"""The user's files, with plain words for errors."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xlm_runtime.data import files
from xlm_runtime.data.rows import Dropped, Place
from xlm_runtime.system.errors import RunError, UsageError


def _texts(path: Path, **columns: str) -> tuple[list[str], dict[str, Any]]:
    dropped = Dropped()
    found = [text for _, (text,) in files.read(path).texts(("text",), columns, dropped)]
    return found, dropped.facts()


def _parquet(path: Path, **columns: Sequence[object]) -> Path:
    pq.write_table(pa.table(dict(columns)), path)
    return path


ROWS = ["one", 'zwölf, "quoted"', "three 🙂"]

_NAMES = ["a.txt", "a", "a.jsonl", "a.ndjson", "a.json", "b.json", "a.csv", "a.tsv", "a.parquet"]


def test_a_carriage_return_alone_ends_a_line_of_text(tmp_path: Path) -> None:
    """It would be part of a text, and a whole file of an old Mac one row."""
    (tmp_path / "a.txt").write_bytes(b"one\rtwo\r\nthree\n\rfive")
    rows = [(n, row["text"]) for n, row in files.read(tmp_path / "a.txt").records()]
    assert rows == [(1, "one"), (2, "two"), (3, "three"), (4, ""), (5, "five")]


@pytest.mark.parametrize("name", [*_NAMES, "a.txt.gz", "a.jsonl.gz"])
def test_the_same_rows_from_every_format(name: str, tmp_path: Path) -> None:
    lines = [json.dumps({"text": row, "n": i}) for i, row in enumerate(ROWS)]
    quoted = ['"' + row.replace('"', '""') + '"' for row in ROWS]
    content = {
        "a.txt": "\ufeff" + "\r\n".join(ROWS),
        "a": "\n".join(ROWS) + "\n",
        "a.json": "\n".join(lines),
        "b.json": "[\n" + ",\n".join(lines) + "]",
        "a.csv": "n,text\n" + "".join(f"{i},{q}\n" for i, q in enumerate(quoted)),
        "a.tsv": "n\ttext\n" + "".join(f"{i}\t{q}\n" for i, q in enumerate(quoted)),
    }
    file = tmp_path / name
    if name == "a.parquet":
        _parquet(file, n=[1, 2, 3], text=ROWS)
    else:
        raw = content.get(name.removesuffix(".gz"), "\n".join(lines)).encode()
        file.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    assert _texts(file) == (ROWS, {})


def test_rows_without_a_text_are_counted_and_named(tmp_path: Path) -> None:
    values = ['"a"', "null", "NaN", "3", '" "', '["x"]', '"b"', "null", '"\\ud800"']
    file = tmp_path / "a.jsonl"
    file.write_text("\n".join(f'{{"text": {v}}}' for v in values) + '\n{"other": 1}\n')
    texts, dropped = _texts(file)
    assert texts == ["a", "3", "b"]
    assert dropped == {
        "null in 'text'": {"rows": 3, "first": [2, 8, 10]},
        "NaN in 'text'": {"rows": 1, "first": [3]},
        "nothing in 'text'": {"rows": 1, "first": [5]},
        "no text but a list in 'text'": {"rows": 1, "first": [6]},
        "half a character (a lone surrogate) in 'text'": {"rows": 1, "first": [9]},
    }


def test_nulls_of_parquet_are_counted(tmp_path: Path) -> None:
    file = _parquet(tmp_path / "a.parquet", text=["a", None, "b"])
    assert _texts(file) == (["a", "b"], {"null in 'text'": {"rows": 1, "first": [2]}})


def test_only_the_first_of_many_dropped_rows_are_named() -> None:
    dropped = Dropped()
    for row in reversed(range(1, 100)):
        dropped.note("null", Place("", row))
    assert dropped.facts() == {"null": {"rows": 99, "first": [1, 2, 3, 4, 5]}}


def test_a_cell_of_a_table_without_a_value_is_said(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('n,text\n1,NaN\n2,a\n3,nan\n4,\n5\n6,"nan bread"\n')
    assert _texts(file) == (
        ["a", "nan bread"],
        {
            "NaN in 'text'": {"rows": 2, "first": [2, 4]},
            "nothing in 'text'": {"rows": 1, "first": [5]},
            "null in 'text'": {"rows": 1, "first": [6]},
        },
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,n,n\na,1,2\n", "there are two columns 'n'"),
        ("a.jsonl", '{"text": "a"}\n{"text": "a", "text": "b"}\n', "line 2: 'text' occurs twice"),
        ("a.json", '[{"text": "a", "text": "b"}]', "'text' occurs twice in an object"),
        ("a.csv", "text;n\na;1\n", "the header 'text;n' is one column: .* separated by ';'"),
        ("a.csv", "text,n\ra,1\rb,2\r", "line 1: a carriage return alone"),
        ("a", '{"text": "a"}\n', "line 1 is a JSON object: give the file the suffix .jsonl"),
        ("a.json", '{\n "data": []\n}', "line 1 is not JSON: .* all rows as one array"),
    ],
)
def test_what_could_be_read_as_something_else_is_refused(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(UsageError, match=message):
        _texts(file)


def test_two_columns_of_parquet_with_a_name(tmp_path: Path) -> None:
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="there are two columns 'text'"):
        _texts(tmp_path / "a.parquet")


def test_a_column_may_begin_late(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "a"}\n' * 150 + '{"text": "a", "late": "b"}\n')
    assert files.read(file).columns == ("text", "late")
    assert _texts(file, text="late")[0] == ["b"]


def test_columns_are_chosen_by_name_by_role_or_because_there_is_one(tmp_path: Path) -> None:
    two = _parquet(tmp_path / "two.parquet", text=["a"], content=["b"])
    one = _parquet(tmp_path / "one.parquet", content=["b"])
    assert _texts(two)[0] == ["a"]
    assert _texts(two, text="content")[0] == ["b"]
    assert _texts(one)[0] == ["b"]


def test_pairs_of_columns(tmp_path: Path) -> None:
    file = _parquet(tmp_path / "a.parquet", question=["q", "r"], target=["t", None])
    dropped = Dropped()
    rows = files.read(file).texts(("prompt", "target"), {"prompt": "question"}, dropped)
    assert list(rows) == [(Place("", 1), ("q", "t"))]
    assert dropped.facts() == {"null in 'target'": {"rows": 1, "first": [2]}}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {},
            r"no column 'text'.*its columns: content, title; choose .* --columns text=COL",
        ),
        ({"text": "contnet"}, r"no column 'contnet' \(did you mean 'content'\?\)"),
        ({"text": "xcon"}, r"no column 'xcon'; its columns"),
        ({"txet": "content"}, r"there is no 'txet' here \(did you mean 'text'\?\)"),
    ],
)
def test_a_wrong_column_is_answered_with_the_columns(
    columns: dict[str, str], message: str, tmp_path: Path
) -> None:
    file = _parquet(tmp_path / "a.parquet", content=["a"], title=["b"])
    with pytest.raises(UsageError, match=message):
        _texts(file, **columns)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "is empty"),
        ("a.jsonl", b"\n\n", "is empty"),
        ("a.csv", b"text\n", "is empty"),
        ("a.json", b"[]", "is empty"),
        ("a.png", b"\x89PNG", r"'.png' is none of .txt"),
        ("a.txt", b"good\n\x89PNG\n", r"line 2 is not UTF-8 text \(byte 0x89\)"),
        ("a.txt", "wide".encode("utf-16"), "as in UTF-16"),
        ("a.txt", b"a\0b", r"line 1 is not UTF-8 text \(a zero byte\)"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', "line 2 is not JSON"),
        ("a.jsonl", b"[" * 100_000, "is not JSON"),
        ("a.jsonl", b'"text"\n', "line 1 is not an object"),
        ("a.csv", b"text,n\na,b,c\n", "line 2 has more values than the header's 2"),
        ("a.csv", b'text\n"a\n', "unexpected end of data"),
        ("a.parquet", b"PAR1 nonsense", "cannot be read as Parquet"),
        ("a.parquet", b"", "cannot be read as Parquet"),
        ("a.txt.gz", b"not gzip", "a broken gzip file"),
    ],
)
def test_a_bad_file_is_said_in_one_line(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(RunError, match=message) as raised:
        _texts(file)
    assert str(file) in str(raised.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        files.read(tmp_path / "none.txt")

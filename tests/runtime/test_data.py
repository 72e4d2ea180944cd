"""Data on disk: whole or not there, never stale; the user's files, with plain words for errors."""

import errno
import gzip
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xlm_runtime.data import files
from xlm_runtime.data.rows import Dropped, Place, lines
from xlm_runtime.data.store import Block, Examples, Writer
from xlm_runtime.plug import Example
from xlm_runtime.system.cache import SEAL, Built, cached
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tokenizers import words

# ---------------------------------------------------------------- cache


class Builder:
    """Writes a file and counts how often it is asked to."""

    def __init__(self, text: str = "content") -> None:
        self.text, self.calls = text, 0

    def __call__(self, folder: Path) -> Mapping[str, Any]:
        self.calls += 1
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text(self.text)
        return {"call": self.calls}


def _visible(root: Path) -> list[Path]:
    return [p for p in root.rglob("*") if p.is_dir() and not p.name.startswith(".")]


def test_it_is_built_once_and_remembers_its_facts(tmp_path: Path) -> None:
    build = Builder()
    one, two = (cached(tmp_path, "x", {"a": 1}, build) for _ in range(2))
    assert build.calls == 1
    assert one == two == Built(one.folder, {"call": 1})
    assert (two.folder / "deep" / "file").read_text() == "content"


@pytest.mark.parametrize("other", [{"a": 2}, {"a": 1, "b": None}, {"a": "1"}, {}])
def test_another_key_is_another_folder(other: dict[str, Any], tmp_path: Path) -> None:
    build = Builder()
    assert (
        cached(tmp_path, "x", {"a": 1}, build).folder != cached(tmp_path, "x", other, build).folder
    )


def test_the_order_of_a_key_means_nothing(tmp_path: Path) -> None:
    build = Builder()
    cached(tmp_path, "x", {"a": 1, "b": [2]}, build)
    cached(tmp_path, "x", {"b": [2], "a": 1}, build)
    assert build.calls == 1


def _cut(folder: Path) -> None:
    (folder / "deep" / "file").write_text("cont")


def _change(folder: Path) -> None:
    (folder / "deep" / "file").write_text("CONTENT")  # of the same size


def _lose(folder: Path) -> None:
    (folder / "deep" / "file").unlink()


def _unseal(folder: Path) -> None:
    (folder / SEAL).unlink()


def _half_seal(folder: Path) -> None:
    seal = folder / SEAL
    seal.write_text(seal.read_text()[:40])


def _other_seal(folder: Path) -> None:
    seal = json.loads((folder / SEAL).read_text())
    (folder / SEAL).write_text(json.dumps(seal | {"key": {"a": 9}}))


@pytest.mark.parametrize("damage", [_cut, _change, _lose, _unseal, _half_seal, _other_seal])
def test_what_is_damaged_is_built_again(
    damage: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = Builder()
    folder = cached(tmp_path, "x", {"a": 1}, build).folder
    damage(folder)
    assert cached(tmp_path, "x", {"a": 1}, build).facts == {"call": 2}
    assert (folder / "deep" / "file").read_text() == "content"
    assert f"{folder} is damaged" in capsys.readouterr().out.replace("\n", "")


def test_damage_within_a_large_file_is_seen(tmp_path: Path) -> None:
    """A file that was not written to its end is often zeros: above 16 MB pieces are compared."""
    size = 20 << 20

    def build(folder: Path) -> Mapping[str, Any]:
        (folder / "large").write_bytes(b"\x01" * size)
        return {}

    folder = cached(tmp_path, "x", {}, build).folder
    with (folder / "large").open("r+b") as file:
        file.seek(size // 2)
        file.write(bytes(1 << 17))
    (folder / "mark").touch()
    cached(tmp_path, "x", {}, build)
    assert not (folder / "mark").exists()


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def build(folder: Path) -> Mapping[str, Any]:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached(tmp_path, "x", {}, build)
    assert not [
        p for p in tmp_path.rglob("*") if not p.name.endswith(".lock") and p != tmp_path / "x"
    ]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.ENOSPC, "no space left"),
        (errno.EROFS, "choose another cache folder"),
        (errno.ENOTDIR, "choose another cache folder"),
    ],
)
def test_a_disk_that_fails_is_said_and_leaves_nothing(
    code: int, message: str, tmp_path: Path
) -> None:
    def build(folder: Path) -> Mapping[str, Any]:
        (folder / "half").write_text("half")
        raise OSError(code, os.strerror(code))

    with pytest.raises(RunError, match=message):
        cached(tmp_path, "x", {}, build)
    assert _visible(tmp_path) == [tmp_path / "x"]
    assert cached(tmp_path, "x", {}, Builder()).facts == {"call": 1}


def test_a_cache_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="choose another cache folder"):
        cached(tmp_path / "file", "x", {}, Builder())


_KILLED = """
import sys, time
from pathlib import Path
from xlm_runtime.system.cache import cached

def build(folder):
    (folder / "half").write_text("half")
    print("building", flush=True)
    time.sleep(60)

cached(Path(sys.argv[1]), "x", {"a": 1}, build)
"""


def test_a_killed_build_is_swept_and_built_anew(tmp_path: Path) -> None:
    path = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", _KILLED, str(tmp_path)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path}
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"building\n"
        process.send_signal(signal.SIGKILL)
    assert _visible(tmp_path) == [tmp_path / "x"]  # the half of it has a hidden name
    built = cached(tmp_path, "x", {"a": 1}, Builder())
    assert built.facts == {"call": 1}
    assert not [p for p in (tmp_path / "x").iterdir() if ".build-" in p.name]


def _slow(folder: Path) -> Mapping[str, Any]:
    with (folder.parent / "builds").open("a") as file:
        file.write("x")
    time.sleep(0.3)
    (folder / "file").write_text("content")
    return {}


def _once(root: Path) -> str:
    return (cached(root, "x", {"a": 1}, _slow).folder / "file").read_text()


def test_processes_that_prepare_at_once_build_once(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=_once, args=(tmp_path,)) for _ in range(4)]
    for one in processes:
        one.start()
    for one in processes:
        one.join(60)
    assert [one.exitcode for one in processes] == [0] * 4
    assert _once(tmp_path) == "content"
    assert (tmp_path / "x" / "builds").read_text() == "x"


# ---------------------------------------------------------------- store


def _write(folder: Path, vocab: int, *blocks: Mapping[str, Sequence[Sequence[int]]]) -> Examples:
    with Writer(folder, vocab) as writer:
        for block in blocks:
            writer.add(**{name: Block.of(rows) for name, rows in block.items()})
    return Examples(folder)


def test_examples_come_back_as_they_were(tmp_path: Path) -> None:
    made = _write(
        tmp_path,
        70_000,
        {"body": [[1, 69_999], []], "prompt": [[5], [6, 7]], "given": [[1, 0], []]},
        {"body": [[3]], "prompt": [[]], "given": [[1]]},
    )
    assert list(made) == [
        Example(0, [1, 69_999], [5], (True, False)),
        Example(1, [], [6, 7], ()),
        Example(2, [3], [], (True,)),
    ]
    assert made[-1] == made[2]
    assert made.lengths.tolist() == [2, 0, 1]
    assert pickle.loads(pickle.dumps(made))[0] == made[0]
    assert len(pickle.dumps(made)) < 1000  # a worker gets the place, not the data
    for index in (3, -4):
        with pytest.raises(IndexError):
            made[index]


@pytest.mark.parametrize(("vocab", "width"), [(256, 1), (257, 2), (65_536, 2), (65_537, 4)])
def test_ids_take_no_more_room_than_they_need(vocab: int, width: int, tmp_path: Path) -> None:
    made = _write(tmp_path, vocab, {"body": [[vocab - 1, 0]]})
    assert made[0].body == [vocab - 1, 0]
    assert (tmp_path / "body.ids").stat().st_size == 2 * width


def test_no_examples_and_empty_bodies(tmp_path: Path) -> None:
    assert list(_write(tmp_path / "none", 10)) == []
    assert _write(tmp_path / "empty", 10, {"body": [[], []]})[1] == Example(1, [])


def test_matrices_are_read_row_by_row() -> None:
    block = Block.padded(np.array([[1, -1, 2], [-1, -1, -1], [3, 0, 4]]))
    assert block.flat.tolist() == [1, 2, 3, 0, 4]
    assert block.lengths.tolist() == [2, 0, 3]


# ---------------------------------------------------------------- the user's files


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


# ---------------------------------------------------------------- prepared


def _prepared(**more: Any) -> Prepared:
    rows = [Example(i, body=[0, 1], prompt=[2]) for i in range(3)]
    plain = {"train": rows, "validation": rows, "test": rows, "body": 2, "prompt": 1}
    return Prepared(**{"tokenizer": words(["a", "b", "c"], ("pad", "mask")), **plain, **more})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"test": []}, "the test split is empty"),
        ({"body": 1}, "the body of example 0 of train has 2 tokens, room is for 1"),
        ({"prompt": 0}, "the prompt of example 0 of train has 1 tokens, room is for 0"),
        ({"train": [Example(0, [5])]}, "contains 5, but the vocabulary has 5 ids"),
        ({"train": [Example(0, [3])]}, "contains the special token 'pad'"),
        ({"train": [Example(0, [0], given=[True, True])]}, "`given` and `body` differ"),
    ],
)
def test_data_that_break_their_promise_are_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        _prepared(**more)


def test_lengths_are_those_of_the_training_bodies(tmp_path: Path) -> None:
    rows = [Example(0, []), Example(1, [1]), Example(2, [1, 2])]
    assert _prepared(train=rows).lengths.tolist() == [0, 1, 2]
    made = _write(tmp_path, 3, {"body": [[1, 2], [0]]})
    assert _prepared(train=made).lengths.tolist() == [2, 1]


def test_a_text_without_prompts_is_a_beginning_that_is_kept() -> None:
    rows = [Example(0, body=[0, 1])]
    made = _prepared(train=rows, validation=rows, test=rows, prompt=0)
    assert made.example("a b", 4) == Example(4, body=[0, 1], given=(True, True))


# ---------------------------------------------------------------- in words


def test_facts_in_words() -> None:
    dropped = Dropped()
    for row in (3, 2):
        dropped.note("null", Place("a.csv", row))
    dropped.note("NaN", Place("", 7))
    facts = {"dropped": dropped.facts(), "cut": {"train": 2, "first": [1, 4]}, "left_over": {}}
    unknown = {"tokens": 400, "rows": 12, "first": [3]}
    assert lines({**facts, "unknown": unknown}) == [
        "  dropped: null: 2 rows, first [a.csv:2, a.csv:3]; NaN: 1 row, first [7]",
        "  cut: train 2, first [1, 4]",
        "  left over: none",
        "  unknown: 400 tokens in 12 rows, first [3]",
    ]

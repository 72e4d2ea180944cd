"""Damage in the small files of a run is one line that names the file and what to do."""

import json
from pathlib import Path

import pytest

from xlm_runtime.system.atomic import write_json
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.reader import read_as, read_json, read_lines, read_table
from xlm_runtime.train.saved import Index

BROKEN = {
    "empty": b"", "cut": b'{"last": 3', "list": b"[]", "null": b"null", "number": b"3",
    "deep": b"[" * 100_000, "deep object": b'{"a":' * 500 + b"1" + b"}" * 500,
    "no utf-8": b'{"last": "\xff"}', "nul": b"\0\0\0",
}  # fmt: skip


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("read", [read_json, read_lines])
def test_what_is_no_object(content: bytes, read: object, tmp_path: Path) -> None:
    file = tmp_path / "index.json"
    file.write_bytes(content)
    if read is read_lines and not content:
        assert read_lines(file) == []
        return
    with pytest.raises(RunError, match=r"index\.json is damaged: .*; choose") as caught:
        read(file)  # type: ignore[operator]
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    with pytest.raises(RunError, match=r"run\.json is damaged: it cannot be read"):
        read_json(tmp_path / "run.json")


def test_every_flipped_bit_is_seen_or_changes_nothing(tmp_path: Path) -> None:
    file, value = tmp_path / "config.json", {"steps": 17, "rate": 1e-3, "name": "é", "none": None}
    write_json(file, value)
    whole = file.read_bytes()
    assert read_json(file) == value
    for bit in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)
        try:
            found = read_json(file)
        except RunError:
            continue
        assert value.items() <= found.items()


def test_files_of_older_versions_carry_no_hash(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"steps": 17}')
    assert read_json(tmp_path / "config.json") == {"steps": 17}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"last": "3"}, "expected a whole number, got '3'"),
        ({"last": -3}, "must be at least 0"),
        ({"last": 3, "first": 1}, "unknown: first"),
        ({"last": 3, "loss": []}, "loss"),
    ],
)
def test_structures_are_strict(value: object, message: str, tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(json.dumps(value))
    with pytest.raises(RunError, match=message):
        read_as(tmp_path / "index.json", Index)


def test_tables(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_bytes(b'step,loss\n1,"2')
    with pytest.raises(RunError, match=r"metrics\.csv is damaged: it is no CSV: .*; move it away"):
        read_table(tmp_path / "metrics.csv")

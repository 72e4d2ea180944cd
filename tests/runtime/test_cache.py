"""The cache of prepared data: whole or not there, and never stale."""

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from xlm_runtime.system.cache import SEAL, Built, cached
from xlm_runtime.system.errors import RunError


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

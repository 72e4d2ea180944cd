"""Builds that are killed, and builds at once."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from written import edit, new, old, snapshot

from xlmc.output import write

__all__ = ["new", "old"]


TESTS = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"}


# Crashes

VICTIM = """
import os, sys
from pathlib import Path
from written import NEW, OLD, make
from xlmc.output import write

out, exchanging = Path(sys.argv[1]), sys.argv[2] == "exchange"
if not exchanging:
    write.exchange = lambda one, other: False
os.fsync = lambda handle: None  # a killed process loses nothing that it has written
ACTING = {"_replace", "_stage", "_save", "_keep", "_swap", "settle", "_clear"}
packages = make(OLD), make(NEW)


def dies_at(step, place):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    seen = 0
    def trace(frame, event, argument):
        nonlocal seen
        if frame.f_code.co_filename != write.__file__ or frame.f_code.co_name not in ACTING:
            return None
        seen += event == "line"
        if seen == step:
            os._exit(9)
        return trace
    sys.settrace(trace)
    write.write(packages[1], place)
    os._exit(0)


step = 0
while True:
    step += 1
    place = out / str(step)
    write.write(packages[0], place)
    (place / "toy" / "notes.md").write_text("mine")
    if not dies_at(step, place):
        break
print(step)
"""


def corpses(way: str, out: Path) -> list[Path]:
    """Folders in which a build was killed, one for each line that it went through."""
    done = subprocess.run(
        [sys.executable, "-c", VICTIM, str(out), way],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)
    assert steps > 60
    return [out / str(step) for step in range(1, steps)]


def package_files(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in snapshot(folder).items() if name != "notes.md"}


@pytest.mark.parametrize("way", ["exchange", "two renames"])
def test_a_crash_leaves_the_old_package_or_the_new(way, tmp_path, old, new) -> None:
    places = corpses(way, tmp_path / "out")
    seen = set()
    for place in places:
        found = package_files(place / "toy")
        states = [name for name, one in (("old", old), ("new", new)) if found == one.files]
        if way == "two renames" and not (place / "toy").exists():
            states = ["absent"]  # where names cannot be swapped at once; it comes back below
        assert states, (place.name, sorted(found))
        seen |= set(states)
        assert sum(path.name.startswith("notes.md") for path in place.rglob("*")) == 1
    assert {"old", "new"} <= seen
    assert ("absent" in seen) == (way == "two renames")
    for place in places:  # the next build finishes, clears up and loses nothing
        write.write(new, place)
        assert snapshot(place) == {
            **{f"toy/{name}": data for name, data in new.files.items()},
            "toy/notes.md": b"mine",
        }


def test_a_crash_between_renames_gives_the_old_package_back(tmp_path, old) -> None:
    write.write(old, tmp_path)
    (tmp_path / "toy").rename(tmp_path / ".toy.xlmc-old")
    write.settle(tmp_path / "toy")
    assert snapshot(tmp_path) == {f"toy/{name}": data for name, data in old.files.items()}


def test_notes_left_by_a_crash_do_not_replace_newer_ones(tmp_path, old, new) -> None:
    write.write(new, tmp_path)
    edit(tmp_path, "notes.md", "newer")
    left = tmp_path / ".toy.xlmc-new"
    left.mkdir()
    for name, data in old.files.items():
        (left / name).write_bytes(data)
    (left / "notes.md").write_text("older")
    write.settle(tmp_path / "toy")
    assert snapshot(tmp_path / "toy") == {
        **new.files,
        "notes.md": b"newer",
        "notes.md.1": b"older",
    }
    assert not left.exists()


# Two builds at once

RIVAL = """
import sys
from pathlib import Path
from written import NEW, OLD, make
from xlmc.output import write

packages = make(OLD), make(NEW)
for turn in range(40):
    write.write(packages[turn % 2], Path(sys.argv[1]))
"""


def test_builds_at_once_do_no_harm(tmp_path, old, new) -> None:
    command = [sys.executable, "-c", RIVAL, str(tmp_path / "out")]
    rivals = [
        subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    errors = [rival.communicate()[1] for rival in rivals]
    assert [rival.returncode for rival in rivals] == [0, 0], errors
    assert snapshot(tmp_path / "out" / "toy") in (dict(old.files), dict(new.files))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["toy"]


def test_a_build_waits_for_another_one(tmp_path) -> None:
    holder = "import sys, time; from pathlib import Path; from xlmc.output import write\n"
    holder += "with write.locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(0.3)"
    other = subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    start = time.monotonic()
    with write.locked(tmp_path):
        waited = time.monotonic() - start
    other.communicate()
    assert waited > 0.1

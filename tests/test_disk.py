"""Writing a package: nothing of anybody's is lost, and no crash leaves a mix."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xlmc.diagnostics.failure import Failure, Refusal
from xlmc.emit.manifest import MANIFEST
from xlmc.emit.package import Package, assemble
from xlmc.output import write

ROOT = Path(__file__).parent.parent
OLD = {"__init__.py": "VALUE = 1\n", "loss.py": "x = 1\n", "schedule.py": "t = 1\n"}
NEW = {"__init__.py": "VALUE = 1\n", "loss.py": "x = 2\n", "decoder.py": "d = 1\n"}


def make(texts: dict[str, str]) -> Package:
    return assemble("toy", texts, {"toy.xlm": "family toy { }\n"}, {})


@pytest.fixture
def old() -> Package:
    return make(OLD)


@pytest.fixture
def new() -> Package:
    return make(NEW)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_package_is_written_into_a_new_folder(tmp_path, old) -> None:
    written = write.write(old, tmp_path / "deep" / "out")
    assert snapshot(tmp_path / "deep" / "out" / "toy") == old.files
    assert set(written.changed) == set(old.files)
    assert written.removed == ()


def test_old_files_go_and_new_ones_come(tmp_path, old, new) -> None:
    write.write(old, tmp_path)
    written = write.write(new, tmp_path)
    assert snapshot(tmp_path) == {f"toy/{name}": data for name, data in new.files.items()}
    assert written.removed == ("schedule.py",)
    assert set(written.changed) == {"loss.py", "decoder.py", MANIFEST}


def test_unchanged_files_keep_their_times(tmp_path, old, new) -> None:
    write.write(old, tmp_path)
    kept, changed = tmp_path / "toy" / "__init__.py", tmp_path / "toy" / "loss.py"
    for path in (kept, changed):
        os.utime(path, (1, 1))
    write.write(new, tmp_path)
    assert kept.stat().st_mtime == 1
    assert changed.stat().st_mtime > 1


def test_a_file_system_without_hard_links_keeps_times_too(tmp_path, old, new, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links")

    write.write(old, tmp_path)
    os.utime(tmp_path / "toy" / "__init__.py", (1, 1))
    monkeypatch.setattr(os, "link", refuse)
    write.write(new, tmp_path)
    assert (tmp_path / "toy" / "__init__.py").stat().st_mtime == 1


def test_writing_the_same_again_touches_nothing(tmp_path, old) -> None:
    write.write(old, tmp_path)
    before = (tmp_path / "toy").stat()
    written = write.write(old, tmp_path)
    after = (tmp_path / "toy").stat()
    assert (written.changed, written.removed) == ((), ())
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_deleted_file_is_written_again(tmp_path, old) -> None:
    write.write(old, tmp_path)
    (tmp_path / "toy" / "loss.py").unlink()
    assert write.write(old, tmp_path).changed == ("loss.py",)
    assert snapshot(tmp_path / "toy") == old.files


def test_what_the_user_put_there_stays(tmp_path, old, new) -> None:
    write.write(old, tmp_path)
    notes, cached = tmp_path / "toy" / "notes.md", tmp_path / "toy" / "sub" / "deep.bin"
    cached.parent.mkdir()
    notes.write_text("mine")
    cached.write_bytes(b"\0")
    inode = notes.stat().st_ino
    write.write(new, tmp_path)
    assert snapshot(tmp_path / "toy") == {
        **new.files,
        "notes.md": b"mine",
        "sub/deep.bin": b"\0",
    }
    assert notes.stat().st_ino == inode


def test_the_folder_keeps_its_permissions(tmp_path, old, new) -> None:
    write.write(old, tmp_path)
    (tmp_path / "toy").chmod(0o750)
    write.write(new, tmp_path)
    assert (tmp_path / "toy").stat().st_mode & 0o777 == 0o750


# Refusals


def edit(tmp_path: Path, name: str, text: str = "edited\n") -> None:
    (tmp_path / "toy" / name).write_text(text)


def test_an_edited_file_is_not_overwritten(tmp_path, old, new) -> None:
    write.write(old, tmp_path)
    edit(tmp_path, "loss.py")
    before = snapshot(tmp_path)
    with pytest.raises(Refusal, match=r"edited by hand: loss\.py\n.*--force") as refusal:
        write.write(new, tmp_path)
    assert refusal.value.code == 3
    assert snapshot(tmp_path) == before
    write.write(new, tmp_path, force=True)
    assert snapshot(tmp_path / "toy") == new.files


def test_an_edited_file_is_not_removed_either(tmp_path, old, new) -> None:
    write.write(old, tmp_path)
    edit(tmp_path, "schedule.py")
    with pytest.raises(Refusal, match=r"schedule\.py"):
        write.write(new, tmp_path)


def test_an_edit_that_the_spec_now_makes_is_no_edit(tmp_path, old, new) -> None:
    write.write(old, tmp_path)
    edit(tmp_path, "loss.py", NEW["loss.py"])
    write.write(new, tmp_path)
    assert snapshot(tmp_path / "toy") == new.files


def test_a_link_in_place_of_a_file_is_an_edit(tmp_path, old, new) -> None:
    write.write(old, tmp_path)
    mine = tmp_path / "mine.py"
    mine.write_text("mine")
    (tmp_path / "toy" / "loss.py").unlink()
    (tmp_path / "toy" / "loss.py").symlink_to(mine)
    with pytest.raises(Refusal, match=r"loss\.py"):
        write.write(new, tmp_path)
    write.write(new, tmp_path, force=True)
    assert mine.read_text() == "mine"
    assert not (tmp_path / "toy" / "loss.py").is_symlink()


def test_a_file_of_the_user_with_a_new_name_of_ours_is_not_overwritten(tmp_path, old, new) -> None:
    write.write(old, tmp_path)
    edit(tmp_path, "decoder.py", "mine")
    with pytest.raises(Refusal, match=r"did not write and would overwrite: decoder\.py"):
        write.write(new, tmp_path)
    write.write(new, tmp_path, force=True)
    assert snapshot(tmp_path / "toy") == new.files


def test_a_folder_that_is_not_ours_is_refused(tmp_path, new) -> None:
    (tmp_path / "toy").mkdir()
    edit(tmp_path, "thesis.tex", "mine")
    with pytest.raises(Refusal, match="was not written by xlmc"):
        write.write(new, tmp_path)
    write.write(new, tmp_path, force=True)
    assert snapshot(tmp_path / "toy") == {**new.files, "thesis.tex": b"mine"}


def test_a_package_of_another_family_is_refused(tmp_path, new) -> None:
    write.write(assemble("other", OLD, {}, {}), tmp_path)
    (tmp_path / "other").rename(tmp_path / "toy")
    with pytest.raises(Refusal, match="holds the family 'other'"):
        write.write(new, tmp_path)


def test_a_broken_manifest_is_refused(tmp_path, old, new) -> None:
    write.write(old, tmp_path)
    edit(tmp_path, MANIFEST, "<<<<<<< HEAD\n")
    with pytest.raises(Refusal, match=r"no valid MANIFEST\.json"):
        write.write(new, tmp_path)


@pytest.mark.parametrize("litter", [[], ["__pycache__"]])
def test_an_empty_folder_is_anybodys(tmp_path, new, litter) -> None:
    for name in ("", *litter):
        (tmp_path / "toy" / name).mkdir()
    write.write(new, tmp_path)
    assert snapshot(tmp_path / "toy") == new.files


def test_a_file_in_place_of_the_folder_is_refused_even_by_force(tmp_path, new) -> None:
    (tmp_path / "toy").write_text("mine")
    with pytest.raises(Refusal, match="is a file, where the package's folder should be"):
        write.write(new, tmp_path, force=True)
    assert (tmp_path / "toy").read_text() == "mine"


def test_a_link_in_place_of_the_folder_is_refused_even_by_force(tmp_path, new) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "toy").symlink_to("real")
    with pytest.raises(Refusal, match="symbolic link"):
        write.write(new, tmp_path, force=True)
    assert not any((tmp_path / "real").iterdir())


def test_a_folder_in_place_of_a_file_is_refused_even_by_force(tmp_path, old, new) -> None:
    write.write(old, tmp_path)
    (tmp_path / "toy" / "loss.py").unlink()
    (tmp_path / "toy" / "loss.py").mkdir()
    edit(tmp_path, "loss.py/data", "mine")
    with pytest.raises(Refusal, match=r"a folder is in the place of loss\.py"):
        write.write(new, tmp_path, force=True)


def test_the_parent_may_be_a_link(tmp_path, new) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    write.write(new, tmp_path / "out")
    assert snapshot(tmp_path / "real" / "toy") == new.files


# Disks that fail


def test_a_full_disk_leaves_the_old_package(tmp_path, old, new, monkeypatch) -> None:
    write.write(old, tmp_path)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Failure, match=r"cannot write .*toy: No space left") as failure:
        write.write(new, tmp_path)
    assert failure.value.code == 4
    assert snapshot(tmp_path) == {f"toy/{name}": data for name, data in old.files.items()}


def test_a_folder_of_a_container_image_is_said_to_be_the_reason(tmp_path, old, new, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    write.write(old, tmp_path)
    monkeypatch.setattr(write, "exchange", refuse)
    with pytest.raises(Failure, match="choose another --out"):
        write.write(new, tmp_path)
    assert snapshot(tmp_path) == {f"toy/{name}": data for name, data in old.files.items()}


def test_a_parent_that_is_a_file_is_one_clear_line(tmp_path, new) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(Failure, match=r"cannot write .*toy: (File exists|Not a directory)"):
        write.write(new, tmp_path / "out")


def test_a_parent_that_nobody_may_write_is_one_clear_line(tmp_path, new, monkeypatch) -> None:
    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)  # a test that runs as root may write anywhere
    with pytest.raises(Failure, match=r"cannot write .*toy: Permission denied"):
        write.write(new, tmp_path)


def test_an_interrupt_leaves_the_old_package_and_nothing_else(tmp_path, old, new, monkeypatch):
    write.write(old, tmp_path)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write.write(new, tmp_path)
    assert snapshot(tmp_path) == {f"toy/{name}": data for name, data in old.files.items()}


# Crashes

VICTIM = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests_disk import NEW, OLD, make, write

out, exchanging = Path(sys.argv[2]), sys.argv[3] == "exchange"
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


def corpses(way: str, here: Path, out: Path) -> list[Path]:
    """Folders in which a build was killed, one for each line that it went through."""
    (here / "tests_disk.py").write_text(Path(__file__).read_text())
    done = subprocess.run(
        [sys.executable, "-c", VICTIM, str(here), str(out), way],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
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
    places = corpses(way, tmp_path, tmp_path / "out")
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
sys.path.insert(0, sys.argv[1])
from tests_disk import NEW, OLD, make, write

packages = make(OLD), make(NEW)
for turn in range(40):
    write.write(packages[turn % 2], Path(sys.argv[2]))
"""


def test_builds_at_once_do_no_harm(tmp_path, old, new) -> None:
    (tmp_path / "tests_disk.py").write_text(Path(__file__).read_text())
    command = [sys.executable, "-c", RIVAL, str(tmp_path), str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    rivals = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    errors = [rival.communicate()[1] for rival in rivals]
    assert [rival.returncode for rival in rivals] == [0, 0], errors
    assert snapshot(tmp_path / "out" / "toy") in (dict(old.files), dict(new.files))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["toy"]


def test_a_build_waits_for_another_one(tmp_path) -> None:
    holder = "import sys, time; from pathlib import Path; from xlmc.output import write\n"
    holder += "with write.locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(0.3)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    other = subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)],
        env=environment,
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

"""Writing a package: nothing of anybody's is lost, and no crash leaves a mix."""

import errno
import os
from pathlib import Path

import pytest
from written import NEW, OLD, edit, new, old, snapshot

from xlmc.diagnostics.failure import Failure, Refusal
from xlmc.emit.manifest import MANIFEST
from xlmc.emit.package import assemble
from xlmc.output import write

__all__ = ["new", "old"]


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

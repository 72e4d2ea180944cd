"""``build --check`` cannot lie: the eight ways in which such checks do, one after the other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from toy_compiler import TEXTS, save, toy

from xlmc.commands.cli import execute
from xlmc.emit.manifest import MANIFEST

__all__ = ["toy"]

BUILD = ["build", "toy.xlm"]
CHECK = [*BUILD, "--check"]
REBUILD = "xlmc build toy.xlm --out out\n"
LOSS = Path("out/toy/loss.py")


@pytest.fixture(autouse=True)
def built(toy, capsys):
    assert execute(BUILD) == 0
    capsys.readouterr()
    return toy


def check(capsys, *more: str) -> tuple[int, str, str]:
    code = execute([*CHECK, *more])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_what_was_just_built_is_current(capsys) -> None:
    assert check(capsys) == (0, "", "")


def test_nothing_is_ever_written(capsys) -> None:
    LOSS.write_text("edited\n")
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    check(capsys)
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before


# 1. An exception is a failure.


@pytest.mark.parametrize("error", [ValueError, KeyError, AssertionError, NotImplementedError])
def test_an_exception_while_compiling_fails(built, capsys, monkeypatch, error) -> None:
    def fail(_: Path) -> None:
        raise error("oops")

    monkeypatch.setattr(built, "compile_spec", fail)
    code, _, said = check(capsys)
    assert code == 70
    assert "bug in xlmc" in said


def test_an_output_that_cannot_be_read_fails(capsys, monkeypatch) -> None:
    def fail(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied", "loss.py")

    monkeypatch.setattr(Path, "read_bytes", fail)
    assert check(capsys)[0] == 4


# 2. No cache: an edited output is seen, though neither spec nor compiler changed.


def test_an_edited_output_is_seen_and_called_edited(capsys) -> None:
    LOSS.write_text("x = 2\n")
    code, diff, said = check(capsys)
    assert code == 3
    assert "-x = 2\n+x = 1\n" in diff
    assert "out/toy/loss.py was edited by hand" in said
    assert "xlmc build toy.xlm --out out --force" in said


def test_a_stamp_is_not_believed(built, capsys, monkeypatch) -> None:
    def believe(*_: object) -> str:
        raise AssertionError("the check asked a stamp")

    monkeypatch.setattr("xlmc.output.stamp.fresh", believe)
    assert check(capsys)[0] == 0
    assert len(built.compiled) == 2


# 3. The compiler changed and no spec did.


def test_a_changed_compiler_makes_outputs_stale(built, capsys) -> None:
    built.addition = "y = 2\n"
    code, diff, said = check(capsys)
    assert code == 3
    assert "+y = 2\n" in diff
    assert "out/toy/loss.py is stale" in said
    assert said.endswith(f"  {REBUILD}")


def test_a_changed_spec_makes_outputs_stale(capsys) -> None:
    save("toy.xlm", {**TEXTS, "loss.py": "x = 3\n"})
    code, diff, said = check(capsys)
    assert code == 3
    assert "-x = 1\n+x = 3\n" in diff
    assert "toy.xlm is stale" in said
    assert "edited" not in said


# 4. Extra files, and packages that no spec makes.


@pytest.mark.parametrize("name", ["left_over.py", "stubs.pyi", "old.xlm", "sub/deep.py"])
def test_a_file_that_no_spec_makes_is_seen(capsys, name) -> None:
    path = Path("out/toy") / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    code, _, said = check(capsys)
    assert code == 3
    assert f"out/toy/{name} is not written by xlmc" in said
    assert f"rm -r out/toy/{name}" in said


def test_notes_and_caches_are_the_users(capsys) -> None:
    Path("out/toy/notes.md").write_text("mine")
    Path("out/toy/__pycache__").mkdir()
    Path("out/toy/__pycache__/loss.cpython-311.pyc").write_bytes(b"")
    assert check(capsys)[0] == 0


def test_an_output_no_longer_made_is_seen(capsys) -> None:
    save("toy.xlm", {"__init__.py": TEXTS["__init__.py"]})
    code, _, said = check(capsys)
    assert code == 3
    assert "out/toy/loss.py is stale: no longer written" in said


def test_an_output_that_is_no_code_counts_too(capsys) -> None:
    save("toy.xlm", {**TEXTS, "table.json": "{}\n"})
    assert execute(BUILD) == 0
    save("toy.xlm", TEXTS)
    assert execute(CHECK) == 3
    assert "out/toy/table.json is stale: no longer written" in capsys.readouterr().err


def test_a_package_that_no_spec_makes_is_seen(capsys) -> None:
    save("other.xlm", TEXTS)
    assert execute(["build", "other.xlm"]) == 0
    capsys.readouterr()
    code, _, said = check(capsys)
    assert code == 3
    assert "out/other is made by none of these specs: give other.xlm too" in said
    assert "rm -r" not in said
    assert execute([*CHECK, "other.xlm"]) == 0


def test_folders_that_are_no_packages_are_the_users(capsys) -> None:
    Path("out/notebooks").mkdir()
    Path("out/notebooks/try.py").write_text("")
    assert check(capsys)[0] == 0


# 5. Missing files, packages and directories.


@pytest.mark.parametrize("name", ["loss.py", "toy.xlm", MANIFEST])
def test_a_missing_file_is_named(capsys, name) -> None:
    (Path("out/toy") / name).unlink()
    code, diff, said = check(capsys)
    assert code == 3
    assert f"out/toy/{name} is missing" in said
    assert f"+++ out/toy/{name}" in diff


@pytest.mark.parametrize("out", ["elsewhere", "elsewhere/deep"])
def test_a_package_that_was_never_built_is_named(capsys, out) -> None:
    code, _, said = check(capsys, "--out", out)
    assert code == 3
    assert f"{out}/toy is missing: it was never built" in said


def test_no_specs_are_no_success(capsys) -> None:
    assert execute(["build", "--check"]) == 2
    assert execute(["build", "--check", "spec/*.xlm"]) == 2
    capsys.readouterr()


# 6. Untracked and ignored files count: the disk is compared, not what git knows.


def test_what_git_does_not_know_is_compared_too(capsys) -> None:
    subprocess.run(["git", "init", "--quiet", "."], check=True)
    Path(".gitignore").write_text("out/\n")
    LOSS.write_text("x = 2\n")
    assert check(capsys)[0] == 3


# 7. No noise: another version of xlmc with the same output changes nothing.


def test_a_new_version_is_no_drift(capsys, monkeypatch) -> None:
    monkeypatch.setattr("xlmc.__version__", "99.0")
    assert check(capsys)[0] == 0


def test_place_and_name_of_the_folder_are_no_drift(capsys) -> None:
    Path("deep").mkdir()
    Path("out").rename("deep/examples")
    assert check(capsys, "--out", "deep/examples")[0] == 0
    assert execute(["build", str(Path("toy.xlm").resolve()), "--out", "deep/examples"]) == 0
    assert "up to date" in capsys.readouterr().out


# 8. A formatter that is absent or another one.


def test_a_missing_formatter_fails(capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "black", None)
    assert check(capsys)[0] != 0


def test_another_formatter_fails(capsys, monkeypatch) -> None:
    monkeypatch.setattr("black.__version__", "1.0")
    code, _, said = check(capsys)
    assert code == 4
    assert "pip install black==" in said


# Beyond the eight


def test_a_manifest_that_is_not_ours_needs_force(capsys) -> None:
    (Path("out/toy") / MANIFEST).write_text("<<<<<<< HEAD\n")
    code, _, said = check(capsys)
    assert code == 3
    assert f"out/toy/{MANIFEST} is not what xlmc wrote" in said
    assert "--force" in said


def test_an_edited_hash_is_drift(capsys) -> None:
    manifest = Path("out/toy") / MANIFEST
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format":1'))
    assert check(capsys)[0] == 3


def test_a_link_is_not_the_file(capsys) -> None:
    LOSS.rename("loss.py")
    LOSS.symlink_to(Path("loss.py").resolve())
    code, _, said = check(capsys)
    assert code == 3
    assert "is not a regular file" in said
    assert said.endswith("  mv out/toy/loss.py out/toy/loss.py.moved && " + REBUILD)


def test_a_link_is_not_the_package(capsys) -> None:
    Path("out/toy").rename("toy")
    Path("out/toy").symlink_to(Path("toy").resolve())
    assert check(capsys)[0] == 3


def test_bytes_count_not_lines(capsys) -> None:
    whole = LOSS.read_bytes()
    LOSS.write_bytes(whole.replace(b"\n", b"\r\n"))
    code, out, said = check(capsys)
    assert code == 3
    assert "out/toy/loss.py was edited by hand: its line ends differ (CR LF on disk" in said
    assert out == ""  # no diff of lines that look the same
    assert execute(["build", "toy.xlm"]) == 3
    assert "out/toy was edited by hand: loss.py (line ends alone)" in capsys.readouterr().err
    LOSS.write_bytes(whole.replace(b"\n", b"\r\n") + b"x = 1\r\n")
    code, out, said = check(capsys)
    assert "its line ends differ" in said
    changed = [
        line for line in out.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert changed == ["-x = 1"]
    LOSS.write_bytes(b"x = 1")
    assert check(capsys)[0] == 3
    LOSS.write_bytes(b"\xff\xfe\n")
    assert check(capsys)[0] == 3


def test_annotations_for_workflows(capsys) -> None:
    LOSS.write_text("x = 2\n")
    _, _, said = check(capsys, "--format", "github")
    assert "::error file=out/toy/loss.py::out/toy/loss.py was edited by hand\n" in said


def test_the_command_that_mends_does_so(capsys) -> None:
    LOSS.write_text("x = 2\n")
    Path("out/toy/extra.py").write_text("")
    Path("out/toy/__init__.py").unlink()
    _, _, said = check(capsys)
    mend = said.splitlines()[-1].strip()
    for command in mend.split(" && "):
        if command.startswith("xlmc "):
            assert execute(command.split()[1:]) == 0
        else:
            assert os.system(command) == 0
    capsys.readouterr()
    assert check(capsys) == (0, "", "")


def test_check_goes_with_no_writing_option(capsys) -> None:
    assert execute([*CHECK, "--force"]) == 2
    assert execute([*CHECK, "--print", "ir"]) == 2
    assert "writes nothing" in capsys.readouterr().err

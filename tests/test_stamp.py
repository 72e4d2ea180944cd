"""A repeated build takes no time, and still sees everything that changed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from toy_compiler import TEXTS, save, toy

from xlmc import resources
from xlmc.commands.cli import execute
from xlmc.emit.package import Package
from xlmc.output import stamp
from xlmc.output import write as disk

__all__ = ["toy"]

BUILD = ["build", "toy.xlm"]
LOSS = Path("out/toy/loss.py")


@pytest.fixture(autouse=True)
def built(toy):
    assert execute(BUILD) == 0
    assert len(toy.compiled) == 1
    return toy


def compiles_again(toy, *arguments: str) -> bool:
    before = len(toy.compiled)
    assert execute([*BUILD, *arguments]) == 0
    return len(toy.compiled) > before


def test_nothing_changed_so_nothing_is_compiled(built, capsys) -> None:
    capsys.readouterr()
    assert not compiles_again(built)
    assert capsys.readouterr().out == "out/toy: up to date\n"


def test_a_changed_spec_is_compiled(built) -> None:
    save("toy.xlm", {**TEXTS, "loss.py": "x = 2\n"})
    assert compiles_again(built)
    assert LOSS.read_text() == "x = 2\n"
    assert not compiles_again(built)


def test_a_deleted_output_comes_back(built) -> None:
    LOSS.unlink()
    assert compiles_again(built)
    assert LOSS.read_text() == "x = 1\n"


def test_an_edited_output_is_noticed(built, capsys) -> None:
    LOSS.write_text("x = 2\n")
    assert execute(BUILD) == 3
    assert "edited by hand: loss.py" in capsys.readouterr().err
    assert LOSS.read_text() == "x = 2\n"


def test_an_edit_that_keeps_size_and_time_is_noticed(built) -> None:
    before = LOSS.stat()
    LOSS.write_text("x = 2\n")
    os.utime(LOSS, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert execute(BUILD) == 3


def test_a_deleted_package_comes_back(built) -> None:
    Path("out/toy").rename("moved")
    assert compiles_again(built)


def test_another_compiler_compiles_again(built, monkeypatch) -> None:
    monkeypatch.setattr(resources, "compiler_digest", lambda: "another")
    assert compiles_again(built)


def test_another_folder_is_another_build(built) -> None:
    assert compiles_again(built, "--out", "elsewhere")
    assert not compiles_again(built, "--out", "elsewhere")
    assert not compiles_again(built)


def test_force_compiles(built) -> None:
    assert compiles_again(built, "--force")


def test_warnings_are_said_at_every_build(built, monkeypatch) -> None:
    monkeypatch.setattr("xlmc.commands.build.each", lambda specs, work, _: [work(specs[0])[0]])
    save("toy.xlm", {**TEXTS, "more.py": ""})
    built.warnings = ["a warning"]
    assert compiles_again(built)
    assert compiles_again(built)


def test_a_file_that_appears_where_a_parent_was_sought_is_noticed(built) -> None:
    spec, out, sought = Path("toy.xlm"), Path("out"), Path("parent.xlm")
    package = built.compile_spec(spec).package
    stamp.remember(spec, out, "this", {spec: stamp.read_hash(spec), sought: None}, package)
    assert stamp.fresh(spec, out, "this") == "toy"
    sought.write_text("")
    assert stamp.fresh(spec, out, "this") is None


def test_a_spec_saved_while_it_was_compiled_is_compiled_again(built, monkeypatch) -> None:
    def write_late(package: Package, out: Path, *, force: bool) -> disk.Written:
        save("toy.xlm", {**TEXTS, "loss.py": "x = 3\n"})
        return write(package, out, force=force)

    write = disk.write
    save("toy.xlm", {**TEXTS, "loss.py": "x = 2\n"})
    monkeypatch.setattr(disk, "write", write_late)
    assert compiles_again(built)
    assert LOSS.read_text() == "x = 2\n"
    assert compiles_again(built)
    assert LOSS.read_text() == "x = 3\n"


# The cache


def test_the_cache_is_private(built) -> None:
    assert stamp.folder() == Path("cache/xlmc/stamps").resolve()
    assert stamp.folder().stat().st_mode & 0o777 == 0o700
    assert [path.suffix for path in stamp.folder().iterdir()] == [".json"]


def test_a_cache_that_others_may_write_is_not_believed(built) -> None:
    stamp.folder().chmod(0o777)
    assert compiles_again(built)


def test_a_cache_of_another_user_is_not_believed(built, monkeypatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert compiles_again(built)


def test_a_linked_cache_is_not_believed(built) -> None:
    stamp.folder().rename("stolen")
    stamp.folder().symlink_to(Path("stolen").resolve())
    assert compiles_again(built)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"compiler": 1}', "\x00"])
def test_a_broken_stamp_is_no_stamp(built, text) -> None:
    for path in stamp.folder().iterdir():
        path.write_text(text)
    assert compiles_again(built)
    assert not compiles_again(built)


def test_a_cache_that_cannot_be_written_costs_time_only(built, monkeypatch) -> None:
    Path("file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path("file").resolve()))
    assert compiles_again(built)
    assert compiles_again(built)


def test_a_relative_cache_home_is_ignored(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert stamp.folder() == tmp_path / ".cache" / "xlmc" / "stamps"


def test_old_stamps_are_dropped(built, monkeypatch) -> None:
    monkeypatch.setattr(stamp, "LIMIT", 3)
    for number in range(5):
        assert compiles_again(built, "--out", f"out{number}")
    assert len(list(stamp.folder().iterdir())) == 3


def test_no_path_of_a_stamp_reaches_a_package(built) -> None:
    text = "".join(path.read_text() for path in Path("out/toy").iterdir())
    assert str(Path.cwd()) not in text
    assert str(Path.cwd()) in json.dumps([path.read_text() for path in stamp.folder().iterdir()])


# Imports

REPEATED = """
import sys
from xlmc.commands.cli import execute
assert execute(["build", "toy.xlm"]) == 0
heavy = {"sympy", "lark", "black", "jinja2", "torch", "cattrs", "numpy", "xlm_runtime"}
loaded = heavy & {name.partition(".")[0] for name in sys.modules}
assert not loaded, loaded
assert "xlmc.compiler" not in sys.modules
"""


def test_a_repeated_build_imports_neither_sympy_nor_lark_nor_black(built) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REPEATED],
        env={**os.environ, "PYTHONPATH": str(resources.HERE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "out/toy: up to date\n"

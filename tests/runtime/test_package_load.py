"""Packages: any directory name, two at once, and what is said about one that is broken."""

import py_compile
import re
import shutil
import sys
from pathlib import Path

import pytest

from xlm_runtime.packages import package
from xlm_runtime.packages.contents import changes, read
from xlm_runtime.system.errors import UsageError

FAMILY = Path(__file__).parent / "toy_family"


def copied(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    shutil.copytree(FAMILY, path, ignore=shutil.ignore_patterns("__pycache__"))
    return path


@pytest.mark.parametrize("name", ["toy", "my package 2", "torch", "class", "a.b", "ünïcode"])
def test_any_directory_name(tmp_path: Path, name: str) -> None:
    path = copied(tmp_path, name)
    assert package.load(path).family.name == "toy"
    assert package.load(path).digest == package.load(FAMILY).digest


def test_two_copies_do_not_meet(tmp_path: Path) -> None:
    first, second = copied(tmp_path / "a", "toy"), copied(tmp_path / "b", "toy")
    file = second / "family.py"
    file.write_text(file.read_text().replace('title="Toy masked model"', 'title="Other"'))
    loaded = [package.load(path).family.title for path in (first, second, first)]
    assert loaded == ["Toy masked model", "Other", "Toy masked model"]


def test_digest_sees_names_and_bytes_not_caches(tmp_path: Path) -> None:
    path = copied(tmp_path, "toy")
    before = read(path).digest
    (path / "__pycache__").mkdir(exist_ok=True)
    (path / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert read(path).digest == before
    for name in ("x.pyc", "x.so", "notes.txt"):
        (path / name).write_bytes(b"1")
        assert read(path).digest != before
        (path / name).unlink()
    assert read(path).digest == before
    (path / "toy.xlm").rename(path / "tot.xlm")
    assert read(path).digest != before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("from .nothing import FAMILY", "is broken (ModuleNotFoundError: "),
        ("def f(:", "is broken (SyntaxError: "),
        ("import my_backbone", "needs the Python module 'my_backbone', which is not found"),
        ("FAMILY = 3", "exports no FAMILY"),
        ("from xlm_runtime.plug import Nothing", "is broken (ImportError: "),
    ],
)
def test_broken_packages(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "__init__.py").write_text(content)
    modules = set(sys.modules)
    with pytest.raises(UsageError, match=re.escape(said)):
        package.load(tmp_path)
    left = {name for name in set(sys.modules) - modules if name.startswith("_xlm_package")}
    assert not left or said == "exports no FAMILY"


def test_missing_packages(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no package at .*nowhere; build one: xlmc build"):
        package.load(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"is a spec; build it first: xlmc build spec/ilm\.xlm"):
        package.load(Path("spec/ilm.xlm"))


def test_changes_show_the_spec_else_the_files(tmp_path: Path) -> None:
    path = copied(tmp_path, "toy")
    (path / "family.py").write_text("# edited")
    old = read(FAMILY).files
    said = "the specs are the same; these files differ: family.py"
    assert changes(old, read(path).files) == said
    (path / "toy.xlm").write_text('family toy "Other" {\n}\n')
    found = changes(old, read(path).files)
    assert '-family toy "Toy" {\n+family toy "Other" {' in found
    assert "these files differ too: family.py" in found


def compiled(source: Path, into: Path, text: str) -> None:
    """Bytecode that Python believes whatever its source is, as an unchecked hash asks."""
    source.with_suffix(".tmp").write_text(text)
    into.parent.mkdir(exist_ok=True)
    py_compile.compile(
        str(source.with_suffix(".tmp")),
        cfile=str(into),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    source.with_suffix(".tmp").unlink()


def test_bytecode_beside_a_package_is_neither_run_nor_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = copied(tmp_path, "toy")
    package.load(path)
    assert sorted(file.name for file in path.iterdir()) == ["__init__.py", "family.py", "toy.xlm"]
    tag = sys.implementation.cache_tag
    evil = "raise SystemExit('bytecode was run')"
    for module in ("family", "__init__"):
        compiled(path / f"{module}.py", path / f"__pycache__/{module}.{tag}.pyc", evil)
        compiled(path / f"{module}.py", path / f"{module}.pyc", evil)
    assert package.load(path).family.name == "toy"
    (path / "family.py").unlink()  # what is left of it is bytecode alone
    with pytest.raises(UsageError, match=r"is broken \(ModuleNotFoundError"):
        package.load(path)


def test_what_was_hashed_is_what_runs_and_what_is_copied(tmp_path: Path) -> None:
    path = copied(tmp_path, "toy")
    held = read(path)
    for file in path.glob("*.py"):
        file.write_text("raise SystemExit('other code was run')")
    assert package.load(held).family.name == "toy"
    held.write(tmp_path / "copy")
    assert read(tmp_path / "copy").digest == held.digest
    assert package.load(tmp_path / "copy").digest == held.digest


def test_imports_within_functions_and_tracebacks_know_their_files(tmp_path: Path) -> None:
    path = copied(tmp_path, "toy")
    (path / "late.py").write_text("def fail():\n    raise KeyError('here')\n")
    family = path / "family.py"
    family.write_text(
        f"{family.read_text()}\n\ndef later():\n    from . import late\n    late.fail()\n"
    )
    module = sys.modules[package.load(path).family.loss.__module__]
    with pytest.raises(KeyError) as caught:
        module.later()
    assert caught.traceback[-1].path == path / "late.py"
    assert "raise KeyError('here')" in str(caught.getrepr())


def test_a_manifest_of_another_family_is_refused(tmp_path: Path) -> None:
    path = copied(tmp_path, "toy")
    (path / "MANIFEST.json").write_text('{"family": "ilm"}')
    with pytest.raises(UsageError, match="names the family ilm, but the code is of toy"):
        package.load(path)


def test_a_spec_of_other_line_ends_shows_no_equal_lines() -> None:
    assert changes({"a.xlm": b"x\r\ny\r\n"}, {"a.xlm": b"x\ny\n"}) == (
        "a.xlm: only its line ends differ (CR LF, or LF)"
    )

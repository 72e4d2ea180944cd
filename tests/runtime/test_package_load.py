"""Packages: any directory name, two at once, and what is said about one that is broken."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from xlm_runtime import package
from xlm_runtime.errors import UsageError

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
    before = package.digest(path)
    (path / "__pycache__").mkdir(exist_ok=True)
    (path / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert package.digest(path) == before
    (path / "toy.xlm").rename(path / "tot.xlm")
    assert package.digest(path) != before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("from .nothing import FAMILY", "is broken (ModuleNotFoundError: "),
        ("def f(:", "is broken (SyntaxError: "),
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
    assert package.changes(FAMILY, path) == "the specs are the same; these files differ: family.py"
    (path / "toy.xlm").write_text('family toy "Other" {\n}\n')
    assert '-family toy "Toy" {\n+family toy "Other" {' in package.changes(FAMILY, path)

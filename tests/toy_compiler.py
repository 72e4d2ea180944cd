"""Stands in for the compiler where a test is about files, not about specs.

A spec here is JSON: file names -> texts. The family has the name of the file.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import xlmc
from xlmc.emit.package import assemble
from xlmc.resources import digest

TEXTS = {"__init__.py": '"""Toy."""\n', "loss.py": "x = 1\n"}


class Toy:
    """The functions of `xlmc.compiler` that the commands call; ``compiled`` counts the calls."""

    def __init__(self) -> None:
        self.compiled: list[Path] = []
        self.warnings: Sequence[Any] = ()
        self.addition = ""

    def compile_spec(self, path: Path) -> SimpleNamespace:
        """The package of a toy spec; ``addition`` is what another compiler would write."""
        self.compiled.append(path)
        texts = {name: text + self.addition for name, text in json.loads(path.read_text()).items()}
        copies = {f"{path.stem}.xlm": path.read_text()}
        package = assemble(path.stem, texts, copies, {})
        read = {path: digest(path.read_bytes())}
        return SimpleNamespace(path=path, package=package, warnings=self.warnings, read=read)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Toy:
    """The toy compiler in the place of the real one, in a folder of its own with one spec."""
    double = Toy()
    monkeypatch.setitem(sys.modules, "xlmc.compiler", double)
    monkeypatch.setattr(xlmc, "compiler", double, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    save("toy.xlm", TEXTS)
    return double


def save(name: str, texts: dict[str, str]) -> None:
    """Writes a toy spec."""
    Path(name).write_text(json.dumps(texts))

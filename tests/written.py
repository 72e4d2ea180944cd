"""Two versions of a package, of which one is on the disk."""

from pathlib import Path

import pytest

from xlmc.emit.package import Package, assemble

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


def edit(tmp_path: Path, name: str, text: str = "edited\n") -> None:
    (tmp_path / "toy" / name).write_text(text)

"""A part of what tests/damage.py and tests/kills.py try."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import damage
import pytest

HERE = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path.cwd())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    here, folder = Path.cwd(), tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE / "runtime")
        damage.made(folder)
        yield folder
    os.chdir(here)


@pytest.mark.many
@pytest.mark.parametrize("name", ["run.json", "tokenizer/tokenizer.json", "predictions.json"])
def test_no_damage_to_a_run_is_used_or_a_traceback(name: str, whole: Path) -> None:
    expected = damage.undamaged(whole, damage.used)
    found = damage.tried(whole, str(damage.RUN / name), 1, damage.used, expected)
    assert found.total() == 10
    assert found["silently used"] + found["tracebacks"] == 0, found
    assert found["refused in one line"] >= 7


def test_all_damage_to_the_cache_is_noticed(tmp_path: Path) -> None:
    os.chdir(tmp_path)
    expected = damage.prepared()
    (file,) = tmp_path.rglob("body.ids")
    found = damage.tried(tmp_path, str(file.relative_to(tmp_path)), 4, damage.prepared, expected)
    assert found == {"prepared again": found.total()}


@pytest.mark.slow
def test_killed_jobs_end_the_same() -> None:
    command = [sys.executable, HERE / "kills.py", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("|") for line in done.stdout.splitlines()[2:]]
    assert len(rows) == 6
    assert [(row[3].strip(), row[4].strip()) for row in rows] == [("0", "0")] * 6

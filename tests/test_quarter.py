"""Of tests with many cases a quarter is always run; the rest is slow."""

import subprocess
import sys
from pathlib import Path

CASES = """
import pytest

@pytest.mark.{many}
@pytest.mark.parametrize("case", range({number}))
def test_one(case): pass
"""


def always(folder: Path) -> list[str]:
    """Return the ids of the tests of a folder that are not slow."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-m", "not slow"]
    command += ["-W", "ignore", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_a_quarter_of_many_cases_is_always_run(tmp_path: Path) -> None:
    """Of a law's cases and of those marked `many`; two at least, and all of other tests."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text((Path(__file__).parent / "conftest.py").read_text())
    (tmp_path / "laws").mkdir()
    kept = {"laws/test_law": 5, "test_many": 5, "test_few": 2, "test_plain": 20, "test_slow": 0}
    for name, many, number in (
        ("laws/test_law", "plain", 20),
        ("test_many", "many", 20),
        ("test_few", "many", 5),
        ("test_plain", "plain", 20),
        ("test_slow", "slow", 20),
    ):
        (tmp_path / f"{name}.py").write_text(CASES.format(many=many, number=number))
    ids = always(tmp_path)
    found = {name: sum(one.startswith(f"{name}.py") for one in ids) for name in kept}
    assert found == kept

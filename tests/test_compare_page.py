"""The ablation of docs/compare.md: its spec builds, and its commands print what they should."""

import re
from pathlib import Path

import pytest
from pages import ROOT, blocks, run

PAGE = ROOT / "docs" / "compare.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spec").symlink_to(ROOT / "spec")
    return tmp_path


@pytest.mark.slow
def test_the_spec_of_three_lines_is_a_package(folder: Path) -> None:
    first, *_ = (block for block in blocks(PAGE) if not block.slow)
    printed = run(first, folder)
    assert "out/flat" in printed
    assert len((folder / "flat.xlm").read_text().splitlines()) == 3
    assert "weight" not in (folder / "out/flat/loss.py").read_text()


def shown() -> str:
    """The comparison that the page shows."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(r"^`compare` prints\n\n```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.slow
def test_the_ablation(folder: Path) -> None:
    printed = "".join(run(block, folder) for block in blocks(PAGE))
    numbers = re.compile(r"\d+\.\d+| +")  # those of this machine, and the widths that they need
    plain = [numbers.sub(" ", line).replace("-", "") for line in printed.splitlines()]
    for line in shown().splitlines():
        assert numbers.sub(" ", line).replace("-", "") in plain
    assert printed.count("mean and standard deviation of 3 seeds:") == 4
    rows = [line.split() for line in printed.splitlines() if line.startswith("  runs/")]
    assert len({row[0] for row in rows}) == 6
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count('id="curve-loss') == 12
    assert "flat on star_easy" in page

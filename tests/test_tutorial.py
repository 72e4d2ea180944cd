"""The tutorial's commands do what it prints."""

import re
from pathlib import Path

import pytest
from pages import ROOT, blocks, run

PAGE = ROOT / "docs" / "tutorial.md"


def shown() -> list[str]:
    """The outputs that the page shows, in order."""
    return re.findall(r"^```text\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    printed = "".join(run(block, tmp_path) for block in blocks(PAGE) if not block.slow)
    for text in shown():
        assert text.rstrip() in printed
    assert "family wave" in printed
    assert "**Likelihood.** `tight`" in printed
    assert "out/half" in printed


@pytest.mark.slow
def test_the_whole_tutorial(tmp_path: Path) -> None:
    printed = [run(block, tmp_path) for block in blocks(PAGE)]
    metrics = next(text for text in printed if "exact_match" in text and "quick-seed1" in text)
    found = re.search(r'"exact_match": ([0-9.]+)', metrics)
    assert found is not None
    assert float(found[1]) > 0.6  # a guess is right half of the time

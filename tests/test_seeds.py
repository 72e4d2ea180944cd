"""The settings of docs/seeds.md give the same numbers on all processors that can be acted."""

from pathlib import Path

import pytest
from seeds import COMPARED, EQUAL, PROCESSORS, THREADS, asked


@pytest.mark.slow
def test_the_settings_make_results_equal(tmp_path: Path) -> None:
    common = EQUAL | {THREADS: "1"}
    found = [asked(tmp_path / "weights.pt", lacks | common) for lacks in PROCESSORS.values()]
    for name in COMPARED:
        assert len({one[name] for one in found}) == 1, name


def test_the_page_names_the_settings() -> None:
    page = (Path(__file__).parent.parent / "docs" / "seeds.md").read_text(encoding="utf-8")
    assert " ".join(f"{name}={value}" for name, value in EQUAL.items()) in page

"""Every family with some task, and every task with some family: what `tests/all_pairs.py` does."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from all_pairs import FAMILIES, cell

from xlm_runtime import tasks
from xlm_runtime.packages.package import load
from xlm_runtime.plug import Family, Vocabulary

VOCAB = Vocabulary(8, {"pad": 0, "mask": 1, "bos": 2, "eos": 3, "cls": 4})
EXAMPLES = Path(__file__).parents[2] / "examples"
LIGHT = ("star_easy", "star_back", "n_queens_8", "cfg", "owt", "owt_packed", "uniref50")
HEAVY = sorted({*tasks.names()} - {*LIGHT})  # data that take long to prepare
PAIRS = list(zip(FAMILIES, cycle(LIGHT), strict=False))
FEW = PAIRS[::5]  # always run
SLOW = [*sorted({*PAIRS} - {*FEW}), *zip(cycle(FAMILIES), HEAVY, strict=False)]
CASES = [*FEW, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in SLOW)]


def test_every_family_and_every_task_has_its_turn() -> None:
    pairs = [*FEW, *SLOW]
    assert {family for family, _ in pairs} == set(FAMILIES)
    assert {task for _, task in pairs} == set(tasks.names())
    assert {task for _, task in FEW} == set(LIGHT)


def reasons(family: Family) -> Iterator[str]:
    """Words of the reasons why a family may refuse a task."""
    if not family.packs:
        yield "cannot train on packed rows"
    infill = family.layouts.get("infill")
    if infill is not None and infill(VOCAB, 8).begins:
        yield "can only be given the beginning of a text"


@pytest.mark.parametrize(("family", "task"), CASES, ids=lambda name: name)
def test_a_pair_trains_evaluates_and_generates_or_is_refused_in_words(
    family: str, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLM_CACHE", str(cache))
    found = cell(family, task, tmp_path)
    if "refused" in found:
        assert any(words in found["refused"] for words in reasons(load(EXAMPLES / family).family))
    else:
        assert 0 < found["last"] < 2 * found["first"]
        assert found["claim"] in {"tight", "bound", "none"}

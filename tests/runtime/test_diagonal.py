"""Every task with one family, and every family with some task: what `tests/all_pairs.py` does."""

from pathlib import Path

import pytest
from all_pairs import FAMILIES, cell

from xlm_runtime import tasks
from xlm_runtime.packages.package import load

EXAMPLES = Path(__file__).parents[2] / "examples"
LONG = {"safe_linker", "safe_motif", "safe_scaffold", "safe_superstructure"}  # `safe` is like them
NAMES = [name for name in tasks.names() if name not in LONG]
REFUSED = {"owt_packed": "cannot train on packed rows"}  # words of the reason
TURNS = range(max(len(NAMES), len(FAMILIES)))
PAIRS = [(FAMILIES[turn % len(FAMILIES)], NAMES[turn % len(NAMES)]) for turn in TURNS]
MORE = [pytest.param(FAMILIES[0], name, marks=pytest.mark.slow) for name in sorted(LONG)]


def test_every_family_and_every_task_has_its_turn() -> None:
    assert {family for family, _ in PAIRS} == set(FAMILIES)
    assert {task for _, task in PAIRS} | LONG == set(tasks.names())


@pytest.mark.parametrize(("family", "task"), [*PAIRS, *MORE], ids=lambda name: name)
def test_a_pair_trains_evaluates_and_generates_or_is_refused_in_words(
    family: str, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLM_CACHE", str(tmp_path / "cache"))
    found = cell(family, task, tmp_path)
    if task in REFUSED and not load(EXAMPLES / family).family.packs:
        assert REFUSED[task] in found.get("refused", "")
    else:
        assert 0 < found["last"] < 2 * found["first"]
        assert found["claim"] in {"tight", "bound", "none"}

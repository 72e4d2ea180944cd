"""A part of the injection corpus, and all of it under ``-m slow``: see `tests/injection.py`."""

from pathlib import Path

import injection
import pytest
from injection import Case

CASES = list(injection.cases())
FINE = ("refused", "a text", "not run")
QUICK = {"files that no run holds", "bytecode"}
FOLDERS = ("package", "tokenizer", "checkpoints", "..", "/")
CODE = ("code_and_hashes", "forged_consent", "a_spec_that_names_python", "no_manifest")
JSON = (
    "run.json 1",
    "run.json 6",
    "run.json 10",
    "data.json 11",
    "metrics.json 6",
    "config.json 1",
)


def _refused_at_once(case: Case) -> bool:
    name = case.name.strip("'")
    return case.group in QUICK and name.startswith(FOLDERS)


def _some() -> list[Case]:
    specs = [case for case in CASES if case.run is None]
    rest = [case for case in CASES if case.run is not None]
    chosen = [case for case in rest if case.name in (*CODE, *JSON, "unchanged")]
    return [*specs[::29], *filter(_refused_at_once, rest), *chosen]


def _named(case: Case) -> str:
    return ascii(f"{case.group}: {case.name}")


@pytest.mark.many
@pytest.mark.parametrize("case", _some(), ids=_named)
def test_code_from_elsewhere_does_not_run(case: Case) -> None:
    found = injection.outcome(case)
    if case.name in CODE:
        assert found == "not run"
    elif _refused_at_once(case) or case.name in JSON:
        assert found == "refused"
    elif case.name == "unchanged":
        assert found == "a text"
    else:
        assert found in FINE


@pytest.mark.slow
def test_all_of_the_corpus() -> None:
    found = {case: injection.outcome(case) for case in CASES}
    assert {_named(case): end for case, end in found.items() if end not in FINE} == {}
    page = injection.PAGE.read_text(encoding="utf-8")
    assert injection.table(found) in page, "python tests/injection.py --write"


def test_the_corpus_sees_code_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check of the check: with every package trusted, the canary is there."""
    monkeypatch.setattr("hostile_runs.judged", lambda _: "")
    (case,) = (one for one in CASES if one.name == "code_and_hashes")
    assert injection.outcome(case) == "RAN"
    assert not Path("canary").exists()

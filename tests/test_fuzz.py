"""The first of the specs that `tests/fuzz.py` makes, and that it sees what is wrong."""

import pytest
from fuzz import _messages, fuzz, outcome, table, unknown
from spec_mutants import KINDS, SPECS, Mutant, mutant

from xlmc import compiler
from xlmc.diagnostics.source import Source, Span
from xlmc.diagnostics.syntax_errors import Empty


@pytest.mark.slow
def test_no_spec_of_a_hundred_is_our_fault() -> None:
    found = fuzz(range(100))
    assert not [(one.mutant.number, one.fault) for one in found if one.fault]
    assert 5 < sum(one.accepted for one in found) < 50
    assert all(f"| {kind} |" in table(found) for kind in KINDS)


def test_a_number_makes_the_same_spec_again() -> None:
    assert mutant(7) == mutant(7)
    assert mutant(7) != mutant(8)


def test_an_exception_is_a_fault(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(compiler, "checked", fails)
    found = outcome(Mutant(1, (), "mdlm", SPECS["mdlm"].encode()), tmp_path)
    assert "ZeroDivisionError" in found.fault


def test_a_place_outside_of_its_file_is_a_fault() -> None:
    source = Source("a.xlm", "abc")
    assert not _messages([Empty(span=Span(source, 0, 3))])
    assert "outside" in _messages([Empty(span=Span(source, 2, 4))])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def f(x):\n    return x + y\n", "reads ['y']"),
        ("from .b import c\n", "imports ['c'] from b"),
        ("z = 1\n\n\nclass A:\n    w = z\n\n    def f(self):\n        return len(self.w)\n", ""),
    ],
)
def test_names_that_nothing_defines_are_a_fault(text: str, fault: str) -> None:
    found = unknown({"a.py": text, "b.py": "d = 2\n"})
    assert fault in found
    assert bool(found) == bool(fault)

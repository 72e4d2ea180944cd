"""A hint that shows a line reads names of the spec at hand, or shows that they are to be added."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from families.compiled import completed
from families.renamed import declared, renamed

from xlmc.check.family import check
from xlmc.check.words import why_reserved
from xlmc.diagnostics.diagnostic import Diagnostic, SpecErrors
from xlmc.resolve.defaults import complete
from xlmc.resolve.inherit import flatten
from xlmc.resolve.library import Library
from xlmc.syntax import ast, printer
from xlmc.syntax.parse import parse
from xlmc.words.slots import verbs

ERRORS = Path(__file__).parent / "errors"
FORM = re.compile(r"\b(is|are) written ")  # of the language, whatever the spec is
READ = re.compile(  # a head, a param or a survival, where an author would read it
    r"\bdraw (\w+)|\bchance (?!at )(\w+)|\babove (\w+)|\b(\w+) [<>] [\d.]|\b(\w+) \* \w+\("
    r"|\bscale = (\w+)|\b(?:reveal|hazard|zero|tempered|uniform)\(([a-z]\w*)|^(\w+) : \w+_\w+\("
)
ADDED = re.compile(r"\b(?:head|param|let|survival|events|family) (\w+)")


def shown(text: str) -> Iterator[str]:
    """The lines of a spec that a hint shows."""
    yield from () if FORM.search(text) else re.findall(r"`([^`]*)`", text)


def read(text: str) -> set[str]:
    """The names that the lines of a hint read."""
    found = {name for line in shown(text) for names in READ.findall(line) for name in names}
    return {name for name in found - {""} if not name.isdigit() and not why_reserved(name, "a let")}


def helps(case: Path) -> list[str]:
    messages = case.with_suffix(".err")
    lines = messages.read_text("utf-8").splitlines() if messages.exists() else []
    return [line for line in lines if line.startswith("help: ")]


SPECS = [case for case in sorted(ERRORS.glob("*.xlm")) if not case.stem.startswith("syntax_")]
CASES = [case for case in SPECS if any(map(read, helps(case)))]


def told(family: ast.Family) -> tuple[Diagnostic, ...]:
    try:
        return tuple(check(family))
    except SpecErrors as caught:
        return caught.diagnostics


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_hint_reads_names_of_the_spec(case: Path) -> None:
    """Under other names than the usual ones, so that no hint names what is merely common."""
    library = Library(case)
    family = complete(flatten(parse(library.spec, verbs()), library.find, library.known()))
    names = {old: f"own_{chr(97 + i)}" for i, old in enumerate(declared(family))}
    hints = [one.say(one.help) for one in told(completed(printer.text(renamed(family, names))))]
    added = {name for hint in hints for line in shown(hint) for name in ADDED.findall(line)}
    for hint in hints:
        assert read(hint) <= {*names.values(), *added}, hint


def test_many_hints_are_examined() -> None:
    assert len(CASES) > 40

"""A message on an example: its text for a small mistake, and the lines without the mistake."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from xlmc import resources
from xlmc.check.family import check
from xlmc.diagnostics.diagnostic import Diagnostic, SpecErrors, render
from xlmc.diagnostics.excerpt import printable
from xlmc.diagnostics.mistakes import MISTAKES, PARENTS
from xlmc.diagnostics.source import Source
from xlmc.resolve.defaults import complete
from xlmc.resolve.inherit import flatten
from xlmc.syntax.parse import parse, read_source
from xlmc.words.slots import verbs

NAME = "example.xlm"


def before(code: str) -> str:
    """Return the message with a code for the spec with the mistake, as `xlmc check` prints it."""
    return render([one for one in look(MISTAKES[code].wrong) if one.code == code])


def after(code: str) -> str:
    """Return the lines that replace the mistake, with their numbers."""
    mistake = MISTAKES[code]
    wrong, right = mistake.wrong.splitlines(), mistake.right.splitlines()
    changes = SequenceMatcher(None, wrong, right, autojunk=False).get_opcodes()
    found = [n for tag, *_, start, stop in changes if tag != "equal" for n in range(start, stop)]
    if not found:
        return "the same without that line"
    return "\n".join(f"{n + 1:>2} | {printable(right[n])}" for n in found)


def look(text: str) -> Sequence[Diagnostic]:
    """Return all messages about the text of a spec."""
    try:
        written = parse(read_source(NAME, text.encode("utf-8", "surrogateescape")), verbs())
        return check(complete(flatten(written, _parent, sorted(PARENTS))))
    except SpecErrors as errors:
        return errors.diagnostics


def _parent(family: str) -> Source | None:
    """Return the spec of a parent: one beside the example, or a shipped one."""
    if family in PARENTS:
        return Source(f"{family}.xlm", PARENTS[family])
    path = resources.folder("spec") / f"{family}.xlm"
    return Source(path.name, path.read_text("utf-8")) if path.is_file() else None

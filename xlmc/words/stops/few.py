"""``HEAD < NUMBER``: so few tokens are missing, by the numbers that a head gives for the gaps."""

from collections.abc import Iterator

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import WrongStop
from xlmc.syntax import ast, query
from xlmc.theory.needs import BOTH
from xlmc.words.stops.base import Number, Stop, kinds

CLOCKS = "xlmc ends insertions by a number of missing tokens only where they insert masks"


class Few(Stop):
    """The word ``HEAD < NUMBER``."""

    name = "HEAD < NUMBER"
    form = "stop when HEAD < NUMBER"
    meaning = (
        "The gaps of the row expect fewer tokens than this in sum: nothing more is inserted, and "
        "its masks are still filled; 0 never stops."
    )
    example = "stop when gap < 0.1"
    needs = tuple(need.because(CLOCKS) for need in BOTH)
    kind = "few"
    once = True
    of_missing = True

    def holds(self, one: ast.Condition, family: ast.Family) -> bool:
        """Return whether a number of missing tokens is compared by ``<``."""
        if not isinstance(one, ast.Compare) or one.op != "<" or not isinstance(one.left, ast.Name):
            return False
        return kinds(family).get(one.left.id) in ("count", "distribution", "rate")

    def numbers(self, one: ast.Condition) -> Iterator[Number]:
        """Yield the threshold of ``HEAD < NUMBER``, as a number of missing tokens."""
        assert isinstance(one, ast.Compare)
        yield Number(one.right, "Scale", "number of missing tokens")

    def check(
        self, one: ast.Condition, section: ast.Section, family: ast.Family
    ) -> Iterator[Diagnostic]:
        """Complain about another head than the one that the decoder inserts by."""
        assert isinstance(one, ast.Compare)
        step = query.first(section.entries, ast.Step)
        insert = query.first(step.actions, ast.Insert) if step is not None else None
        amounts = query.amounts(insert) if insert is not None else ()
        spoken = query.spoken(amounts, query.those(section.entries, ast.Let))
        read = [name for name in query.heads(family) if name in spoken]
        if isinstance(one.left, ast.Name) and read and one.left.id not in read:
            why = "the decoder inserts by another head, and so is not done where this one is"
            yield WrongStop(span=one.span, why=why, hint=f"write `{read[0]} < 0.01`")

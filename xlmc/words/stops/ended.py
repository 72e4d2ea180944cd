"""``text = eos``: the text of a row that is written block by block holds its end."""

from collections.abc import Iterator

from xlmc.diagnostics.diagnostic import Diagnostic, Related
from xlmc.diagnostics.semantic_errors import WrongStop
from xlmc.syntax import ast, query
from xlmc.theory.needs import BLOCKED
from xlmc.words.stops.base import Stop, compares


class Ended(Stop):
    """The word ``text = eos``."""

    name = "text = eos"
    form = "stop when text = eos"
    meaning = "No mask is left, and the text holds an `eos`: no block follows."
    example = "stop when text = eos or length = limit"
    needs = (BLOCKED.because("only a text that is written block by block grows after an `eos`"),)
    kind = "ended"

    def holds(self, one: ast.Condition, family: ast.Family) -> bool:
        """Return whether a condition is ``text = eos``."""
        del family
        return compares(one, "text", "eos")

    def check(
        self, one: ast.Condition, section: ast.Section, family: ast.Family
    ) -> Iterator[Diagnostic]:
        """Complain about layouts that never predict an end."""
        del section
        for layout in query.layouts(family):
            if "eos" not in query.predicted(layout):
                why = f"layout `{layout.name}` never predicts `eos`"
                related = (Related(layout.span, "this layout"),)
                hint = "put it inside the brackets: `[body eos pad]`"
                yield WrongStop(span=one.span, why=why, hint=hint, related=related)

"""``text = stop_strings``: the text holds one of the strings that a run names."""

from collections.abc import Iterator

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import WrongStop
from xlmc.syntax import ast
from xlmc.theory.needs import WHOLE
from xlmc.words.stops.base import Stop, compares


class Strings(Stop):
    """The word ``text = stop_strings``."""

    name = "text = stop_strings"
    form = "stop when text = stop_strings"
    meaning = (
        "The text holds a string of `generate.stop`: nothing is made behind it. Where tokens are "
        "inserted, those behind it are taken out (and count to the limit as before), and others "
        "still come before it: samples are then not from the model's distribution."
    )
    example = "stop when no mask or text = stop_strings"
    needs = (WHOLE.because("xlmc ends a text that is written block by block at its `eos` alone"),)
    kind = "text"

    def holds(self, one: ast.Condition, family: ast.Family) -> bool:
        """Return whether a condition is about the text, or about the strings."""
        del family
        if not isinstance(one, ast.Compare):
            return False
        sides = [side.id for side in (one.left, one.right) if isinstance(side, ast.Name)]
        about = sides[:1] == ["text"] or sides[-1:] == ["stop_strings"]
        return about and not compares(one, "text", "eos")

    def check(
        self, one: ast.Condition, section: ast.Section, family: ast.Family
    ) -> Iterator[Diagnostic]:
        """Complain about anything else that is written of them."""
        del section, family
        if not compares(one, "text", "stop_strings"):
            why = "a text ends at one of the strings that a run names"
            yield WrongStop(span=one.span, why=why, hint="write `text = stop_strings`")

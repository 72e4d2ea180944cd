"""``length = limit``: the row has as many tokens as there is room for."""

from xlmc.syntax import ast
from xlmc.theory.needs import GROWS
from xlmc.words.stops.base import Stop, compares


class Full(Stop):
    """The word ``length = limit``."""

    name = "length = limit"
    form = "stop when length = limit"
    meaning = "The row has as many tokens as there is room for: no more is added to it."
    example = "stop when length = limit"
    needs = (GROWS.because("a canvas of masks has its length from the start"),)
    kind = "limit"
    limits = True

    def holds(self, one: ast.Condition, family: ast.Family) -> bool:
        """Return whether a condition is ``length = limit``."""
        del family
        return compares(one, "length", "limit")

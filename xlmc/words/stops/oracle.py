"""``length = oracle``: the row is as long as the answer of its own example."""

from xlmc.syntax import ast
from xlmc.theory.needs import DROPPED, GROWS, ONE_CLOCK
from xlmc.words.stops.base import Stop, compares

INSERTED = "xlmc ends rows at the length of their answers only under insertion"


class Oracle(Stop):
    """The word ``length = oracle``."""

    name = "length = oracle"
    form = "stop when length = oracle"
    meaning = "The row is as long as the example's own answer: for evaluation."
    example = "stop when length = oracle"
    needs = (
        GROWS.because("a canvas of masks has its length from the start"),
        DROPPED.because(INSERTED),
        ONE_CLOCK.because("masks may come into any gap, up to the end of the grid"),
    )
    kind = "oracle"
    limits = True

    def holds(self, one: ast.Condition, family: ast.Family) -> bool:
        """Return whether a condition is ``length = oracle``."""
        del family
        return compares(one, "length", "oracle")

"""``HEAD > NUMBER``: the chance that a head gives is above a threshold."""

from collections.abc import Iterator

from xlmc.syntax import ast
from xlmc.theory.needs import GROWS
from xlmc.words.stops.base import Number, Stop, of_chance


class Above(Stop):
    """The word ``HEAD > NUMBER``."""

    name = "HEAD > NUMBER"
    form = "stop when HEAD > NUMBER"
    meaning = (
        "A head of kind chance gives more than a number; `tempered(HEAD, T)` divides its log-odds "
        "by T, and `zero(HEAD)` is the chance of 0 that a head of kind distribution gives. With "
        "two clocks nothing more is inserted, and the masks are still filled."
    )
    example = "stop when done > 0.5 or length = limit"
    needs = (GROWS.because("a row ends when no mask is left, for any head"),)
    kind = "threshold"
    of_missing = True
    code = "{{}} > {{}}"

    def holds(self, one: ast.Condition, family: ast.Family) -> bool:
        """Return whether a chance is compared by ``>``."""
        return isinstance(one, ast.Compare) and one.op == ">" and of_chance(one.left, family)

    def chance(self, one: ast.Condition) -> ast.Expr:
        """Return the left side."""
        assert isinstance(one, ast.Compare)
        return one.left

    def numbers(self, one: ast.Condition) -> Iterator[Number]:
        """Yield the threshold."""
        assert isinstance(one, ast.Compare)
        yield Number(one.right, "Chance", "threshold")

"""``chance HEAD``: with the chance that a head gives."""

from xlmc.syntax import ast
from xlmc.theory.needs import GROWS
from xlmc.words.stops.base import Stop, of_chance


class Happens(Stop):
    """The word ``chance HEAD``."""

    name = "chance HEAD"
    form = "stop when chance HEAD"
    meaning = "Ends a row at random, with the chance that a head gives, as the likelihood assumes."
    example = "stop chance done or length = limit"
    needs = (GROWS.because("a row ends when no mask is left, for any head"),)
    kind = "chance"
    of_missing = True
    code = 'noise.uniform("{head}")[:, 0] < {{}}'

    def holds(self, one: ast.Condition, family: ast.Family) -> bool:
        """Return whether something happens with the chance of a head."""
        return isinstance(one, ast.Happens) and of_chance(one.chance, family)

    def chance(self, one: ast.Condition) -> ast.Expr:
        """Return the chance."""
        assert isinstance(one, ast.Happens)
        return one.chance

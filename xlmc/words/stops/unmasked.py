"""``no mask``: no mask is left."""

from xlmc.syntax import ast
from xlmc.theory.needs import PERMUTED, PLACES, WHOLE, arrow, either
from xlmc.words.stops.base import Stop


class Unmasked(Stop):
    """The word ``no mask``."""

    name = "no mask"
    form = "stop when no mask"
    meaning = "No mask is left: nothing more can be revealed."
    example = "stop when no mask"
    needs = (
        either(arrow("clean", "mask"), PERMUTED).because("this noise makes no masks"),
        PLACES.because("masks may come into any gap, up to the end of the grid"),
        WHOLE.because("another block of masks follows"),
    )
    kind = "unmasked"

    def holds(self, one: ast.Condition, family: ast.Family) -> bool:
        """Return whether no token is a mask."""
        del family
        return isinstance(one, ast.NoState) and one.state.id == "mask"

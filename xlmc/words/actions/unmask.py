"""``unmask``: masks become tokens."""

from xlmc.syntax import ast
from xlmc.theory.needs import MASKED
from xlmc.words.actions.base import Action


class Unmask(Action):
    """The word ``unmask``."""

    name = "unmask"
    order = -6
    form = "unmask RULE by ORDER"
    meaning = "Masks become tokens."
    example = "unmask quota masked / steps_left by confidence"
    node = ast.Unmask
    needs = (MASKED,)
    undoes = ("clean", "mask")

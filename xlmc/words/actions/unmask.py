"""``unmask``: masks become tokens."""

from xlmc.syntax import ast
from xlmc.theory.needs import arrow
from xlmc.words.actions.base import Action


class Unmask(Action):
    """The word ``unmask``."""

    name = "unmask"
    order = -6
    form = "unmask RULE by ORDER"
    meaning = "Masks become tokens."
    example = "unmask quota masked / steps_left by confidence"
    node = ast.Unmask
    needs = (arrow("clean", "mask"),)
    undoes = ("clean", "mask")

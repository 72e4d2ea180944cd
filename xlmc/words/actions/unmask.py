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
    values = (
        (
            "chance P",
            "each mask with chance P, on its own: `chance reveal(alpha)` is what the exact "
            "reverse chain does",
        ),
        (
            "quota N",
            "N masks of each row, rounded down: `quota masked / steps_left` spreads them "
            "over the steps",
        ),
        ("poisson N", "a random number with mean N"),
        ("one", "one"),
        ("all", "all that are left"),
        ("above P", "those with a score above P, and at least the best one"),
        (
            "within G",
            "the surest ones whose errors add up to less than G, the largest error apart; "
            "at least one",
        ),
    )
    node = ast.Unmask
    needs = (arrow("clean", "mask"),)
    undoes = ("clean", "mask")

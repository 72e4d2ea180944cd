"""``insert masks``: masks go into the gaps of the row, to become tokens later."""

from xlmc.syntax import ast
from xlmc.theory.needs import arrow
from xlmc.words.actions.base import Action


class InsertMasks(Action):
    """The word ``insert masks``."""

    name = "insert masks"
    order = -3
    form = "insert masks RULE"
    meaning = "A number of masks goes into each gap."
    example = "insert masks poisson gap * reveal(beta)"
    values = (
        (
            "poisson N",
            "a random number with mean N for each gap: with `gap * reveal(beta)` what the "
            "exact reverse chain does",
        ),
        ("chance P", "one with chance P in each gap"),
    )
    node = ast.Insert
    what = "masks"
    whats = "a kind of tokens to insert under this noise"
    needs = (arrow("mask", "gone"),)
    undoes = ("mask", "gone")
    rules = ("poisson", "chance")
    one_rule = "xlmc inserts masks by `poisson` or by `chance`"
    alone = "xlmc inserts masks by one rule in all gaps"

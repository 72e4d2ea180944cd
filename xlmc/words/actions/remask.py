"""``remask``: tokens become masks again."""

from xlmc.syntax import ast
from xlmc.theory.needs import arrow
from xlmc.words.actions.base import Action


class Remask(Action):
    """The word ``remask``."""

    name = "remask"
    order = -5
    form = "remask RULE by ORDER"
    meaning = (
        "Tokens that were drawn become masks again, by `chance P`, `quota N`, `poisson N` or "
        "`one`: at random, the least sure when they were drawn (`by confidence`), or the least "
        "sure now (`by SCORE of current`)."
    )
    example = "remask chance 0.02"
    node = ast.Remask
    needs = (arrow("clean", "mask"),)
    rules = ("chance", "quota", "poisson", "one")
    remedy = "drop the remask"

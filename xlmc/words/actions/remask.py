"""``remask``: tokens become masks again."""

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
    forms = ("remask chance 0.02", "remask quota 2 by confidence")
    simplest = "remask quota 2"
    needs = (arrow("clean", "mask"),)
    chooses = "tokens"
    rules = ("chance", "quota", "poisson", "one")
    remedy = "drop the remask"

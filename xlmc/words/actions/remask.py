"""``remask``: tokens become masks again."""

from xlmc.words.actions.edit import Edit


class Remask(Edit):
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
    rules = ("chance", "quota", "poisson", "one")
    one_rule = "it takes the surest tokens, and those should stay"
    variable = "again"
    stream = "remasked"
    effect = "{canvas}.mask({places})"
    hides = True
    does = "mask some tokens again"
    breaks = "tokens are masked again and resampled, several at once"

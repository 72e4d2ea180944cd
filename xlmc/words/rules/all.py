"""``all``: every place."""

from xlmc.calculus.code import Code, built
from xlmc.words.rules.base import Actor, Rule


class All(Rule):
    """The word ``all``."""

    name = "all"
    form = "all"
    meaning = "Every place that is left."
    example = "unmask all"
    takes = "every mask"
    ordered = False
    whole = True

    def places(self, score: Code, amount: Code | None, actor: Actor, *, last: bool) -> Code:
        """Return all candidates."""
        del score, amount, last
        return built(actor.candidates)

"""``quota``: a number of places."""

from math import floor

from xlmc.calculus.code import Code, built, per_row
from xlmc.words.rules.base import Actor, Rule


class Quota(Rule):
    """The word ``quota``."""

    name = "quota"
    form = "quota N [by SCORE]"
    meaning = (
        "The first N places of each row, rounded down: `quota masked / steps_left` spreads them "
        "over the steps."
    )
    example = "unmask quota masked / steps_left by confidence"
    takes = "a number of masks of each row"
    counts = True
    empty = True
    surely = True
    some = (1 - 1e-9, "1")
    hint = "a quota is at least 0: `masked / steps_left`"

    def revealed(self, amount: float, masked: float) -> float:
        """Return the number, rounded down but for rounding errors."""
        del masked
        return floor(amount + 1e-9)

    def rare(self, amount: float, bound: float) -> bool:
        """Return whether there is no second place."""
        del bound
        return amount < 2

    def amount(self, value: Code, actor: Actor) -> Code:
        """Return an integer for each row."""
        return per_row(value, actor.candidates)

    def places(self, score: Code, amount: Code | None, actor: Actor, *, last: bool) -> Code:
        """Return so many candidates of each row with the highest scores."""
        del last
        assert amount is not None
        return built(f"first({{}}, {actor.candidates}, {{}})", score, amount)

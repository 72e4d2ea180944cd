"""``one``: the first place."""

from xlmc.calculus.code import Code, built
from xlmc.words.rules.base import Actor, Rule


class One(Rule):
    """The word ``one``."""

    name = "one"
    form = "one [by SCORE]"
    meaning = "The first place of each row."
    example = "unmask one by confidence"
    takes = "one mask of each row"
    single = True

    def places(self, score: Code, amount: Code | None, actor: Actor, *, last: bool) -> Code:
        """Return the candidate of each row with the highest score."""
        del amount, last
        return built(f"first({{}}, {actor.candidates}, {actor.candidates}.any(1).long())", score)

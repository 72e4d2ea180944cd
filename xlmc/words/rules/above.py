"""``above``: the places whose scores are above a threshold."""

from xlmc.calculus.code import Code, built
from xlmc.words.rules.base import Actor, Rule


class Above(Rule):
    """The word ``above``."""

    name = "above"
    form = "above P [else RULE] by SCORE"
    meaning = "The places with a score above P, and at least the best one where no rule follows."
    example = "unmask above 0.9 by confidence"
    takes = "the masks whose score is above a threshold"
    empty = True
    alone = ", and at least the best one"
    scored = "has a threshold"
    thresholds = True

    def places(self, score: Code, amount: Code | None, actor: Actor, *, last: bool) -> Code:
        """Return the candidates above the threshold, and the best one if no other rule follows."""
        assert amount is not None
        if last:
            return built(f"above({{}}, {actor.candidates}, {{}})", score, amount)
        return built(f"{actor.candidates} & ({{}} > {{}})", score, amount)

"""``within``: the surest places, whose errors add up to little."""

from xlmc.calculus.code import Code, built
from xlmc.words.rules.base import Actor, Rule


class Within(Rule):
    """The word ``within``."""

    name = "within"
    form = "within G by SCORE"
    meaning = (
        "The surest places whose errors add up to less than G, the largest error apart; at least "
        "one. In `insert tokens` the largest counts, too, since a gap may miss nothing."
    )
    example = "unmask within 0.1 by confidence"
    takes = "the surest masks of each row whose errors add up to little"
    scored = "bounds a sum of errors"
    errors = True
    hint = "errors add up to at least 0: `within 0.1`"

    def places(self, score: Code, amount: Code | None, actor: Actor, *, last: bool) -> Code:
        """Return the candidates with the smallest errors, as many as the bound lets through."""
        del last
        assert amount is not None
        name = "few_errors" if actor.optional else "surest"
        return built(f"{name}({{}}, {actor.candidates}, {{}})", score, amount)

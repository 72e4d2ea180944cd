"""``factor``: the surest places, fewer of them the larger their largest error."""

from xlmc.calculus.code import Code, built
from xlmc.words.rules.base import Actor, Rule


class Factor(Rule):
    """The word ``factor``."""

    name = "factor"
    form = "factor F by SCORE"
    meaning = (
        "The n surest places, as many as can be with n + 1 times the largest error below F; at "
        "least one."
    )
    example = "unmask factor 1 by confidence"
    takes = "the surest masks of each row, fewer the larger their errors"
    scored = "bounds errors"
    errors = True
    hint = "errors are at least 0: `factor 1`"

    def places(self, score: Code, amount: Code | None, actor: Actor, *, last: bool) -> Code:
        """Return the candidates with the smallest errors, as many as the factor lets through."""
        del last
        assert amount is not None
        return built(f"factored({{}}, {actor.candidates}, {{}})", score, amount)

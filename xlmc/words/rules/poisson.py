"""``poisson``: a random number of places."""

from xlmc.calculus.code import Code, built, poisson
from xlmc.words.rules.base import Actor, Rule


class Poisson(Rule):
    """The word ``poisson``."""

    name = "poisson"
    form = "poisson N [by SCORE]"
    meaning = "The first places of each row, a random number with mean N of them."
    example = "unmask poisson masked * reveal(alpha)"
    takes = "a Poisson number of masks of each row"
    counts = True
    empty = True
    draws = True
    some = (1e-9, "1")
    hint = "a mean is at least 0: `masked * reveal(...)`"

    def revealed(self, amount: float, masked: float) -> float:
        """Return the mean."""
        del masked
        return amount

    def amount(self, value: Code, actor: Actor) -> Code:
        """Return a draw for each row."""
        return poisson(value, f'noise.uniform("{actor.numbers}")[:, 0]')

    def places(self, score: Code, amount: Code | None, actor: Actor, *, last: bool) -> Code:
        """Return so many candidates of each row with the highest scores."""
        del last
        assert amount is not None
        return built(f"first({{}}, {actor.candidates}, {{}})", score, amount)

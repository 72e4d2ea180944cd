"""``chance``: each place on its own."""

from xlmc.calculus.code import Code, built
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import ChanceLeavesRange
from xlmc.syntax import ast
from xlmc.theory.probe import SLIP
from xlmc.words.rules.base import Actor, Rule


class Chance(Rule):
    """The word ``chance``."""

    name = "chance"
    form = "chance P"
    meaning = (
        "Each place with chance P, on its own: `chance reveal(alpha)` is what the exact reverse "
        "chain does."
    )
    example = "unmask chance reveal(alpha)"
    takes = "each mask with a chance of its own"
    ordered = False
    empty = True
    draws = True
    surely = True
    of_place = True
    some = (1e-9, "0.01")

    def wrong(self, value: ast.Expr, found: float, where: str, hint: str = "") -> Diagnostic | None:
        """Return a complaint about a number that is no chance."""
        del hint
        if -SLIP <= found <= 1 + SLIP:
            return None
        return ChanceLeavesRange(span=value.span, value=f"{found:g}", where=where)

    def revealed(self, amount: float, masked: float) -> float:
        """Return the mean of a binomial number."""
        return masked * amount

    def places(self, score: Code, amount: Code | None, actor: Actor, *, last: bool) -> Code:
        """Return the candidates whose draws are below the chance."""
        del score, last
        assert amount is not None
        u = f'noise.uniform("{actor.stream}", canvas.position)'
        return built(f"{actor.candidates} & ({u} < {{}})", amount)

"""``fixed``: one amount for all rows."""

from collections.abc import Iterator

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import WrongAmount
from xlmc.syntax import ast
from xlmc.syntax.expression import literal
from xlmc.words.amounts.base import Amount


class Fixed(Amount):
    """The word ``fixed``."""

    name = "fixed"
    form = "amount t ~ fixed(TIME)"
    meaning = "Every row has the noise of one time, strictly between 0 and 1."
    example = "amount t ~ fixed(0.15)"
    order = 1

    def check(self, amount: ast.Amount) -> Iterator[Diagnostic]:
        """Check that it is a time between the ends, where neither nothing nor all is noise."""
        law = amount.law
        value = literal(law.arguments[0]) if len(law.arguments) == 1 else None
        if amount.variable.id == "count":
            yield WrongAmount(span=law.span, why="a row may be shorter than any fixed count")
        elif value is None or law.keywords:
            yield WrongAmount(span=law.span, why="`fixed` takes one time, a number")
        elif not 0 < value < 1:
            yield WrongAmount(span=law.span, why=f"{value:g} is not a time between 0 and 1")
        if amount.spread is not None:
            yield WrongAmount(
                span=amount.spread.span, why="a fixed amount has no range to spread draws over"
            )

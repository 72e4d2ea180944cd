"""``uniform``: any amount of a range, each as likely."""

from collections.abc import Iterator

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import WrongAmount
from xlmc.syntax import ast
from xlmc.syntax.expression import literal
from xlmc.words.amounts.base import Amount


class Uniform(Amount):
    """The word ``uniform``."""

    name = "uniform"
    form = "amount t ~ uniform(LOW, HIGH) | count ~ uniform(LOW, length) [stratified | antithetic]"
    meaning = "Each amount of the range is as likely: a time, or a number of corrupted tokens."
    example = "amount count ~ uniform(1, length)"
    default = "uniform counts under one arrow, stratified times under two"

    def check(self, amount: ast.Amount) -> Iterator[Diagnostic]:
        """Check the ends of the range."""
        law = amount.law
        if len(law.arguments) != 2 or law.keywords:
            yield WrongAmount(span=law.span, why="`uniform` takes the two ends of its range")
        elif amount.variable.id == "t":
            yield from _times(law)
        else:
            yield from _counts(law)


def _times(law: ast.Call) -> Iterator[Diagnostic]:
    low, high = (literal(argument) for argument in law.arguments)
    if low is None or high is None:
        yield WrongAmount(span=law.span, why="times are numbers from 0 to 1")
    elif not 0 <= low < high <= 1:
        yield WrongAmount(span=law.span, why=f"{low:g} to {high:g} is no range within 0 to 1")


def _counts(law: ast.Call) -> Iterator[Diagnostic]:
    low, high = law.arguments
    value = literal(low)
    if value not in (0, 1):
        yield WrongAmount(span=low.span, why="xlmc draws counts from 0 or from 1")
    if not (isinstance(high, ast.Name) and high.id == "length"):
        yield WrongAmount(
            span=high.span, why="xlmc draws counts up to `length`, a row's free tokens"
        )

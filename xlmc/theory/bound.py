"""The likelihood bound of a process: a sum over its arrows of hazard times divergence.

A term that trains the head of one arrow is its part of the bound under one weight, which the
functions here return; or they return a `Missing`, with the reason why there is none.
"""

from fractions import Fraction

from attrs import frozen

from xlmc.calculus.evaluate import FLOAT, Scope, value_of
from xlmc.syntax import ast, query
from xlmc.syntax.expression import MathError, exact, literal
from xlmc.theory.process import Process


@frozen
class Missing:
    """The reason why a term has no part in a bound.

    ``drawn``: another amount of noise would give it one, and if ``timed`` only a time.
    ``hint``: the remedy, unless it is another amount.
    """

    why: str
    drawn: bool = False
    timed: bool = False
    hint: str = "drop the weight"


NO_NOISE = Missing("there is no noise")
NO_END = Missing(
    "without a head for the end, where nothing is missing, there is no distribution over lengths"
)
NOT_UNIFORM = Missing("the counts of dropped tokens are not uniform", drawn=True)
FIXED = Missing("every example has the same amount of noise", drawn=True)

OF_EVENTS = Missing(
    "with events the number of dropped tokens is not uniform",
    hint="drop the weight, or train a rate, by `poisson(gone)`",
)
NO_RATES = Missing(
    "the bound of a rate is a mean over times, and here the amount of noise is a count",
    drawn=True,
    timed=True,
)

Bound = ast.Expr | Missing


@frozen
class Context:
    """A term of the loss, and the family around it.

    ``arrow`` is the one that its head undoes; ``tells_end``: some term of the loss trains a head
    for the end, where nothing is missing; ``tells_rate``: some term trains the rate of a whole row.
    """

    term: ast.Term
    process: Process
    arrow: ast.Arrow | None
    tells_end: bool
    tells_rate: bool


def one(context: Context) -> Bound:
    """Return the weight of a term that is -log p itself."""
    return ast.Number(Fraction(1), "1", span=context.term.span)


def of_arrow(context: Context) -> Bound:
    """Return the hazard of an arrow by the range of t; or the number of counts by the count."""
    term, arrow, process = context.term, context.arrow, context.process
    assert arrow is not None
    assert process.amount is not None
    low, _ = query.extent(process.amount)
    if process.amount.variable.id == "count":
        return ast.Binary("/", counts(low), _name("count", term), span=term.span)
    if process.amount.law.function == "fixed":
        return FIXED
    hazard = ast.Call("hazard", (_name(arrow.survival, arrow),), span=term.span)
    width = _width(process.amount, term)
    return hazard if width.value == 1 else ast.Binary("*", width, hazard, span=term.span)


def of_times(context: Context) -> Bound:
    """Return the range of t, for a term that holds the hazards of its tokens itself."""
    amount = context.process.amount
    assert amount is not None
    if amount.law.function == "fixed":
        return FIXED
    return NO_RATES if amount.variable.id == "count" else _width(amount, context.term)


def _width(amount: ast.Amount, term: ast.Term) -> ast.Number:
    """Return the width of the range of t."""
    low, high = query.extent(amount)
    width = exact(high) - exact(low)
    return ast.Number(width, format(float(width), "g"), span=term.span)


def of_rates(context: Context) -> Bound:
    """Return the hazard of an arrow by the range of t; counts give the rates no weight."""
    amount = context.process.amount
    return NO_RATES if amount is not None and amount.variable.id == "count" else of_arrow(context)


def of_pairs(context: Context) -> Bound:
    """Return the weight of a mean over missing tokens, each with its gap.

    Beside the rate of a row it is what they weigh together: their number times the hazard.
    """
    if not context.tells_rate:
        return of_insertions(context)
    hazard, term = of_rates(context), context.term
    if isinstance(hazard, Missing):
        return hazard
    return ast.Binary("*", _name("count", term), hazard, span=term.span)


def of_insertions(context: Context) -> Bound:
    """Return the number of counts, which makes a sum over insertions of their mean."""
    arrow, process = context.arrow, context.process
    assert arrow is not None
    assert process.amount is not None
    low, high = query.extent(process.amount)
    if not context.tells_end:
        return NO_END
    if process.struck:
        return OF_EVENTS
    if process.amount.variable.id == "count" or _uniform(low, high, arrow):
        return counts(low)
    return NOT_UNIFORM


def counts(low: ast.Expr) -> ast.Expr:
    """Return the number of counts: length + 1 from 0, length from 1."""
    length = _name("length", low)
    if literal(low) == 1:
        return length
    return ast.Binary("+", length, ast.Number(Fraction(1), "1", span=low.span), span=low.span)


def example(process: Process, missing: Missing) -> str:
    """Return an amount of noise, in the words of a spec, under which nothing is missing."""
    if missing.timed or not process.counted:
        return "amount t ~ uniform(1e-3, 1)"
    return f"amount count ~ uniform({0 if process.drops else 1}, length)"


def _uniform(low: ast.Expr, high: ast.Expr, arrow: ast.Arrow) -> bool:
    """Return whether t ~ U(0, 1) makes the count uniform on 0..length: the survival is 1 - t."""
    if (literal(low), literal(high)) != (0, 1):
        return False
    found = ((i / 16, _survives(arrow, i / 16)) for i in range(17))
    return all(value is not None and abs(value - (1 - t)) < 1e-9 for t, value in found)


def _survives(arrow: ast.Arrow, t: float) -> float | None:
    """Return the survival at a time; None where it has no value, which is reported elsewhere."""
    try:
        return float(value_of(arrow.value, Scope({"t": t}), FLOAT))
    except MathError:
        return None


def _name(name: str, near: ast.Node) -> ast.Name:
    return ast.Name(name, span=near.span)

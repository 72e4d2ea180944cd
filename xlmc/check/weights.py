"""The weights of the loss: what they mention, and the values that they take."""

from collections.abc import Iterator, Sequence
from itertools import islice

from attrs import evolve

from xlmc.check import scope
from xlmc.check.around import around
from xlmc.check.noise import sound
from xlmc.check.poles import diverges, valued
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import Clamped, NoBound, NoneVisible, TooHard, ZeroWeight
from xlmc.syntax import ast, query
from xlmc.syntax import expression as expressions
from xlmc.syntax.expression import literal
from xlmc.theory import bound, weights
from xlmc.theory.environment import Environment
from xlmc.theory.objective import Objective, Part, inlined, settings
from xlmc.theory.objective import weights as mentioned
from xlmc.theory.probe import Sample, distinct

DRAW = "draw one: `amount t ~ uniform(0, 1)`"


def environment(objective: Objective) -> Environment:
    """Return what a weight may mention, and how a message speaks of it."""
    process = objective.process
    untimed = process.amount is not None and not objective.timed
    where = "in a weight where the amount is a count" if untimed else "in a weight"
    drawn = process.known and process.one_clock
    return evolve(mentioned(objective), where=where, remedy=DRAW if drawn else "")


def known(expr: ast.Expr, objective: Objective) -> Iterator[Diagnostic]:
    """Check the names and functions in a weight, or in a ``let`` for weights."""
    env, process = environment(objective), objective.process
    yield from scope.known(expr, env)
    yield from around(expr, env, process)


def weight(part: Part, expr: ast.Expr, objective: Objective) -> Iterator[Diagnostic]:
    """Check the weight of a term that fits."""
    wrong = list(known(expr, objective))
    if not sound(objective.family):
        yield from wrong
        return
    wrong += _bound(part, expr, objective)
    wrong += _clamped(part, expr, objective)
    yield from wrong
    lets = [one for let in objective.lets for one in known(let.value, objective)]
    if not wrong and not lets and not any(scope.lets_in_order(objective.entries)):
        yield from _values(part, expr, objective)


def _bound(part: Part, expr: ast.Expr, objective: Objective) -> Iterator[Diagnostic]:
    """Report a `bound` in the weight of a term that has no part in one."""
    if isinstance(part.bound, bound.Missing) and any(n.id == "bound" for n in query.names(expr)):
        hint = part.bound.hint
        if part.bound.drawn:
            hint = f"write `{bound.example(objective.process, part.bound)}`"
        yield NoBound(span=expr.span, why=part.bound.why, hint=hint)


def _values(part: Part, expr: ast.Expr, objective: Objective) -> Iterator[Diagnostic]:
    """Check the values of a weight."""
    env = environment(objective)
    try:
        whole = inlined(part, objective)
    except expressions.TooHard as hard:
        yield TooHard(span=expr.span, reason=hard.reason)
        return
    if query.around(whole) and not part.per_token:
        yield NoneVisible(span=expr.span)
        return
    samples = list(distinct(expr, env, weights.samples(part, objective)))
    off = (one for _, one in valued(expr, env, samples) if not isinstance(one, float))
    wrong = [*islice(off, 1)] or [*_nothing(part, env, samples, objective)]
    yield from wrong
    if not wrong:
        yield from diverges(part, expr, env, objective)


def _nothing(
    part: Part, env: Environment, samples: Sequence[Sample], objective: Objective
) -> Iterator[Diagnostic]:
    """Report a weight that is 0 for all values of the params."""
    term = part.term
    assert term.weight is not None
    for one in settings(objective, env):
        if any(value != 0 for _, value in scope.values(term.weight, one, samples)):
            return
    yield ZeroWeight(span=term.weight.span, head=term.head.id)


def _clamped(part: Part, expr: ast.Expr, objective: Objective) -> Iterator[Diagnostic]:
    """Report numbers that clamp a bound; a param makes it explicit."""
    lets = objective.lets
    spoken = query.spoken([expr], lets)
    for one in (expr, *(let.value for let in lets if let.name in spoken)):
        for call in query.calls(one):
            if call.function in ("min", "max") and "bound" in query.spoken(call.arguments, lets):
                numbers = [a for a in call.arguments if literal(a) is not None]
                if numbers and not weights.idle(call, part, objective):
                    yield from (Clamped(span=a.span, limit=a.span.text) for a in numbers)

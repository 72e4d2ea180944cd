"""Events for which the tokens of a row compete: their expected number, and who may compete."""

from collections.abc import Iterator

from xlmc.calculus.evaluate import FLOAT, Scope, value_of
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import NoValue, WrongChain
from xlmc.syntax import ast
from xlmc.syntax.expression import MathError
from xlmc.theory.process import STRUCK, step_of

EXACT = 1e-6
EXPECTED = "`events` is their expected number, as in `1000 * t ** 3`"
SURE = 7.0  # events: that none comes has then the chance 1e-3


def competing(arrows: tuple[ast.Arrow, ...]) -> Iterator[Diagnostic]:
    """Complain about events for which other tokens compete than those that leave the row."""
    for arrow in arrows:
        if arrow.events is not None and (len(arrows) > 1 or step_of(arrow) != STRUCK[0]):
            why = "xlmc counts events where tokens leave the row, and no masks do"
            hint = f"write `survival {arrow.survival}(t) = 1 - t`: each token has a time of its own"
            yield WrongChain(span=arrow.span, why=why, hint=hint)


def expected(arrow: ast.Arrow) -> Iterator[Diagnostic]:
    """Check that a number of events has a value at either end of time, and is 0 at t = 0."""
    if arrow.events is None:
        return
    ends = []
    for t in (0.0, 1.0):
        try:
            ends.append(value_of(arrow.events, Scope({arrow.argument: t}), FLOAT))
        except MathError as error:
            yield NoValue(span=error.node.span, reason=error.reason, where=f"at t = {t:g}", hint="")
            return
    if abs(ends[0]) > EXACT * abs(ends[1]):
        reason = f"is {ends[0]:g} at t = 0, not 0"
        yield NoValue(
            span=arrow.events.span, reason=reason, where="nothing is noised", hint=EXPECTED
        )


def few(arrow: ast.Arrow) -> Iterator[Diagnostic]:
    """Complain about too few events for any row; a package refuses rows that are too long."""
    if arrow.events is None:
        return
    end = value_of(arrow.events, Scope({arrow.argument: 1.0}), FLOAT)
    if end < SURE:
        reason = f"is {end:g} at t = 1, less than {SURE:g}"
        where = "too few to drop all tokens of a row"
        yield NoValue(span=arrow.events.span, reason=reason, where=where, hint=EXPECTED)

"""The time at which a schedule takes a value: the expression peeled from the outside in."""

from collections.abc import Iterator

import sympy
from sympy import Add, Expr, Mul, Pow, Symbol

from xlmc.calculus.stable_forms import exponent_of
from xlmc.calculus.to_sympy import ALGEBRA, ENTRIES, expanded

MAX_BRANCHES = 16


def inverses(alpha: Expr, t: Symbol, p: Symbol) -> list[Expr]:
    """Return expressions in p, one of which may be the t with ``alpha(t) = p``, unchecked.

    Empty if the variable cannot be isolated.
    """
    found: list[Expr] = []
    found += _linear_fraction(alpha, t, p)
    for form in dict.fromkeys((alpha, expanded(alpha))):
        for branch in _peel(form, p, t):
            found.append(branch)
            if len(found) == MAX_BRANCHES:
                return found
    return found


def _linear_fraction(expr: Expr, t: Symbol, p: Symbol) -> Iterator[Expr]:
    """Invert ``(a*t + b) / (c*t + d)``, with t above and below the line."""
    above, below = expr.as_numer_denom()
    a, c = sympy.diff(above, t), sympy.diff(below, t)
    if c != 0 and not a.has(t) and not c.has(t):
        yield (above.subs(t, 0) - p * below.subs(t, 0)) / (c * p - a)


def _linear(expr: Expr, t: Symbol) -> Expr:
    """Write an expression as ``a*t + b`` with t once, if it has that form."""
    factor = sympy.diff(expr, t)
    return expr if factor.has(t) else factor * t + expr.subs(t, 0)


def _peel(expr: Expr, y: Expr, t: Symbol) -> Iterator[Expr]:
    """Solve ``expr = y`` for t."""
    if expr == t:
        yield y
    elif isinstance(expr, Add):
        yield from _peel_sum(expr, y, t)
    elif isinstance(expr, Mul):
        constant, rest = expr.as_independent(t, as_Add=False)
        exponent = exponent_of(rest) if isinstance(rest, Mul) else None
        if exponent is not None:
            yield from _peel(_linear(exponent, t), sympy.log(y / constant), t)
        elif not isinstance(rest, Mul):
            yield from _peel(rest, y / constant, t)
    elif isinstance(expr, Pow) and not expr.exp.has(t):
        root = y ** (1 / expr.exp)
        for branch in (root, -root) if expr.exp.is_even else (root,):
            yield from _peel(expr.base, branch, t)
    elif isinstance(expr, Pow) and not expr.base.has(t):
        yield from _peel(expr.exp, sympy.log(y) / sympy.log(expr.base), t)
    elif expr.func in ENTRIES and (undone := ENTRIES[expr.func].undone):
        for branch in undone(ALGEBRA, y):
            yield from _peel(expr.args[0], branch, t)


def _peel_sum(expr: Add, y: Expr, t: Symbol) -> Iterator[Expr]:
    constant, rest = expr.as_independent(t, as_Add=True)
    if not isinstance(rest, Add):
        yield from _peel(rest, y - constant, t)
        return
    second = sympy.diff(rest, t, 2) / 2
    if second.has(t) or second == 0:
        return
    first = sympy.diff(rest, t).subs(t, 0)
    root = sympy.sqrt(first**2 + 4 * second * (y - constant))
    yield (root - first) / (2 * second)
    yield (-root - first) / (2 * second)

"""Rewritings that keep their digits where a formula taken literally loses them.

``1 - cos(x)`` at x = 1e-6 has four digits left in float64, ``2 * sin(x/2)**2`` has all of them.
The functions here do the same for every expression of the language: every difference of two values
of one expression is reduced, from the outside in, to a difference of its variable.
"""

from collections.abc import Iterator
from functools import partial

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Symbol

from xlmc.calculus.to_sympy import ALGEBRA, ENTRIES, expanded, expm1, log1p

ONE = Integer(1)
ZERO = Integer(0)
_RIGHT = sympy.pi / 2  # the angle at which cosines end and, written as sines, begin


def corrupted_forms(alpha: Expr, t: Symbol) -> list[Expr]:
    """Return forms of ``1 - alpha``, the best guess first."""
    start = alpha.subs(t, 0)
    forms = []
    if exponent_of(alpha) is not None or isinstance(alpha, Pow):
        forms.append(-expm1(-minus_log(alpha, t)))
    if not start.has(sympy.nan, sympy.zoo, sympy.oo):
        forms.append((ZERO if _is_one(start) else 1 - start) + fall(alpha, ZERO, t))
    return [*forms, expanded(1 - alpha), 1 - alpha]


def end_forms(alpha: Expr, t: Symbol) -> list[Expr]:
    """Return forms of alpha that keep their digits where it falls to 0, at t = 1."""
    end = alpha.subs(t, 1)
    if end.has(sympy.nan, sympy.zoo, sympy.oo):
        return []
    return [(ZERO if _is_one(1 + end) else end) - fall(alpha, ONE, t)]


def _is_one(value: Expr) -> bool:
    """Return whether a constant is 1, even if SymPy does not see it (log(8) / (3 * log(2)))."""
    if value == 1:
        return True
    return bool(value.is_number and abs(sympy.N(value - 1, 60, maxn=80)) < 1e-50)


def exponent_of(expr: Expr) -> Expr | None:
    """Return the x of ``exp(x)``, also for powers with a variable exponent and products of them."""
    if isinstance(expr, sympy.exp):
        return expr.args[0]
    if isinstance(expr, Pow) and (expr.exp.free_symbols or expr.base.is_Rational):
        return expr.exp * sympy.log(expr.base)
    if isinstance(expr, Mul):
        exponents = [exponent_of(factor) for factor in expr.args]
        return None if None in exponents else expanded(Add(*exponents))
    return None


def grounded(expr: Expr, t: Symbol) -> Iterator[Expr]:
    """Yield the expression with its parts that vanish at one end, or the other, as falls."""
    yield expr.replace(lambda e: e.has(t), lambda e: _grounded_at(e, ZERO, t))
    yield expr.replace(lambda e: e.has(t), lambda e: _grounded_at(e, ONE, t))


def _grounded_at(expr: Expr, end: Expr, t: Symbol) -> Expr:
    """Rewrite a sum that is 0 at the end, or a function of a right angle there, as a fall."""
    if isinstance(expr, Add) and expr.subs(t, end) == 0:
        return -fall(expr, end, t)
    entry = ENTRIES.get(expr.func)
    if entry is not None and entry.grounded and expr.args[0].subs(t, end) == _RIGHT:
        return entry.grounded(ALGEBRA, fall(expr.args[0], end, t))
    return expr


def fall(expr: Expr, s: Expr, t: Symbol) -> Expr:
    """Return ``expr(s) - expr(t)``, with the cancellation done by algebra."""
    if not expr.has(t):
        return ZERO
    if expr == t:
        return s - t
    if isinstance(expr, Add):
        return Add(*(fall(term, s, t) for term in expr.args))
    if isinstance(expr, Mul):
        constant, rest = expr.as_independent(t, as_Add=False)
        return constant * (_fall_product(rest, s, t) if isinstance(rest, Mul) else fall(rest, s, t))
    if isinstance(expr, Pow) and not expr.exp.has(t):
        return _fall_power(expr, s, t)
    if exponent_of(expr) is not None:
        exponent = exponent_of(expr)
        return -expr.subs(t, s) * expm1(-fall(exponent, s, t))
    return _fall_function(expr, s, t)


def _fall_product(expr: Mul, s: Expr, t: Symbol) -> Expr:
    first, rest = expr.as_two_terms()
    return fall(first, s, t) * rest.subs(t, s) + first * fall(rest, s, t)


def _fall_power(expr: Pow, s: Expr, t: Symbol) -> Expr:
    base, n = expr.base, expr.exp
    before, down = base.subs(t, s), fall(base, s, t)
    if before == 0:
        return -expr if n.is_positive else expr.subs(t, s) - expr
    entry = ENTRIES.get(base.func)
    if n == 2 and entry is not None and entry.fall_square:
        return entry.fall_square(ALGEBRA, base.args[0], base.args[0].subs(t, s))
    if n.is_Integer and 2 <= n <= 4:
        return down * Add(*(before**i * base ** (n - 1 - i) for i in range(int(n))))
    if n == sympy.S.Half:
        return down / (sympy.sqrt(before) + sympy.sqrt(base))
    if n == -1:
        return -down / (before * base)
    return -(before**n) * expm1(n * log1p(-down / before))


def _fall_function(expr: Expr, s: Expr, t: Symbol) -> Expr:
    """Return the fall of a function of one argument, by its addition theorem."""
    x = expr.args[0]
    y, entry = x.subs(t, s), ENTRIES.get(expr.func)
    form = entry.fall if entry is not None else None
    found = form(ALGEBRA, x, y, fall(x, s, t)) if form else None
    return expr.subs(t, s) - expr if found is None else found


def minus_log(expr: Expr, t: Symbol) -> Expr:
    """Return ``-log(expr)`` of an expression that is 1 at t = 0, exact to first order there."""
    if isinstance(expr, Pow) and expr.base.has(t):
        return expr.exp * minus_log(expr.base, t)
    exponent = exponent_of(expr)
    if exponent is not None:
        return -exponent
    if isinstance(expr, Mul) and all(_is_one(factor.subs(t, 0)) for factor in expr.args):
        return Add(*(minus_log(factor, t) for factor in expr.args))
    return -log1p(-corrupted_forms(expr, t)[0])


def log_derivative(expr: Expr, t: Symbol) -> Expr:
    """Return ``expr' / expr``, with common factors cancelled."""
    if not expr.has(t):
        return ZERO
    if isinstance(expr, Mul):
        return Add(*(log_derivative(factor, t) for factor in expr.args))
    exponent = exponent_of(expr)
    if exponent is not None:
        return derivative(exponent, t)
    if isinstance(expr, Pow) and not expr.exp.has(t):
        return expr.exp * log_derivative(expr.base, t)
    if isinstance(expr, Add | Pow | Symbol):
        return derivative(expr, t) / expr
    entry = ENTRIES.get(expr.func)
    if entry is None or entry.rate is None:
        return derivative(expr, t) / expr
    return derivative(expr.args[0], t) * entry.rate(ALGEBRA, expr.args[0])


def derivative(expr: Expr, t: Symbol) -> Expr:
    """Return the derivative, with ``expm1`` and ``log1p`` replaced by their definitions."""
    return sympy.diff(unfold(expr), t)


def unfold(expr: Expr) -> Expr:
    """Rewrite an expression in functions that SymPy has."""
    for function, entry in ENTRIES.items():
        if entry.defined:
            expr = expr.replace(function, partial(entry.defined, ALGEBRA))
    return expr

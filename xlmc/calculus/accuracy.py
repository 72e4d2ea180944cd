"""Selection among several forms of a formula: the shortest of those that keep their digits.

The reference values come from the schedule itself, by dual numbers of mpmath at a precision at
which even ``1 - alpha`` of ``1 - t**64`` at t = 1e-6 is exact; SymPy has no part in it.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from attrs import frozen

from xlmc.calculus.arithmetic import TENSOR, Dual, dual, precise
from xlmc.calculus.evaluate import curve
from xlmc.syntax import ast
from xlmc.syntax.expression import MathError, inline, walk

DIGITS = 450
_EARLY = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.2, 0.3, 0.45, 0.6, 0.7, 0.85, 0.95)
GRID = (*_EARLY, 0.999, 1 - 1e-6, 1.0)
_ENOUGH = 1e-13  # relative; a form that errs by less is as good as any
_WANTED = 1e-11  # and by more than this is a reason to look for others
_LATE = 1e-9  # past t = 0.9: pi/2 * t itself is rounded, and the cosine of it falls to 0
_TINY = 1e-290  # below it float64 has no digits to lose
_COST = {"Binary": 1, "Negative": 1, "Call": 3, "Name": 0}


@frozen
class Point:
    """Names with their values in float64, and the exact value of the formula there."""

    names: Mapping[str, float]
    exact: Any  # mpf
    absolute: bool = False  # errors count as they are, not relative to the value


@frozen
class Truth:
    """alpha and alpha' at a point, to hundreds of digits; ``world``: the params there."""

    t: float
    alpha: Any
    dalpha: Any
    world: Mapping[str, float] = {}


def truths(
    expr: ast.Expr,
    variable: str,
    grid: Iterable[float] = GRID,
    world: Mapping[str, float] = MappingProxyType({}),
) -> list[Truth]:
    """Return the exact values at the points of the grid with a finite derivative."""
    import mpmath

    result, expr = [], numbered(expr, world)
    with mpmath.workdps(DIGITS):
        rough, exact = curve(expr), curve(expr, numbers=dual(precise()))
        for t in grid:
            point = Dual(mpmath.mpf(t), mpmath.mpf(1))
            try:
                rough({variable: t})  # bounds what mpmath has to compute
                value = exact({variable: point})
            except MathError:
                continue
            result.append(Truth(t, value.value, value.slope, world))
    return result


def numbered(expr: ast.Expr, world: Mapping[str, float]) -> ast.Expr:
    """Return the expression with numbers in the place of params."""
    values = {name: ast.Number(Fraction(x), repr(x), span=expr.span) for name, x in world.items()}
    return inline(expr, values) if values else expr


def points(facts: Sequence[Truth], quantity: Callable[[Truth], Any]) -> list[Point]:
    """Return the values of a quantity; points where it is infinite, or None, are left out."""
    import mpmath

    result = []
    with mpmath.workdps(DIGITS):
        for truth in facts:
            try:
                exact = quantity(truth)
            except ZeroDivisionError:
                continue
            if exact is not None and abs(exact) < 1e300:
                # At the very end, where cosines are 6e-17 for 0, only absolute errors make sense.
                names = {**truth.world, "t": truth.t}
                result.append(Point(names, exact, absolute=truth.t == 1.0))
    return result


def errors(expr: ast.Expr, where: Sequence[Point]) -> list[float]:
    """Return the error of a formula, computed in float64, at each point; infinite if it fails."""
    form = curve(expr, numbers=TENSOR)
    return [_error(form(point.names), point) for point in where]


def _error(value: float, point: Point) -> float:
    import mpmath

    if not math.isfinite(value):
        return math.inf
    if abs(point.exact) < _TINY and not point.absolute:
        return 0.0 if abs(value) < 10 * _TINY else math.inf
    with mpmath.workdps(40):
        scale = max(1, abs(point.exact)) if point.absolute else abs(point.exact)
        return float(abs(value - point.exact) / scale)


def operations(expr: ast.Expr) -> int:
    """Count the effort of reading a formula: operators and large numbers 1, functions 3.

    Every fraction line after the first counts 4 more.
    """
    lines = sum(isinstance(n, ast.Binary) and n.op == "/" and _varies(n.right) for n in walk(expr))
    return sum(_cost(node) for node in walk(expr)) + 4 * max(0, lines - 1)


def _varies(expr: ast.Expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id != "pi" for node in walk(expr))


def _cost(node: ast.Expr) -> int:
    if isinstance(node, ast.Number):
        return int(node.value >= 100)
    return _COST[type(node).__name__]


def choose(forms: Iterable[ast.Expr], where: Sequence[Point]) -> ast.Expr:
    """Choose the shortest form with an error of at most ten times the least, or 1e-13.

    If none is good at every point, the one with the smallest largest error is chosen. The first of
    equal forms wins.
    """
    unique = list(dict.fromkeys(forms))
    table = [errors(form, where) for form in unique]
    least = [min(column) for column in zip(*table, strict=True)]
    limits = [max(10 * e, _enough(x)) for e, x in zip(least, where, strict=True)]

    def good(row: list[float]) -> bool:
        return all(e <= limit for e, limit in zip(row, limits, strict=True))

    fit = [form for form, row in zip(unique, table, strict=True) if good(row)]
    if fit:
        return min(fit, key=operations)
    worst = [max(row, default=0.0) for row in table]
    return unique[worst.index(min(worst))]


def _enough(point: Point) -> float:
    return _ENOUGH if point.names["t"] <= 0.9 else _LATE


def is_precise(expr: ast.Expr, where: Sequence[Point]) -> bool:
    """Return whether a formula is accurate enough at every point."""
    limits = (_WANTED if point.names["t"] <= 0.9 else _LATE for point in where)
    return all(e <= limit for e, limit in zip(errors(expr, where), limits, strict=True))

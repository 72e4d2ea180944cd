"""From SymPy back to the syntax tree, in the form in which one would write the formula.

Rules: one fraction line; ``0.5 * t`` and ``t / 3`` but ``pi / 4 * t``; positive terms first; equal
powers above and below the line become the power of a quotient, which cannot underflow.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import reduce

import sympy
from attrs import frozen
from sympy import Add, Expr, Mul, Pow, Rational, Symbol, default_sort_key

from xlmc.calculus.to_sympy import ENTRIES, EXTREMES
from xlmc.diagnostics.source import Span
from xlmc.syntax import ast

_ODD = tuple(function for function, entry in ENTRIES.items() if entry.odd)

Powers = list[tuple[Expr, Expr]]  # (base, exponent) with positive constant or symbolic exponents


class _Unwritable(Exception):
    pass


def to_tree(expr: Expr, span: Span) -> ast.Expr | None:
    """Convert a SymPy expression to a syntax tree whose nodes all have the given span.

    None for expressions that formulas lack: piecewise functions, infinities, i.
    """
    try:
        return _Writer(span).write(expr)
    except _Unwritable:
        return None


@frozen
class _Writer:
    span: Span

    def write(self, expr: Expr) -> ast.Expr:
        if isinstance(expr, Rational) and expr.q != 0:
            return self.rational(Fraction(int(expr.p), int(expr.q)))
        if expr is sympy.pi or isinstance(expr, Symbol):
            return ast.Name(id=str(expr), span=self.span)
        if isinstance(expr, Add):
            return self.sum(expr)
        if expr is sympy.E:
            return self.call("exp", self.rational(Fraction(1)))
        if isinstance(expr, Mul | Pow):
            return self.product(expr)
        if expr.func in ENTRIES and len(expr.args) == 1:
            return self.call(ENTRIES[expr.func].name, self.write(expr.args[0]))
        if expr.func in EXTREMES.values():
            several = sorted(expr.args, key=default_sort_key, reverse=True)  # numbers last
            return self.call(expr.func.__name__.lower(), *map(self.write, several))
        raise _Unwritable

    def call(self, function: str, *arguments: ast.Expr) -> ast.Expr:
        return ast.Call(function=function, arguments=arguments, span=self.span)

    def binary(self, op: str, left: ast.Expr, right: ast.Expr) -> ast.Expr:
        return ast.Binary(op=op, left=left, right=right, span=self.span)

    def negative(self, expr: ast.Expr) -> ast.Expr:
        return ast.Negative(operand=expr, span=self.span)

    def rational(self, value: Fraction) -> ast.Expr:
        """Write an integer, short decimal, quotient of integers, or 17 digits, in this order."""
        if value < 0:
            return self.negative(self.rational(-value))
        value = _rounded(value)
        if value.denominator == 1 or _is_decimal(value) or max(value.as_integer_ratio()) > 10**7:
            text = str(value) if value.denominator == 1 else repr(float(value))
            return ast.Number(value=value, text=text, span=self.span)
        top, bottom = (self.rational(Fraction(n)) for n in value.as_integer_ratio())
        return self.binary("/", top, bottom)

    def sum(self, expr: Add) -> ast.Expr:
        """Write terms by increasing degree, a positive one first."""
        terms = list(reversed(expr.as_ordered_terms()))
        first = next((term for term in terms if not _is_negative(term)), terms[0])
        terms.remove(first)
        result = self.write(first)
        for term in terms:
            if _is_negative(term):
                result = self.binary("-", result, self.write(-term))
            else:
                result = self.binary("+", result, self.write(term))
        return result

    def product(self, expr: Expr) -> ast.Expr:
        """Write ``-``, numbers, ``pi``, and the other factors, over all the divisors."""
        coefficient, factors, divisors = _sides(expr)
        coefficient = _flip(coefficient, factors, divisors)
        has_pi = (sympy.pi, sympy.S.One) in factors
        if has_pi:
            factors.remove((sympy.pi, sympy.S.One))
        top, bottom = self.constant(abs(coefficient), has_pi, bool(divisors))
        quotients, factors, divisors = _quotients(factors, divisors)
        top += [self.quotient(*quotient) for quotient in quotients]
        top += [self.power(self.write(base), n) for base, n in factors]
        bottom += [self.power(self.write(base), n) for base, n in divisors]
        result = self.times(top)
        if bottom:
            result = self.binary("/", result, self.times(bottom))
        return self.negative(result) if coefficient < 0 else result

    def constant(
        self, value: Fraction, has_pi: bool, divided: bool
    ) -> tuple[list[ast.Expr], list[ast.Expr]]:
        """Return the numbers of a product, above and below its fraction line."""
        value = _rounded(value)
        p, q = value.as_integer_ratio()
        pi: list[ast.Expr] = [ast.Name(id="pi", span=self.span)] if has_pi else []
        over = [self.rational(Fraction(p)), *pi] if p != 1 else [*pi]
        if q == 1:
            return over, []
        number = self.rational(Fraction(q))
        if has_pi and q <= 12:
            return (
                (over, [number]) if divided else ([self.binary("/", self.times(over), number)], [])
            )
        if _is_decimal(value) or max(p, q) > 10**7:
            return [self.rational(value), *pi], []
        if _is_decimal(1 / value) and max(p, q) > 12:
            return [*pi], [self.rational(1 / value)]
        return over, [number]

    def power(self, base: ast.Expr, exponent: Expr) -> ast.Expr:
        if exponent == 1:
            return base
        if exponent == sympy.S.Half:
            return self.call("sqrt", base)
        return self.binary("**", base, self.write(exponent))

    def quotient(self, over: Sequence[Expr], under: Sequence[Expr], exponent: Expr) -> ast.Expr:
        top, bottom = (self.times([self.write(e) for e in side]) for side in (over, under))
        return self.power(self.binary("/", top, bottom), exponent)

    def times(self, factors: Sequence[ast.Expr]) -> ast.Expr:
        if not factors:
            return self.rational(Fraction(1))
        return reduce(lambda a, b: self.binary("*", a, b), factors)


def _rounded(value: Fraction) -> Fraction:
    """Return a long quotient as an integer if it is one to all the digits of float64."""
    nearest = Fraction(round(value))
    return nearest if value.denominator > 10**7 and float(value) == nearest else value


def _is_decimal(value: Fraction) -> bool:
    """Return whether a short decimal equals a fraction exactly."""
    if max(value.as_integer_ratio()) > 10**9:
        return False
    text = repr(float(value))
    return Fraction(text) == value and sum(c.isdigit() for c in text) <= 8


def _sides(expr: Expr) -> tuple[Fraction, Powers, Powers]:
    """Split a product into coefficient, factors and divisors."""
    coefficient = Fraction(1)
    factors: Powers = []
    divisors: Powers = []
    for factor in Mul.make_args(expr) if isinstance(expr, Mul) else (expr,):
        base, exponent = factor.as_base_exp() if isinstance(factor, Pow) else (factor, sympy.S.One)
        if isinstance(base, Add) and exponent.is_Integer:
            content, base = _primitive(base)
            coefficient *= content ** int(exponent)
        if isinstance(factor, Rational):
            coefficient *= Fraction(int(factor.p), int(factor.q))
        elif exponent.is_number and exponent.is_negative:
            divisors.append((base, -exponent))
        else:
            factors.append((base, exponent))
    return coefficient, _ordered(factors), _ordered(divisors)


def _primitive(expr: Add) -> tuple[Fraction, Expr]:
    """Take out a common factor if small integers remain: 0.25 - 0.25 t is 0.25 (1 - t)."""
    content, rest = expr.primitive()
    if content == 1 or any(abs(term.as_coeff_Mul()[0]) > 12 for term in rest.args):
        return Fraction(1), expr
    return Fraction(int(content.p), int(content.q)), rest


def _ordered(powers: Powers) -> Powers:
    """Sort factors: constants, powers of names, others; each in SymPy's canonical order."""

    def key(power: tuple[Expr, Expr]) -> tuple[bool, bool, object]:
        base, exponent = power
        term = base**exponent
        return bool(term.free_symbols), not isinstance(base, Symbol), term.sort_key()

    return sorted(powers, key=key)


def _flip(coefficient: Fraction, factors: Powers, divisors: Powers) -> Fraction:
    """Move signs into differences: ``(1 - t) / (2 - t)``, and ``(1 - p)``, not ``-(p - 1)``."""
    for side in (factors, divisors):
        for i, (base, exponent) in enumerate(side):
            if exponent.is_odd and _is_difference(base) and base.subs(_zeros(base)).is_negative:
                side[i] = (-base, exponent)
                coefficient = -coefficient
    for side in (factors, divisors) if coefficient < 0 else ():
        for i, (base, exponent) in enumerate(side):
            if exponent.is_odd and _is_difference(base):
                side[i] = (-base, exponent)
                return -coefficient
            if exponent.is_odd and isinstance(base, _ODD) and _is_difference(base.args[0]):
                # Unevaluated: SymPy would take the sign out again.
                side[i] = (base.func(-base.args[0], evaluate=False), exponent)
                return -coefficient
    return coefficient


def _zeros(expr: Expr) -> dict[Expr, int]:
    return dict.fromkeys(expr.free_symbols, 0)


def _is_difference(expr: Expr) -> bool:
    return isinstance(expr, Add) and len({_is_negative(term) for term in expr.args}) == 2


def _is_negative(term: Expr) -> bool:
    return bool(term.as_coeff_Mul()[0].is_negative)


Quotient = tuple[list[Expr], list[Expr], Expr]


def _quotients(factors: Powers, divisors: Powers) -> tuple[list[Quotient], Powers, Powers]:
    """Take out the powers that occur with one exponent (not 1) above and below the line."""

    def bases(powers: Iterable[tuple[Expr, Expr]], exponent: Expr) -> list[Expr]:
        return [b for b, n in powers if n == exponent and b.free_symbols]

    shared = []
    for _, n in factors:
        if n != 1 and n not in shared and bases(factors, n) and bases(divisors, n):
            shared.append(n)

    def rest(powers: Powers) -> Powers:
        return [(b, n) for b, n in powers if n not in shared or not b.free_symbols]

    quotients = [(bases(factors, n), bases(divisors, n), n) for n in shared]
    return quotients, rest(factors), rest(divisors)

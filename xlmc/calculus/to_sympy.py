"""From the syntax tree to SymPy: node by node, never through text.

Importing this module imports SymPy, which takes half a second: import it inside functions.
"""

from collections.abc import Mapping
from math import prod
from types import SimpleNamespace

import sympy
from sympy import Add, Expr, Function, Mul, Pow, Rational, Symbol

from xlmc.calculus.functions import SEVERAL, TABLE
from xlmc.calculus.limits import check_limits
from xlmc.syntax import ast
from xlmc.syntax.expression import TooHard

# The functions of the table for SymPy, which has not all of them; square roots are powers to it.
ALGEBRA = SimpleNamespace(
    pi=sympy.pi,
    **{one.name: Function(one.name) if one.defined else getattr(sympy, one.name) for one in TABLE},
)
ENTRIES = {getattr(ALGEBRA, one.name): one for one in TABLE if not one.power}
EXTREMES = {name: getattr(sympy, name.title()) for name in SEVERAL}
_FUNCTIONS = {one.name: f for f, one in ENTRIES.items() if one.written}
expm1 = ALGEBRA.expm1
log1p = ALGEBRA.log1p


def to_sympy(expr: ast.Expr, symbols: Mapping[str, Symbol]) -> Expr:
    """Convert an expression to SymPy, with decimals as exact rationals.

    Raises `TooHard` with the node to blame for what SymPy could spend minutes on (`check_limits`)
    and for what has no derivative.
    """
    check_limits(expr, symbols)
    return _convert(expr, symbols)


def _convert(expr: ast.Expr, symbols: Mapping[str, Symbol]) -> Expr:
    match expr:
        case ast.Number(value=value):
            return Rational(value.numerator, value.denominator)
        case ast.Name(id=name) if name in symbols:
            return symbols[name]
        case ast.Name(id="pi"):
            return sympy.pi
        case ast.Negative(operand=operand):
            return -_convert(operand, symbols)
        case ast.Binary(op=op, left=left, right=right):
            return _operate(expr, op, _convert(left, symbols), _convert(right, symbols))
        case ast.Call(function="sqrt", arguments=(argument,)):
            return _power(_convert(argument, symbols), sympy.S.Half)
        case ast.Call(function=name, arguments=(argument,), primes=0) if name in _FUNCTIONS:
            # Expanded, so that sin(pi/2*(1-t)) is seen to be cos(pi*t/2).
            return _FUNCTIONS[name](expanded(_convert(argument, symbols)))
        case ast.Call(function=name, arguments=several, primes=0) if name in SEVERAL:
            return EXTREMES[name](*(_convert(one, symbols) for one in several))
        case _:
            raise TooHard(expr, "has no derivative that is known here")


def _operate(node: ast.Expr, op: str, a: Expr, b: Expr) -> Expr:
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/" if b.is_zero:
            raise TooHard(node, "divides by 0")
        case "/":
            return a / b
        case _:
            return _power(a, b)


def _power(base: Expr, exponent: Expr) -> Expr:
    """Return a power; variables are known to be positive: sqrt(t**2) is t."""
    if isinstance(base, Pow) and isinstance(base.base, Symbol):
        return base.base ** (base.exp * exponent)
    if isinstance(base, sympy.exp):
        return sympy.exp(expanded(base.args[0] * exponent))
    return base**exponent


def expanded(expr: Expr) -> Expr:
    """Multiply an expression out, unless that makes more than a few terms."""
    return sympy.expand_mul(expr) if _terms(expr) <= 12 else expr


def _terms(expr: Expr) -> int:
    """Return the number of terms of an expression multiplied out."""
    if isinstance(expr, Add):
        return sum(_terms(term) for term in expr.args)
    if isinstance(expr, Mul):
        return prod(_terms(factor) for factor in expr.args)
    return 1

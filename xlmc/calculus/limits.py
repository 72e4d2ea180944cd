"""Limits on expressions that a computer algebra system could spend minutes on."""

from collections.abc import Container
from fractions import Fraction

from xlmc.calculus.arithmetic import FLOAT
from xlmc.calculus.evaluate import Scope, value_of
from xlmc.syntax import ast
from xlmc.syntax.expression import TooHard, check_size, walk

MAX_PARTS = 100
MAX_EXPONENT = 64
MAX_DIGITS = 60


def check_limits(expr: ast.Expr, variables: Container[str] = ("t",)) -> None:
    """Raise `TooHard`, with the node to blame, for expressions that are too much for algebra.

    These are trees of more than 100 parts, exponents beyond 64 (also ``(x**9)**9``), towers of
    powers and numbers of more than 60 digits. Raises `Undefined` for exponents without a value.
    """
    check_size(expr)
    if sum(1 for _ in walk(expr)) > MAX_PARTS:
        raise TooHard(expr, f"has more than {MAX_PARTS} parts")
    for node in walk(expr):
        if isinstance(node, ast.Number) and _digits(node.value) > MAX_DIGITS:
            raise TooHard(node, f"has more than {MAX_DIGITS} digits")
        if isinstance(node, ast.Binary) and node.op == "**":
            _check_power(node, variables)


def _check_power(power: ast.Binary, variables: Container[str]) -> None:
    if _degree(power, variables) > MAX_EXPONENT:
        raise TooHard(power.right, f"is an exponent beyond {MAX_EXPONENT}")
    for node in walk(power.right):
        if isinstance(node, ast.Binary) and node.op == "**" and not _varies(node, variables):
            raise TooHard(power, "is a tower of powers")


def _digits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length()) * 3 // 10


def _varies(expr: ast.Expr, variables: Container[str]) -> bool:
    return any(isinstance(n, ast.Name) and n.id in variables for n in walk(expr))


def _degree(expr: ast.Expr, variables: Container[str]) -> float:
    """Return the largest product of nested constant exponents."""
    match expr:
        case ast.Binary(op="**", left=left, right=right) if not _varies(right, variables):
            exponent = abs(value_of(right, Scope({}), FLOAT))
            return float(exponent * max(1.0, _degree(left, variables)))
        case ast.Binary(left=left, right=right):
            return max(_degree(left, variables), _degree(right, variables))
        case ast.Negative(operand=operand):
            return _degree(operand, variables)
        case _:
            return 1.0

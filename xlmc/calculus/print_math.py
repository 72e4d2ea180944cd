"""Expressions as text: as in a spec, and LaTeX.

Parentheses are minimal and the order of operations is that of the tree, so that what is printed
is computed as it was written.
"""

import re
from collections.abc import Callable

from attrs import frozen

from xlmc.calculus.functions import (
    ATOM,
    BY_NAME,
    POWER,
    PRODUCT,
    SEVERAL,
    SIGN,
    SUM,
    Function,
)
from xlmc.syntax import ast
from xlmc.syntax.marks import plain

LEVEL = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "**": POWER}
_LITERAL = re.compile(r"(0|[1-9][0-9]*(_[0-9]+)*)(\.[0-9]+(_[0-9]+)*)?([eE][+-]?[0-9]+)?")
_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi"
    "|psi|omega"
)


def plain_expr(expr: ast.Expr) -> str:
    """Format an expression as a spec would have it."""
    return _Infix(_plain_leaf)(expr)


Leaf = Callable[[ast.Expr, "_Infix"], str]


@frozen
class _Infix:
    """Operators with as few parentheses as Python needs; ``leaf`` prints all the rest."""

    leaf: Leaf

    def __call__(self, expr: ast.Expr, level: int = 0) -> str:
        match expr:
            case ast.Binary(op=op):
                text, own = self._binary(expr), LEVEL[op]
            case ast.Negative(operand=operand):
                text, own = f"-{self(operand, PRODUCT)}", SIGN
            case _:
                text, own = self.leaf(expr, self), ATOM
        return f"({text})" if own < level else text

    def _binary(self, expr: ast.Binary) -> str:
        own = LEVEL[expr.op]
        if expr.op == "**":
            return f"{self(expr.left, ATOM)} ** {self(expr.right, POWER)}"
        left = self(expr.left, own)
        right = self(expr.right, own + 1)
        if isinstance(expr.right, ast.Negative):
            right = f"({right})"
        return f"{left} {expr.op} {right}"


def _plain_leaf(expr: ast.Expr, inner: _Infix) -> str:
    match expr:
        case ast.Number():
            return literal(expr)
        case ast.Name(id=name):
            return name
        case ast.String(value=value):
            return repr(value)
        case ast.Call(function=function, primes=primes):
            inside = [inner(argument) for argument in expr.arguments]
            inside += [f"{k.name} = {inner(k.value)}" for k in expr.keywords]
            return f"{function}{primes * chr(39)}({', '.join(inside)})"
        case _:
            raise TypeError(type(expr))


def literal(number: ast.Number) -> str:
    """Format a number as it was written if Python reads it alike, else by its value."""
    text = number.text
    if _LITERAL.fullmatch(text):
        digits = text.replace("_", "")
        # An integer beyond int64 cannot meet a tensor.
        return text if not digits.isdigit() or len(digits) < 18 else repr(float(number.value))
    value = number.value
    return str(value.numerator) if value.denominator == 1 else repr(float(value))


def latex_expr(expr: ast.Expr) -> str:
    """Format an expression as LaTeX, for docstrings."""
    return _latex(expr, 0)


def _latex(expr: ast.Expr, level: int) -> str:
    match expr:
        case ast.Binary(op="/", left=left, right=right):
            text = rf"\frac{{{_latex(left, 0)}}}{{{_latex(right, 0)}}}"
            own = SIGN if level == ATOM else ATOM
        case ast.Binary(op="**", left=left, right=right):
            text, own = f"{_latex(left, ATOM)}^{{{_latex(right, 0)}}}", POWER
        case ast.Binary(op=op, left=left, right=right):
            own = LEVEL[op]
            sign = f" {op} " if op != "*" else _times(right)
            text = f"{_latex(left, own)}{sign}{_latex(right, own + 1)}"
        case ast.Negative(operand=operand):
            text, own = f"-{_latex(operand, PRODUCT)}", SIGN
        case ast.Number():
            text = _latex_leaf(expr)
            own = POWER if "e" in literal(expr).lower() else ATOM  # a power of ten
        case _:
            text, own = _latex_leaf(expr), ATOM
    return rf"\left({text}\right)" if own < level else text


def _times(right: ast.Expr) -> str:
    """Return a dot before a number, else a thin gap."""
    return r" \cdot " if isinstance(right, ast.Number) else r" \, "


def _latex_leaf(expr: ast.Expr) -> str:
    match expr:
        case ast.Number():
            text = literal(expr).replace("_", "").lower()
            mantissa, _, exponent = text.partition("e")
            if not exponent:
                return text
            power = f"10^{{{int(exponent)}}}"
            return power if mantissa == "1" else rf"{mantissa} \cdot {power}"
        case ast.Name(id=name):
            return _latex_name(name)
        case ast.Call(function="visible", arguments=(ast.Call(arguments=(argument,)),)):
            chance = _latex(argument, ATOM)
            kernel = rf"{chance} (1 - {chance})^{{|i-j|-1}}"
            return rf"\sum_{{j\,\mathrm{{visible}}}} {kernel}"
        case ast.Call(function="hazard", arguments=(ast.Name(id=clock),)):
            return rf"h_{{{_latex_name(clock)}}}(t)"
        case ast.Call(function=name, arguments=(argument,), primes=0) if name in BY_NAME:
            return _latex_call(BY_NAME[name], argument)
        case ast.Call(function=function):
            inside = ", ".join(_latex(a, 0) for a in expr.arguments)
            return rf"{_latex_function(function)}{chr(39) * expr.primes}\left({inside}\right)"
        case _:
            raise TypeError(type(expr))


def _latex_call(function: Function, argument: ast.Expr) -> str:
    if function.negative and isinstance(argument, ast.Negative):
        return function.negative.format(_latex(argument.operand, PRODUCT))
    return function.form.format(_latex(argument, function.level))


def _latex_function(name: str) -> str:
    return rf"\{name}" if name in SEVERAL else _latex_name(name)


def _latex_name(name: str) -> str:
    name = plain(name)
    if _GREEK.fullmatch(name):
        return rf"\{name}"
    escaped = name.replace("_", r"\_")
    return name if len(name) == 1 else rf"\mathrm{{{escaped}}}"

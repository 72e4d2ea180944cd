"""Expressions as text: torch code, spec-like text, LaTeX.

Parentheses are minimal and the order of operations is that of the tree, so that what is printed
is computed as it was written.
"""

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping

from attrs import frozen

from xlmc import ast
from xlmc.expression import children

_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(1, 6)
_LEVEL = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}
_LITERAL = re.compile(r"(0|[1-9][0-9]*(_[0-9]+)*)(\.[0-9]+(_[0-9]+)*)?([eE][+-]?[0-9]+)?")
_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi"
    "|psi|omega"
)
_NAMED = frozenset({"sin", "cos", "tan", "exp", "log", "min", "max"})


def plain_expr(expr: ast.Expr) -> str:
    """The expression as it would stand in a spec."""
    return _Infix(_plain_leaf)(expr)


def torch_expr(
    expr: ast.Expr,
    names: Mapping[str, str],
    tensors: Collection[str] = (),
) -> str:
    """The expression as Python code over numbers and torch tensors.

    ``names`` maps what the spec says to code: names (``eta``), functions (``alpha``, ``alpha'``)
    and whole calls as `plain_expr` prints them (``reveal(alpha)``). The code must be a name, a
    call or in parentheses. ``tensors`` are those keys of ``names`` that stand for tensors; what
    holds none of them is a number, computed by ``math``. Raises KeyError for an unknown name.
    """
    return _Infix(_Torch(names, frozenset(tensors)).leaf)(expr)


Leaf = Callable[[ast.Expr, "_Infix"], str]


@frozen
class _Infix:
    """Operators with as few parentheses as Python needs; ``leaf`` prints all the rest."""

    leaf: Leaf

    def __call__(self, expr: ast.Expr, level: int = 0) -> str:
        match expr:
            case ast.Binary(op=op):
                text, own = self._binary(expr), _LEVEL[op]
            case ast.Negative(operand=operand):
                text, own = f"-{self(operand, _PRODUCT)}", _SIGN
            case _:
                text, own = self.leaf(expr, self), _ATOM
        return f"({text})" if own < level else text

    def _binary(self, expr: ast.Binary) -> str:
        own = _LEVEL[expr.op]
        if expr.op == "**":
            return f"{self(expr.left, _ATOM)} ** {self(expr.right, _POWER)}"
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


@frozen
class _Torch:
    names: Mapping[str, str]
    tensors: frozenset[str]

    def leaf(self, expr: ast.Expr, inner: _Infix) -> str:
        match expr:
            case ast.Number():
                return literal(expr)
            case ast.Name(id=name):
                return "math.pi" if name == "pi" and name not in self.names else self.names[name]
            case ast.Call():
                return self._call(expr, inner)
            case _:
                raise TypeError(f"{type(expr).__name__} is not part of a formula")

    def _call(self, call: ast.Call, inner: _Infix) -> str:
        whole, function = plain_expr(call), call.function + call.primes * "'"
        if whole in self.names:
            return self.names[whole]
        if function in self.names:
            inside = [inner(a) for a in call.arguments]
            inside += [f"{k.name}={inner(k.value)}" for k in call.keywords]
            return f"{self.names[function]}({', '.join(inside)})"
        if function in ("min", "max"):
            return self._extreme(call, inner)
        if not hasattr(math, function) or function.startswith("_"):
            raise KeyError(function)
        module = "torch" if self._tensor(call) else "math"
        return f"{module}.{function}({', '.join(inner(a) for a in call.arguments)})"

    def _extreme(self, call: ast.Call, inner: _Infix) -> str:
        """``min`` and ``max``: of tensors elementwise, clamped by the numbers among them."""
        tensors = [inner(a) for a in call.arguments if self._tensor(a)]
        numbers = [inner(a) for a in call.arguments if not self._tensor(a)]
        number = numbers[0] if len(numbers) == 1 else f"{call.function}({', '.join(numbers)})"
        if not tensors:
            return number
        text = tensors[0]
        for other in tensors[1:]:
            text = f"torch.{call.function}imum({text}, {other})"
        bound = "max" if call.function == "min" else "min"
        return f"torch.clamp({text}, {bound}={number})" if numbers else text

    def _tensor(self, expr: ast.Expr) -> bool:
        """Whether the value is a tensor: a key of ``tensors`` is in it."""
        return any(key in self.tensors for key in _keys(expr))


def _keys(expr: ast.Expr) -> Iterator[str]:
    """What of an expression may stand in ``names``; not the inside of a call that does."""
    match expr:
        case ast.Name(id=name):
            yield name
        case ast.Call(function=function, primes=primes):
            yield plain_expr(expr)
            yield function + primes * "'"
    for child in children(expr):
        yield from _keys(child)


def literal(number: ast.Number) -> str:
    """A number as it was written, where Python reads the same; else its value."""
    text = number.text
    if _LITERAL.fullmatch(text):
        digits = text.replace("_", "")
        # An integer beyond int64 cannot meet a tensor.
        return text if not digits.isdigit() or len(digits) < 18 else repr(float(number.value))
    value = number.value
    return str(value.numerator) if value.denominator == 1 else repr(float(value))


def latex_expr(expr: ast.Expr) -> str:
    """The expression as LaTeX, for docstrings."""
    return _latex(expr, 0)


def _latex(expr: ast.Expr, level: int) -> str:
    match expr:
        case ast.Binary(op="/", left=left, right=right):
            text = rf"\frac{{{_latex(left, 0)}}}{{{_latex(right, 0)}}}"
            own = _SIGN if level == _ATOM else _ATOM
        case ast.Binary(op="**", left=left, right=right):
            text, own = f"{_latex(left, _ATOM)}^{{{_latex(right, 0)}}}", _POWER
        case ast.Binary(op=op, left=left, right=right):
            own = _LEVEL[op]
            sign = f" {op} " if op != "*" else _times(right)
            text = f"{_latex(left, own)}{sign}{_latex(right, own + 1)}"
        case ast.Negative(operand=operand):
            text, own = f"-{_latex(operand, _PRODUCT)}", _SIGN
        case _:
            text, own = _latex_leaf(expr), _ATOM
    return rf"\left({text}\right)" if own < level else text


def _times(right: ast.Expr) -> str:
    """A dot before a number, else a thin gap."""
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
            chance = _latex(argument, _ATOM)
            kernel = rf"{chance} (1 - {chance})^{{|i-j|-1}}"
            return rf"\sum_{{j\,\mathrm{{visible}}}} {kernel}"
        case ast.Call(function="hazard", arguments=(ast.Name(id=clock),)):
            return rf"h_{{{_latex_name(clock)}}}(t)"
        case ast.Call(function="sqrt", arguments=(argument,)):
            return rf"\sqrt{{{_latex(argument, 0)}}}"
        case ast.Call(function="exp", arguments=(argument,)):
            return f"e^{{{_latex(argument, 0)}}}"
        case ast.Call(function="expm1", arguments=(argument,)):
            return rf"\left(e^{{{_latex(argument, 0)}}} - 1\right)"
        case ast.Call(function="log1p", arguments=(ast.Negative(operand=argument),)):
            return rf"\log\left(1 - {_latex(argument, _PRODUCT)}\right)"
        case ast.Call(function="log1p", arguments=(argument,)):
            return rf"\log\left(1 + {_latex(argument, _SIGN)}\right)"
        case ast.Call(function=function):
            inside = ", ".join(_latex(a, 0) for a in expr.arguments)
            return rf"{_latex_function(function)}{chr(39) * expr.primes}\left({inside}\right)"
        case _:
            raise TypeError(type(expr))


def _latex_function(name: str) -> str:
    if name in ("asin", "acos", "atan"):
        return rf"\arc{name[1:]}"
    return rf"\{name}" if name in _NAMED else _latex_name(name)


def _latex_name(name: str) -> str:
    if _GREEK.fullmatch(name):
        return rf"\{name}"
    escaped = name.replace("_", r"\_")
    return name if len(name) == 1 else rf"\mathrm{{{escaped}}}"

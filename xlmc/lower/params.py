"""Params, and the literals of a spec as Python."""

from fractions import Fraction

from xlmc.calculus.code import literal, number
from xlmc.lower import ir
from xlmc.syntax import ast, query


def params(entries: tuple[ast.Node, ...], used: set[str]) -> tuple[ir.Param, ...]:
    """Return the params of a section whose names are used, in order."""
    return tuple(
        _param(entry)
        for entry in entries
        if isinstance(entry, ast.Param | ast.Choice) and entry.name in used
    )


def _param(entry: ast.Param | ast.Choice) -> ir.Param:
    if isinstance(entry, ast.Choice):
        options = tuple(option.id for option in entry.options)
        return ir.Param(entry.name, "Choice", literal(options[0]), options)
    whole = ir.PYTHON[entry.kind] == "int"
    return ir.Param(entry.name, entry.kind, number(entry.default, whole=whole))


def _value(expr: ast.Expr) -> Fraction:
    """Return the value of a signed number; that of ``-0`` is 0."""
    inner = expr.operand if isinstance(expr, ast.Negative) else expr
    assert isinstance(inner, ast.Number)
    return -inner.value if isinstance(expr, ast.Negative) else inner.value


def setting(expr: ast.Expr) -> str:
    """Format the value of a recipe's setting as Python writes it."""
    match expr:
        case ast.Name(id=word):
            return repr(word)
        case ast.String(value=text):
            return repr(text)
    value = _value(expr)
    if value.denominator == 1:
        return f"{int(value):_}" if value >= 10_000 else str(int(value))
    return repr(float(value))


def mentioned(exprs: "list[ast.Expr]") -> set[str]:
    """Return the names that occur in some expressions."""
    return {name.id for expr in exprs for name in query.names(expr)}

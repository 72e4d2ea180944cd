"""Params, and the literals of a spec as Python."""

from fractions import Fraction

from xlmc import ast, ir, query

PYTHON = {"Count": "int", "Chance": "float", "Scale": "float"}


def params(entries: tuple[ast.Node, ...], used: set[str]) -> tuple[ir.Param, ...]:
    """Those params of a section whose names are used, in their order."""
    return tuple(
        _param(entry)
        for entry in entries
        if isinstance(entry, ast.Param | ast.Choice) and entry.name in used
    )


def _param(entry: ast.Param | ast.Choice) -> ir.Param:
    if isinstance(entry, ast.Choice):
        options = tuple(option.id for option in entry.options)
        literal = f"Literal[{', '.join(map(repr, options))}]"
        return ir.Param(entry.name, "Choice", literal, repr(options[0]), options)
    python = PYTHON[entry.kind]
    return ir.Param(entry.name, entry.kind, python, number(entry.default, whole=python == "int"))


def number(expr: ast.Expr, *, whole: bool) -> str:
    """A literal as Python writes it."""
    negative = isinstance(expr, ast.Negative)
    inner = expr.operand if isinstance(expr, ast.Negative) else expr
    assert isinstance(inner, ast.Number)
    value = -inner.value if negative else inner.value
    return repr(int(value)) if whole else _float(value)


def _float(value: Fraction) -> str:
    return repr(float(value))


def setting(expr: ast.Expr) -> str:
    """The value of a recipe's setting as Python writes it."""
    match expr:
        case ast.Name(id=word):
            return repr(word)
        case ast.String(value=text):
            return repr(text)
    assert isinstance(expr, ast.Number)
    if expr.value.denominator == 1 and expr.value < 2**53:
        return f"{int(expr.value):_}" if expr.value >= 10_000 else str(int(expr.value))
    return number(expr, whole=False)


def mentioned(exprs: "list[ast.Expr]") -> set[str]:
    """The names that stand in some expressions."""
    return {name.id for expr in exprs for name in query.names(expr)}

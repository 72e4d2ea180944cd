"""Walking and rewriting expressions, and the size beyond which nothing is computed from one."""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from attrs import evolve

from xlmc.syntax import ast

MAX_NODES = 400
MAX_DEPTH = 60


class MathError(Exception):
    """Nothing can be computed from an expression.

    ``node`` is the part that is to blame; ``reason`` completes the sentence "this ...".
    """

    def __init__(self, node: ast.Expr, reason: str) -> None:
        super().__init__(reason)
        self.node = node
        self.reason = reason


class TooHard(MathError):
    """An expression is too large, too steep or too irregular for the calculus."""


class Undefined(MathError):
    """An expression has no finite real value at a point."""


def literal(expr: ast.Expr) -> float | None:
    """Return the value of a signed number; None for anything else."""
    match expr:
        case ast.Number(value=value):
            return float(value)
        case ast.Negative(operand=ast.Number(value=value)):
            return -float(value)
    return None


def exact(expr: ast.Expr) -> Fraction:
    """Return the exact value of a literal."""
    return expr.value if isinstance(expr, ast.Number) else Fraction(0)


def children(expr: ast.Expr) -> tuple[ast.Expr, ...]:
    """Return the expressions directly inside an expression, from left to right."""
    match expr:
        case ast.Binary(left=left, right=right):
            return left, right
        case ast.Negative(operand=operand):
            return (operand,)
        case ast.Call(arguments=arguments, keywords=keywords):
            return (*arguments, *(keyword.value for keyword in keywords))
        case _:
            return ()


def walk(expr: ast.Expr) -> Iterator[ast.Expr]:
    """Yield an expression and everything inside it, a parent before its parts."""
    todo = [expr]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(children(node)))


def check_size(expr: ast.Expr) -> None:
    """Raise `TooHard` where recursion over the expression would not be cheap."""
    todo = [(expr, 1)]
    seen = 0
    while todo:
        node, depth = todo.pop()
        seen += 1
        if depth > MAX_DEPTH:
            raise TooHard(node, f"nests more than {MAX_DEPTH} levels deep")
        if seen > MAX_NODES:
            raise TooHard(expr, f"has more than {MAX_NODES} parts")
        todo.extend((child, depth + 1) for child in children(node))


def rewrite(expr: ast.Expr, change: Callable[[ast.Expr], ast.Expr]) -> ast.Expr:
    """Apply ``change`` to every part of an expression, the innermost first."""
    match expr:
        case ast.Binary(left=left, right=right):
            expr = evolve(expr, left=rewrite(left, change), right=rewrite(right, change))
        case ast.Negative(operand=operand):
            expr = evolve(expr, operand=rewrite(operand, change))
        case ast.Call(arguments=arguments, keywords=keywords):
            expr = evolve(
                expr,
                arguments=tuple(rewrite(a, change) for a in arguments),
                keywords=tuple(evolve(k, value=rewrite(k.value, change)) for k in keywords),
            )
        case _:
            pass
    return change(expr)


def inline(expr: ast.Expr, names: Mapping[str, ast.Expr]) -> ast.Expr:
    """Replace names in an expression by their values.

    Raises `TooHard` when the result grows too large.
    """
    check_size(expr)

    def change(node: ast.Expr) -> ast.Expr:
        return names.get(node.id, node) if isinstance(node, ast.Name) else node

    result = rewrite(expr, change)
    check_size(result)
    return result


def remaining(events: ast.Expr, argument: str) -> ast.Expr:
    """Return the share of some events that is yet to come: 1 - events(t) / events(1)."""
    one = ast.Number(Fraction(1), "1", span=events.span)

    def at_end(node: ast.Expr) -> ast.Expr:
        return one if isinstance(node, ast.Name) and node.id == argument else node

    share = ast.Binary("/", events, rewrite(events, at_end), span=events.span)
    return ast.Binary("-", one, share, span=events.span)

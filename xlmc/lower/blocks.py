"""The size of the blocks of the noise, in code."""

from xlmc.calculus.code import CLOCK, Code, built, number, param
from xlmc.lower import ir
from xlmc.syntax import ast, query


def size(family: ast.Family, owner: str = "") -> Code | None:
    """Return the size of a block, of the clock of an owner (``self.``); None without blocks."""
    expr = query.size_of_blocks(family)
    if isinstance(expr, ast.Name):
        return built(f"{{}}.{expr.id}", param(CLOCK, "Scale", owner).code)
    return number(expr, whole=True) if expr is not None else None


def taken(family: ast.Family) -> str:
    """Return the clock among the arguments of a function that reads the size; "" for a number."""
    code = size(family)
    return ir.TAKEN if code is not None and CLOCK in code.reads.params else ""

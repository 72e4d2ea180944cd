"""A formula in the forms in which a generated package shows it."""

from collections.abc import Iterable

from attrs import evolve, frozen

from xlmc.calculus.code import CLOCK, Code, Names, Printer, built, param, plain_scope
from xlmc.calculus.print_math import latex_expr, plain_expr
from xlmc.syntax import ast

_NAMES = {"t": "t", "s": "s", "p": "p"}


@frozen
class Formula:
    """A formula in t (and s < t, or p), as a tree and as text.

    code: over float64 tensors named ``t``, ``s``, ``p``, and the numbers of ``clock``; it needs
        ``torch`` and ``math``.
    latex: for docstrings. plain: as a spec would have it.
    """

    tree: ast.Expr
    code: Code
    latex: str
    plain: str

    @property
    def torch(self) -> str:
        """The text of the code."""
        return self.code.text


def formula(tree: ast.Expr, params: Iterable[str] = ()) -> Formula:
    """Return the texts of a tree; code without t becomes a tensor of t's shape.

    Params are numbers of ``clock``.
    """
    code = Printer.code(tree, scope(params))
    if not code.reads.variables:
        code = built("torch.full_like(t, {})", code)
    return Formula(tree, code, latex_expr(tree), plain_expr(tree))


def scope(params: Iterable[str]) -> Names:
    """Return the scope of formulas: times as tensors, and params as numbers of ``clock``."""
    plain = plain_scope(_NAMES, _NAMES)
    known = {name: param(name, "Scale", owner=f"{CLOCK}.") for name in params}
    return evolve(plain, names={**plain.names, **known})

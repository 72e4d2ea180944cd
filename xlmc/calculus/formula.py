"""A formula in the forms in which a generated package shows it."""

from attrs import frozen

from xlmc.calculus.code import Code, Printer, built, plain_scope
from xlmc.calculus.print_math import latex_expr, plain_expr
from xlmc.syntax import ast

_NAMES = {"t": "t", "s": "s", "p": "p"}


@frozen
class Formula:
    """A formula in t (and s < t, or p), as a tree and as text.

    code: over float64 tensors named ``t``, ``s``, ``p``; it needs ``torch`` and ``math``.
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


def formula(tree: ast.Expr) -> Formula:
    """Return the texts of a tree; code without t becomes a tensor of t's shape."""
    code = Printer.code(tree, plain_scope(_NAMES, _NAMES))
    if not code.reads.variables:
        code = built("torch.full_like(t, {})", code)
    return Formula(tree, code, latex_expr(tree), plain_expr(tree))

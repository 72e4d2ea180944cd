"""A formula in the forms in which a generated package shows it."""

from attrs import frozen

from xlmc import ast
from xlmc.expression import walk
from xlmc.mathtext import latex_expr, plain_expr, torch_expr

_NAMES = {"t": "t", "s": "s", "p": "p"}


@frozen
class Formula:
    """A formula in t (and s < t, or p), as a tree and as text.

    torch: code over float64 tensors named ``t``, ``s``, ``p``; it needs ``torch`` and ``math``.
    latex: for docstrings.   plain: as it would stand in a spec.
    """

    tree: ast.Expr
    torch: str
    latex: str
    plain: str


def formula(tree: ast.Expr) -> Formula:
    """The texts of a tree; what does not depend on t becomes a tensor of t's shape."""
    code = torch_expr(tree, _NAMES, _NAMES)
    if not any(isinstance(node, ast.Name) and node.id in _NAMES for node in walk(tree)):
        code = f"torch.full_like(t, {code})"
    return Formula(tree, code, latex_expr(tree), plain_expr(tree))

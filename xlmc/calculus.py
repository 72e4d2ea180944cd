"""What follows from a schedule: derivative, hazard, sigma, reveal, inverse, as code and formulas.

SymPy makes the candidates, `accuracy` measures them in float64, and the shortest good one is
printed. SymPy is imported by the first call of `derive`, not with this module.
"""

from collections.abc import Mapping

from attrs import frozen

from xlmc import ast
from xlmc.arithmetic import FLOAT
from xlmc.expression import MathError, TooHard, Undefined, inline
from xlmc.formula import Formula, formula
from xlmc.limits import check_limits
from xlmc.numeric import Scope, value_of
from xlmc.survival import POINTS, kink, settle

__all__ = ["Calculus", "Formula", "MathError", "TooHard", "Undefined", "derive"]


@frozen(kw_only=True)
class Calculus:
    """What follows from ``survival alpha(t)``; for t in [1e-6, 1] the code keeps its digits.

    corrupted: 1 - alpha(t).   hazard: -alpha'(t) / (1 - alpha(t)), the weight of the bound.
    sigma: -log alpha(t); where alpha falls to 0 like (1 - t)**3 or faster, no one formula serves
        both ends, and the best compromise is taken: errors of 1e-15 at t = 0, or 1e-6 times sigma.
    dsigma: its derivative, -alpha'(t) / alpha(t).
    reveal: (alpha(s) - alpha(t)) / (1 - alpha(t)); 0 at s = t, and 1 at s = 0 if alpha(0) = 1,
        both exactly.
    inverse: the t with alpha(t) = p, or None where there is no closed form: then bisect.
    """

    name: str
    alpha: Formula
    dalpha: Formula
    corrupted: Formula
    hazard: Formula
    sigma: Formula
    dsigma: Formula
    reveal: Formula
    inverse: Formula | None


def derive(arrow: ast.Arrow, schedules: Mapping[str, ast.Arrow] | None = None) -> Calculus:
    """Everything that follows from the schedule of an arrow.

    ``schedules`` are those that its formula may call. Raises `TooHard` with the node to blame, and
    `Undefined` where the survival has no finite value somewhere in [0, 1].
    """
    expr = _in_t(arrow, schedules or {})
    from xlmc.derivation import Derivation

    found = Derivation(expr)
    return Calculus(
        name=arrow.survival,
        alpha=formula(expr),
        dalpha=found.dalpha(),
        corrupted=found.corrupted,
        hazard=found.hazard(),
        sigma=found.sigma(),
        dsigma=found.dsigma(),
        reveal=found.reveal(),
        inverse=found.inverse(),
    )


def _in_t(arrow: ast.Arrow, schedules: Mapping[str, ast.Arrow]) -> ast.Expr:
    """The formula of an arrow in the variable t, smooth and finite on [0, 1]."""
    others = {name: other for name, other in schedules.items() if name != arrow.survival}
    t = ast.Name(id="t", span=arrow.span)
    expr = settle(inline(arrow.value, {arrow.argument: t}, others), "t")
    for point in (0.0, *POINTS, 1.0):
        value_of(expr, Scope({"t": point}), FLOAT)
    bend = kink(expr, "t")
    if bend is not None:
        raise TooHard(bend.node, bend.reason)
    check_limits(expr)
    return expr

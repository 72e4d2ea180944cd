"""Functions derived from a schedule: derivative, hazard, sigma, reveal, inverse.

SymPy makes the candidates, `accuracy` measures them in float64, and the shortest good one is
printed. SymPy is imported by the first call of `derive`, not with this module.
"""

from functools import cached_property
from itertools import product

from xlmc.calculus.evaluate import curve
from xlmc.calculus.formula import Formula, formula
from xlmc.calculus.limits import check_limits
from xlmc.calculus.survival import ALONE, POINTS, Worlds, kink, settle
from xlmc.syntax import ast
from xlmc.syntax.expression import MathError, TooHard, Undefined, inline

__all__ = ["Calculus", "Formula", "MathError", "TooHard", "Undefined", "derive", "expected"]


class Calculus:
    """Functions derived from ``survival alpha(t)``; for t in [1e-6, 1] the code keeps its digits.

    corrupted: 1 - alpha(t). hazard: -alpha'(t) / (1 - alpha(t)), the weight of the bound.
    sigma: -log alpha(t), precise to 1e-15 where it is tiny and alpha falls to 0 steeply elsewhere.
    dsigma: its derivative, -alpha'(t) / alpha(t).
    reveal: (alpha(s) - alpha(t)) / (1 - alpha(t)); 0 at s = t, and 1 at s = 0 if alpha(0) = 1,
        both exactly.
    inverse: the t with alpha(t) = p, or None where there is no closed form: then bisect.
    randomized: 1 - alpha(t) times the share of random tokens; drandomized: its derivative.

    A quantity is derived on first use. Raises `TooHard` if that is beyond reach.
    ``worlds`` are values of the params that the survival reads: a form is measured at all of them.
    """

    def __init__(
        self, name: str, expr: ast.Expr, worlds: Worlds = ALONE, share: ast.Expr | None = None
    ) -> None:
        from xlmc.calculus.derivation import Derivation

        self.name = name
        self.alpha = formula(expr, worlds[0])
        self._found = Derivation(expr, worlds, share)
        self.corrupted = self._found.corrupted

    @cached_property
    def dalpha(self) -> Formula:
        """The slope alpha'(t)."""
        return self._found.dalpha()

    @cached_property
    def hazard(self) -> Formula:
        """The rate at which a mask is revealed in reverse time: -alpha'(t) / (1 - alpha(t))."""
        return self._found.hazard()

    @cached_property
    def sigma(self) -> Formula:
        """The total noise -log alpha(t)."""
        return self._found.sigma()

    @cached_property
    def dsigma(self) -> Formula:
        """The rate of noise -alpha'(t) / alpha(t)."""
        return self._found.dsigma()

    @cached_property
    def reveal(self) -> Formula:
        """The chance (alpha(s) - alpha(t)) / (1 - alpha(t))."""
        return self._found.reveal()

    @cached_property
    def inverse(self) -> Formula | None:
        """The t with alpha(t) = p."""
        return self._found.inverse()

    @cached_property
    def randomized(self) -> Formula:
        """The chance of a random token."""
        return self._found.randomized()

    @cached_property
    def drandomized(self) -> Formula:
        """Its slope."""
        return self._found.drandomized()


def derive(arrow: ast.Arrow, worlds: Worlds = ALONE) -> Calculus:
    """Return the functions derived from the schedule of an arrow.

    ``worlds`` are values of the params that it reads.

    Raises `TooHard` with the node to blame, and `Undefined` where the survival has no finite value
    somewhere in [0, 1].
    """
    expr = _in_t(arrow.value, arrow, worlds, (0.0, 1.0))
    share = _in_t(arrow.share, arrow, worlds, ()) if arrow.share is not None else None
    return Calculus(arrow.survival, expr, worlds, share)


def expected(arrow: ast.Arrow, worlds: Worlds = ALONE) -> Formula:
    """Return the number of events of an arrow that are expected by the time t."""
    assert arrow.events is not None
    t = ast.Name(id="t", span=arrow.span)
    return formula(settle(inline(arrow.events, {arrow.argument: t}), "t", worlds), worlds[0])


def _in_t(value: ast.Expr, arrow: ast.Arrow, worlds: Worlds, ends: tuple[float, ...]) -> ast.Expr:
    """Return a formula of an arrow in the variable t, smooth and finite between 0 and 1.

    And at the ends that are given.
    """
    t = ast.Name(id="t", span=arrow.span)
    expr = settle(inline(value, {arrow.argument: t}), "t", worlds)
    alpha = curve(expr)
    for point, world in product((*ends, *POINTS[1:]), worlds):
        alpha({**world, "t": point})
    bend = kink(expr, "t", worlds)
    if bend is not None:
        raise TooHard(bend.node, bend.reason)
    check_limits(expr, ("t", *worlds[0]))
    return expr

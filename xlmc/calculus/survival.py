"""Facts about the values of a survival: its ends, rises, poles and kinks."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from attrs import field, frozen

from xlmc.calculus.arithmetic import DUAL, Dual
from xlmc.calculus.evaluate import curve
from xlmc.calculus.functions import SEVERAL
from xlmc.syntax import ast
from xlmc.syntax.expression import MathError, check_size, rewrite, walk

TOLERANCE = 1e-9
_GOLDEN = 0.6180339887498949
# Not evenly spaced, so that no oscillation of a spec can hide between the points.
Worlds = Sequence[Mapping[str, float]]  # values of the params of a survival
ALONE: Worlds = ({},)
POINTS = tuple((i + (i * _GOLDEN) % 1.0) / 256 for i in range(256))


@frozen(kw_only=True)
class Trouble:
    """A fault of a survival: where, why, and the faulty part of its formula."""

    t: float
    node: ast.Expr = field(eq=False, repr=False)
    reason: str


@frozen(kw_only=True)
class Survival:
    """The facts that decide what a schedule may be used for.

    start, end: alpha(0) and alpha(1), the mass left over; None where undefined.
    rises: a t past which alpha increases.
    undefined: a point without a finite value.   kink: a point without a derivative.
    order: the hazard grows like order / t at the data end; 0 if it stays finite there.
    """

    start: float | None
    end: float | None
    rises: float | None = None
    undefined: Trouble | None = None
    kink: Trouble | None = None
    order: float = 0.0


def examine(arrow: ast.Arrow) -> Survival:
    """Return every fact about the survival of an arrow. Raises `TooHard` if it is too large."""
    expr = arrow.value
    curve = _Curve(expr, arrow.argument)
    start, end = curve.samples[0].value, curve.samples[-1].value
    undefined = curve.undefined()
    if undefined is not None:
        return Survival(start=start, end=end, undefined=undefined)
    return Survival(
        start=start,
        end=end,
        rises=curve.rises(),
        kink=kink(expr, arrow.argument),
        order=curve.order(),
    )


def settle(expr: ast.Expr, variable: str, worlds: Worlds = ALONE) -> ast.Expr:
    """Remove each ``min`` and ``max`` that has the same argument as its value everywhere."""
    check_size(expr)

    def change(node: ast.Expr) -> ast.Expr:
        if isinstance(node, ast.Call) and node.function in SEVERAL and node.arguments:
            always = sorted({i for one in worlds for i in _winners(node, variable, one)})
            return node.arguments[next(iter(always), 0)] if len(always) < 2 else node
        return node

    return rewrite(expr, change)


def kink(expr: ast.Expr, variable: str, worlds: Worlds = ALONE) -> Trouble | None:
    """Return the first ``min`` or ``max`` that changes its argument inside the range."""
    for node in walk(settle(expr, variable, worlds)):
        if isinstance(node, ast.Call) and node.function in SEVERAL and _reads(node, variable):
            t = max(max(_winners(node, variable, one).values()) for one in worlds)
            return Trouble(t=t, node=node, reason="has no derivative where its argument changes")
    return None


def _reads(expr: ast.Expr, variable: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == variable for part in walk(expr))


def _winners(call: ast.Call, variable: str, world: Mapping[str, float]) -> dict[int, float]:
    """Return the arguments that are the value of a ``min`` or ``max``, and the first t of each."""
    sign = 1.0 if call.function == "max" else -1.0
    arguments = [curve(argument) for argument in call.arguments]
    first: dict[int, float] = {}
    for t in (0.0, *POINTS, 1.0):
        try:
            values = [sign * value({**world, variable: t}) for value in arguments]
        except MathError:
            continue
        best = max(values)
        taken = [i for i, v in enumerate(values) if v >= best - 1e-12]
        if len(taken) == 1:
            first.setdefault(taken[0], t)
    return first


@frozen
class _Sample:
    """A survival at a point; what has no finite value is None."""

    t: float
    value: float | None
    slope: float | None


class _Curve:
    """An expression as a function of one variable on [0, 1], looked at from many points."""

    def __init__(self, expr: ast.Expr, variable: str) -> None:
        check_size(expr)
        self.expr = expr
        self.variable = variable
        self.value, self.dual = curve(expr), curve(expr, numbers=DUAL)
        self.samples = [self.sample(t) for t in (0.0, *POINTS, 1.0)]

    def sample(self, t: float) -> _Sample:
        """Return value and derivative at a point."""
        try:
            at = self.dual({self.variable: Dual(t, 1.0)})
        except MathError:
            return _Sample(t, self._value(t), None)
        return _Sample(t, float(at.value), float(at.slope))

    def _value(self, t: float) -> float | None:
        try:
            return float(self.value({self.variable: t}))
        except MathError:
            return None

    def undefined(self) -> Trouble | None:
        """Return the first point without a finite value."""
        t = next((x.t for x in self.samples if x.value is None), None)
        if t is None:
            return None
        try:
            self.value({self.variable: t})
        except MathError as e:
            return Trouble(t=t, node=e.node, reason=e.reason)
        return None

    def rises(self) -> float | None:
        """Return a point from which values increase, or at which the derivative is positive."""
        known = [(x.t, x.value, x.slope) for x in self.samples if x.value is not None]
        for (earlier, above, _), (t, value, change) in pairwise(known):
            if value > above + TOLERANCE:
                return earlier
            if t < 1.0 and change is not None and change > 1e-6:
                return t
        return None

    def order(self) -> float:
        """Return the limit of t times the hazard, measured where 1 - alpha is still precise."""
        start = self.samples[0].value
        if start is None or start < 1.0 - TOLERANCE:
            return 0.0
        for t in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3):
            x = self.sample(t)
            if x.value is not None and x.slope is not None and 1.0 - x.value > 1e-9:
                return max(0.0, -x.slope * t / (1.0 - x.value))
        return 0.0

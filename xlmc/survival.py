"""What the numbers of a survival tell: its ends, rises, poles, kinks and steepness."""

from collections.abc import Mapping

from attrs import field, frozen

from xlmc import ast
from xlmc.arithmetic import DUAL, FLOAT, Dual
from xlmc.expression import MathError, Undefined, check_size, inline, rewrite, walk
from xlmc.numeric import Scope, value_of

TOLERANCE = 1e-9
_GOLDEN = 0.6180339887498949
# Not evenly spaced, so that no oscillation of a spec can hide between the points.
POINTS = tuple((i + (i * _GOLDEN) % 1.0) / 256 for i in range(256))


@frozen(kw_only=True)
class Trouble:
    """Where and why a survival is no good, and the part of it that is to blame."""

    t: float
    node: ast.Expr = field(eq=False, repr=False)
    reason: str


@frozen(kw_only=True)
class Survival:
    """The facts that decide what a schedule may be used for.

    start, end: alpha(0) and alpha(1), the mass left over; None where undefined.
    rises: a t past which alpha increases.   low: a t at which alpha is negative.
    undefined: a point without a finite value.   kink: a point without a derivative.
    steep: where -alpha', which is weight times chance of corruption, is unbounded (t = 0 for a
        square root); it is integrable all the same, as alpha is bounded.
    order: the hazard grows like order / t at the data end; 0 if it stays finite there.
    """

    start: float | None
    end: float | None
    rises: float | None = None
    low: float | None = None
    undefined: Trouble | None = None
    kink: Trouble | None = None
    steep: float | None = None
    order: float = 0.0


def examine(arrow: ast.Arrow, schedules: Mapping[str, ast.Arrow] | None = None) -> Survival:
    """Every fact about the survival of an arrow. Raises `TooHard` if it is too large."""
    expr = inline(arrow.value, {}, {k: v for k, v in (schedules or {}).items() if v != arrow})
    curve = _Curve(expr, arrow.argument)
    undefined = curve.undefined()
    ends = (curve.value(0.0), curve.value(1.0))
    if undefined is not None:
        return Survival(start=ends[0], end=ends[1], undefined=undefined)
    return Survival(
        start=ends[0],
        end=ends[1],
        rises=curve.rises(),
        low=curve.low(),
        kink=kink(expr, arrow.argument),
        steep=curve.steep(),
        order=curve.order(),
    )


def max_weight(arrow: ast.Arrow, guard: float) -> float:
    """The hazard at a guard: the largest weight of a draw from (guard, 1) when hazards fall.

    Raises `Undefined` where there is none.
    """
    slope = _Curve(arrow.value, arrow.argument).dual(guard)
    if slope.value >= 1.0:
        raise Undefined(arrow.value, f"is still 1 at t = {guard:g}")
    return float(-slope.slope / (1.0 - slope.value))


def settle(expr: ast.Expr, variable: str) -> ast.Expr:
    """The expression without those ``min`` and ``max`` that take the same argument everywhere."""
    check_size(expr)

    def change(node: ast.Expr) -> ast.Expr:
        if isinstance(node, ast.Call) and node.function in ("min", "max") and node.arguments:
            always = sorted(_winners(node, variable))
            return node.arguments[next(iter(always), 0)] if len(always) < 2 else node
        return node

    return rewrite(expr, change)


def kink(expr: ast.Expr, variable: str) -> Trouble | None:
    """The first ``min`` or ``max`` that changes its argument inside the range."""
    for node in walk(settle(expr, variable)):
        if isinstance(node, ast.Call) and node.function in ("min", "max"):
            t = max(_winners(node, variable).values())
            return Trouble(t=t, node=node, reason="has no derivative where its argument changes")
    return None


def _winners(call: ast.Call, variable: str) -> dict[int, float]:
    """The arguments that a ``min`` or ``max`` takes, ties apart, and the first t of each."""
    sign = 1.0 if call.function == "max" else -1.0
    first: dict[int, float] = {}
    for t in (0.0, *POINTS, 1.0):
        try:
            values = [sign * value_of(a, Scope({variable: t}), FLOAT) for a in call.arguments]
        except MathError:
            continue
        best = max(values)
        taken = [i for i, v in enumerate(values) if v >= best - 1e-12]
        if len(taken) == 1:
            first.setdefault(taken[0], t)
    return first


class _Curve:
    """An expression as a function of one variable on [0, 1]."""

    def __init__(self, expr: ast.Expr, variable: str) -> None:
        check_size(expr)
        self.expr = expr
        self.variable = variable

    def value(self, t: float) -> float | None:
        try:
            return float(value_of(self.expr, Scope({self.variable: t}), FLOAT))
        except MathError:
            return None

    def dual(self, t: float) -> Dual:
        result = value_of(self.expr, Scope({self.variable: Dual(t, 1.0)}), DUAL)
        assert isinstance(result, Dual)
        return result

    def slope(self, t: float) -> float | None:
        try:
            return float(self.dual(t).slope)
        except MathError:
            return None

    def undefined(self) -> Trouble | None:
        for t in (0.0, *POINTS, 1.0):
            try:
                value_of(self.expr, Scope({self.variable: t}), FLOAT)
            except Undefined as e:
                node = e.node if isinstance(e.node, ast.Expr) else self.expr
                return Trouble(t=t, node=node, reason=e.reason)
        return None

    def rises(self) -> float | None:
        before = self.value(0.0)
        last = 0.0
        for t in (*POINTS, 1.0):
            now = self.value(t)
            slope = self.slope(t) if t < 1.0 else None
            if before is not None and now is not None and now > before + TOLERANCE:
                return last
            if slope is not None and slope > 1e-6:
                return t
            before, last = now, t
        return None

    def low(self) -> float | None:
        values = ((t, self.value(t)) for t in (*POINTS, 1.0))
        return next((t for t, v in values if v is not None and v < -TOLERANCE), None)

    def steep(self) -> float | None:
        """An end towards which the derivative grows without bound, or a point without one."""
        for end, near, nearer in ((0.0, 1e-6, 1e-10), (1.0, 1 - 1e-6, 1 - 1e-10)):
            if self.slope(end) is not None:
                continue
            far, close = self.slope(near), self.slope(nearer)
            if far is None or close is None or abs(close) > 1.2 * abs(far) > 0.0:
                return end
        return next((t for t in POINTS[1:] if self.slope(t) is None), None)

    def order(self) -> float:
        """The limit of t times the hazard, read off where 1 - alpha is still precise."""
        start = self.value(0.0)
        if start is None or start < 1.0 - TOLERANCE:
            return 0.0
        for t in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3):
            value, slope = self.value(t), self.slope(t)
            if value is not None and slope is not None and 1.0 - value > 1e-9:
                return -slope * t / (1.0 - value)
        return 0.0

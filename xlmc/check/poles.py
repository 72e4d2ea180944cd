"""Weights that grow without end: at the ends of the range of the amount, and between them."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import evolve

from xlmc.calculus.survival import POINTS
from xlmc.check import scope
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import Diverges, NegativeWeight
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.environment import Environment, reads
from xlmc.theory.objective import Objective, Part, with_bound
from xlmc.theory.probe import Sample
from xlmc.theory.process import Process
from xlmc.theory.weights import chance

COUNT = "draw the exact count, `amount count ~ uniform(1, length)`, which needs no weight in t; or "
TIMES = tuple(10.0**-k for k in range(9, 0, -1))
GROWTH = 3.0  # from one hundredth of the distance to an end to the next: what diverges
GUARD = 1e-3  # of the range, at an end that does
ROWS = (  # in which a weight is followed through the range
    {"count": 1.0, "length": 1.0, "visible": 1.0},
    {"count": 2.0, "length": 5.0, "visible": 1.0},
    {"count": 300.0, "length": 1000.0, "visible": 1.0},
)
PEAKS = 8  # that are climbed
ZOOMS = 17  # of a quarter each


def valued(
    weight: ast.Expr, env: Environment, samples: Iterable[Sample]
) -> Iterator[tuple[Sample, float | Diagnostic]]:
    """Yield the values of a weight, and complaints in the place of those that it cannot have."""
    for sample, value in scope.values(weight, env, samples):
        if isinstance(value, float) and value < 0:
            where = scope.show(weight, env, sample)
            yield sample, NegativeWeight(span=weight.span, value=f"{value:g}", where=where)
        else:
            yield sample, value


def diverges(
    part: Part, weight: ast.Expr, env: Environment, objective: Objective
) -> Iterator[Diagnostic]:
    """Report a weight whose product with the chance of corruption is unbounded."""
    amount = objective.process.amount
    if amount is None or amount.variable.id != "t" or "t" not in reads(weight, env):
        return
    low, high = map(literal, query.extent(amount))
    assert low is not None
    assert high is not None
    of_rows = {"count", "length"} & reads(weight, env)
    for row in ROWS if of_rows else ROWS[:1]:

        def risks(times: Sequence[float], row: Sample = row) -> list[float | Diagnostic]:
            samples = with_bound(({"t": t, **row} for t in times), part, objective)
            at = [(one["t"], value) for one, value in valued(weight, env, samples)]
            return [v * chance(part, t, objective) if isinstance(v, float) else v for t, v in at]

        wrong = _at_an_end(weight, risks, amount, objective.process)
        wrong = wrong or (_inside(weight, risks, low, high) if low < high else [])
        where = "".join(f", {name} = {row[name]:g}" for name in sorted(of_rows))
        yield from (
            evolve(one, at=one.at + where) if isinstance(one, Diverges) else one for one in wrong
        )
        if wrong:
            return


Risks = Callable[[Sequence[float]], list[float | Diagnostic]]


def _at_an_end(
    weight: ast.Expr, risks: Risks, amount: ast.Amount, process: Process
) -> list[Diagnostic]:
    """Report the ends of the range towards which a risk grows; guards keep the other end."""
    found: list[Diagnostic] = []
    low, high = query.extent(amount)
    a, b = literal(low) or 0.0, literal(high) or 0.0
    away = GUARD if b - a > 10 * GUARD else (b - a) * GUARD
    guards = (f"{_short(a + away)}, {high.span.text}", f"{low.span.text}, {_short(b - away)}")
    for end, towards, guard in ((a, 1.0, guards[0]), (b, -1.0, guards[1])):
        points = [end + towards * (b - a) * step for step in TIMES]
        known = [risk for risk in risks(points) if isinstance(risk, float)]
        if len(known) == len(points) and known[0] > GROWTH * known[2] > GROWTH**2 * known[4] > 0:
            hint = f"exclude that end, `amount t ~ uniform({guard})`"
            hint += "; times beyond it are not trained"
            hint = COUNT + hint if process.one_clock else hint
            value, at = f"{known[0]:.3g}", f"{points[0]:g}"
            found.append(Diverges(span=weight.span, value=value, at=at, hint=hint))
    return found


def _short(time: float) -> str:
    return "1e-3" if time == GUARD else f"{time:g}"


def _inside(weight: ast.Expr, risks: Risks, low: float, high: float) -> list[Diagnostic]:
    """Report a pole between the ends: near the highest of many points there are higher ones."""
    times = [low + (high - low) * point for point in POINTS[1:]]
    found = risks(times)
    if wrong := [risk for risk in found if not isinstance(risk, float)]:
        return wrong[:1]
    heights = [risk for risk in found if isinstance(risk, float)]
    inner = range(1, len(times) - 1)
    peaks = [i for i in inner if heights[i - 1] < heights[i] >= heights[i + 1]]
    for i in sorted(peaks, key=lambda i: -heights[i])[:PEAKS]:
        if wrong := _climb(weight, risks, times[i - 1], times[i + 1]):
            return wrong
    return []


def _climb(weight: ast.Expr, risks: Risks, a: float, b: float) -> list[Diagnostic]:
    """Report a peak between two times without a maximum: each zoom finds a higher value."""
    tops: list[float] = []
    for n in range(ZOOMS):
        times = [a + (b - a) * k / 8 for k in range(1, 8)]
        found = risks(times)
        if wrong := [risk for risk in found if not isinstance(risk, float)]:
            return wrong[:1]
        heights = [risk for risk in found if isinstance(risk, float)]
        best = heights.index(max(heights))
        tops.append(heights[best])
        a, t, b = (times[best] + (b - a) * k / 8 for k in (-1, 0, 1))
        if n >= 4 and tops[n] < GROWTH * tops[n - 4]:
            return []
    hint = "between the ends of the range a weight must be finite"
    return [Diverges(span=weight.span, value=f"{tops[-1]:.3g}", at=f"{t:.6g}", hint=hint)]

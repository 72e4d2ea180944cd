"""The noise."""

from xlmc.calculus.code import Code, constant, number
from xlmc.check.scope import literal
from xlmc.lower import ir
from xlmc.lower.clock import Clock
from xlmc.lower.params import mentioned
from xlmc.syntax import ast, query


def noise(family: ast.Family, clock: Clock, told: Code | None) -> ir.Noise:
    """`noise.py`."""
    amount = query.the(query.entries(family, "noise"), ast.Amount)
    low, high = query.extent(amount)
    timed = amount.variable.id == "t"
    carries = bool(told) or (timed and _reads_time(family, clock))
    both = query.chain(family) == "both"
    last = clock.to("gone" if both else query.chain(family))
    corrupted = last.use("corrupted") if timed else ""
    inverse = last.use("inverse") if both or (told and not timed) else ""
    masks = clock.to("mask").use("corrupted") if both else ""
    return ir.Noise(
        chain=query.chain(family),
        spec=clock.spec,
        variable=amount.variable.id,
        fixed=amount.law.function == "fixed",
        low=_bound(low),
        high=_bound(high) if timed else None,
        spread=amount.spread.id if amount.spread is not None else "",
        survival=clock.arrow.survival,
        corrupted=corrupted,
        inverse=inverse,
        masks=masks,
        whole=constant(1 - last.end) if both and last.end else None,
        latex=_latex(clock) if both else (),
        schedule=tuple(sorted({corrupted, inverse, masks} - {""})),
        carries_t=carries,
    )


def _latex(clock: Clock) -> tuple[str, ...]:
    """The laws of the times at which a token comes back as a mask, and at which it is clean."""
    alpha, beta = clock.to("mask").latex, clock.to("gone").latex
    return (
        rf"P(T > t) = {beta}(t), \qquad",
        rf"P(\mathrm{{mask}} \mid T > t) = \frac{{1 - {alpha}(t)}}{{1 - {alpha}(T)}}",
    )


def _bound(expr: ast.Expr) -> Code:
    """An end of the range of the amount: 0, 1 or a decimal."""
    value = literal(expr)
    assert value is not None
    return number(expr, whole=value == int(value))


def _reads_time(family: ast.Family, clock: Clock) -> bool:
    """Whether a weight of the loss reads the time: `bound` does, where the amount is a time."""
    weights = [term.weight for term in query.terms(family) if term.weight is not None]
    lets = [one.value for one in query.those(query.entries(family, "loss"), ast.Let)]
    spoken = mentioned([*weights, *lets])
    bounded = query.chain(family) != "gone" and "bound" in spoken
    return bounded or "t" in spoken or any(map(clock.reads, [*weights, *lets]))

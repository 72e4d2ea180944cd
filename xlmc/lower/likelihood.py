"""The likelihood."""

import math

from xlmc.calculus.code import Code
from xlmc.calculus.survival import examine
from xlmc.check.loss import counts
from xlmc.lower import ir
from xlmc.lower.claims import chosen, claim, stop
from xlmc.lower.clock import Clock
from xlmc.lower.loss import place
from xlmc.syntax import ast, query


def likelihood(family: ast.Family, clock: Clock, condition: Code | None) -> ir.Likelihood | None:
    """`likelihood.py`, or None where there is no likelihood."""
    value, why = claim(family)
    if value == "none":
        return None
    chain = query.chain(family)
    if chain == "both":
        return _of_both(family, clock, condition, f"{value.capitalize()}: {why}.")
    main = _read(family, "joint_cross_entropy" if chain == "gone" else "cross_entropy")
    end = stop(family) if chain == "gone" else None
    inverse = clock.use("inverse") if condition else ""
    names = {inverse} - {""} | (condition.reads.functions if condition else set())
    return ir.Likelihood(
        chain=chain,
        head=main.head.id,
        shifted=query.heads(family)[main.head.id].shifted,
        gap="",
        hazards=(),
        power=0,
        stop=end.head.id if end else "",
        stop_at=place(end, family) if end else "",
        numbers=end is not None and counts(end),
        schedule=tuple(sorted(names)),
        inverse=inverse,
        condition=condition,
        detail=f"{value.capitalize()}: {why}.",
        latex={"mask": MASK_LATEX, "gone": GONE_LATEX, "none": NONE_LATEX}[chain],
    )


def _of_both(
    family: ast.Family, clock: Clock, condition: Code | None, detail: str
) -> ir.Likelihood:
    hazards = (clock.to("mask").use("hazard"), clock.to("gone").use("hazard"))
    orders = [order for arrow in query.arrows(family) if (order := examine(arrow).order)]
    return ir.Likelihood(
        chain="both",
        head=_read(family, "cross_entropy").head.id,
        shifted=False,
        gap=_read(family, "poisson").head.id,
        hazards=hazards,
        power=max(2, math.ceil(2 / min(orders, default=1) - 0.05)),
        stop="",
        stop_at="",
        numbers=False,
        schedule=tuple(sorted(hazards)),
        inverse="",
        condition=condition,
        detail=detail,
        latex=BOTH_LATEX,
    )


def _read(family: ast.Family, kind: str) -> ast.Term:
    """The term of a kind that is read."""
    terms = [term for term in query.terms(family) if term.divergence.kind == kind]
    return chosen([term for term in terms if not counts(term)], family)


MASK_LATEX = (
    r"-\log p(x_0) \le E_{n \sim U\{1..L\}} \frac{L}{n}",
    r"\sum_{i : x_t^i = m} -\log p(x_0^i \mid x_t)",
)
GONE_LATEX = (
    r"-\log p(x_0) \le (L + 1) E_{n \sim U\{0..L\}} \Big[",
    r"\frac{1}{n} \sum_{i\,\mathrm{gone}} -\log p(\mathrm{gap}_i, x_0^i \mid x_t)",
    r"- \log p(\mathbb{1}[n = 0] \mid x_t) \Big] - \log L!",
)
NONE_LATEX = (r"-\log p(x_0) = \sum_{i\,\mathrm{free}} -\log p(x_0^i \mid x_0^{<i})",)
BOTH_LATEX = (
    r"-\log p(x_0) \le \int_0^1 \Big[ w_1(t) \, E \sum_{i : x_t^i = m} -\log p(x_0^i \mid x_t)",
    r"+ w_2(t) \, E \sum_g \left(\hat n_g - n_g + n_g \log \frac{n_g}{\hat n_g}\right)",
    r"\Big] \, dt",
)

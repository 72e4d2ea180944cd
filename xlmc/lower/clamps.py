"""Weights that a clamp makes the same for nearly every draw, so that their formula misleads."""

from collections.abc import Iterator

from xlmc.check.loss import bound, inlined, weights, with_bound
from xlmc.check.scope import Sample, literal, reads, values
from xlmc.syntax import ast, query

DRAWS = 400
LENGTH = 400
VARYING = {"t", "count", "length", "bound", "visible"}
NEARLY = 0.95  # of the draws


def clamped(term: ast.Term, family: ast.Family) -> str:
    """In words what the weight of a term is for nearly every draw; "" where it varies.

    At the defaults of the params: ``1 for nearly every t at cap = 1``.
    """
    whole = inlined(term, family)
    if term.weight is None or whole is None:
        return ""
    if not any(call.function in ("min", "max") for call in query.calls(whole)):
        return ""
    env = weights(family)
    found = [one for _, one in values(term.weight, env, _draws(term, family))]
    known = sorted(one for one in found if isinstance(one, float))
    if not known:
        return ""
    middle = known[len(known) // 2]
    alike = sum(abs(one - middle) <= 1e-9 * abs(middle) for one in known)
    if alike < NEARLY * len(found) or not reads(term.weight, env) & VARYING:
        return ""
    amount = query.amount(family)
    what = amount.variable.id if amount is not None else "row"
    own = sorted(reads(term.weight, env) & {*env.defaults})
    at = ", ".join(f"{name} = {env.defaults[name]:g}" for name in own)
    return f"{middle:g} for nearly every {what}" + (f" at {at}" if at else "")


def _draws(term: ast.Term, family: ast.Family) -> Iterator[Sample]:
    """Amounts of noise, spread evenly over their range."""
    amount, found = query.amount(family), bound(term, family)
    ends = [literal(end) for end in query.extent(amount)] if amount is not None else []
    timed = amount is not None and amount.variable.id == "t"
    for n in range(DRAWS):
        share = (n + 0.5) / DRAWS
        point = {"length": float(LENGTH), "count": float(n + 1), "visible": 1.0}
        if timed and len(ends) == 2 and None not in ends:
            low, high = (end or 0.0 for end in ends)
            point["t"] = low + (high - low) * share
        yield with_bound(point, found, family)

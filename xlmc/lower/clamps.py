"""Weights that a clamp makes the same for nearly every draw, so that their formula misleads."""

from collections.abc import Iterator

from xlmc.syntax import query
from xlmc.syntax.expression import literal
from xlmc.theory.environment import reads
from xlmc.theory.objective import Objective, Part, inlined, weights, with_bound
from xlmc.theory.probe import Sample, values

DRAWS = 400
LENGTH = 400
VARYING = {"t", "count", "length", "bound", "visible"}
NEARLY = 0.95  # of the draws


def clamped(part: Part, objective: Objective) -> str:
    """Return in words what the weight of a term is for nearly every draw; "" where it varies.

    At the defaults of the params: ``1 for nearly every t at cap = 1``.
    """
    weight, whole = part.term.weight, inlined(part, objective)
    if weight is None or whole is None:
        return ""
    if not any(call.function in ("min", "max") for call in query.calls(whole)):
        return ""
    env = weights(objective)
    found = [one for _, one in values(weight, env, with_bound(_draws(objective), part, objective))]
    known = sorted(one for one in found if isinstance(one, float))
    if not known:
        return ""
    middle = known[len(known) // 2]
    alike = sum(abs(one - middle) <= 1e-9 * abs(middle) for one in known)
    if alike < NEARLY * len(found) or not reads(weight, env) & VARYING:
        return ""
    amount = objective.process.amount
    what = amount.variable.id if amount is not None else "row"
    own = sorted(reads(weight, env) & {*env.defaults})
    at = ", ".join(f"{name} = {env.defaults[name]:g}" for name in own)
    return f"{middle:g} for nearly every {what}" + (f" at {at}" if at else "")


def _draws(objective: Objective) -> Iterator[Sample]:
    """Yield amounts of noise, spread evenly over their range."""
    amount = objective.process.amount
    ends = [literal(end) for end in query.extent(amount)] if amount is not None else []
    timed = amount is not None and amount.variable.id == "t"
    for n in range(DRAWS):
        share = (n + 0.5) / DRAWS
        point = {"length": float(LENGTH), "count": float(n + 1), "visible": 1.0}
        if timed and len(ends) == 2 and None not in ends:
            low, high = (end or 0.0 for end in ends)
            point["t"] = low + (high - low) * share
        yield point

"""The values that the weight of a term takes in training."""

from collections.abc import Iterator
from itertools import product

from xlmc.calculus.evaluate import FLOAT, Scope, value_of
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.objective import Objective, Part, inlined, weights, with_bound
from xlmc.theory.probe import SIZES, Sample, distinct, exactly, rows, values


def samples(part: Part, objective: Objective) -> Iterator[Sample]:
    """Yield rows of every size, with every amount of noise, and the bound there."""
    amount = objective.process.amount
    if amount is None:
        yield from ({"length": length, "bound": 1.0} for length in SIZES)
        return
    yield from with_bound(_noised(part, amount, objective), part, objective)


def _noised(part: Part, amount: ast.Amount, objective: Objective) -> Iterator[Sample]:
    low, high = map(literal, query.extent(amount))
    # Weights of tokens are read where there are some, that of a row always.
    least = (0.0,) if part.of_rows else ()
    visible = (0.0, 0.5, 2.0) if query.around(inlined(part, objective)) else (0.0,)
    for row, seen in product(rows("count", least), visible):
        point = {**row, "visible": seen}
        if amount.variable.id != "t" or low is None or high is None:
            yield point
        elif row["count"] in (0, 1, row["length"]):
            for i in range(1, 16):
                yield {"t": low + (high - low) * i / 16, **point}


def idle(call: ast.Call, part: Part, objective: Objective) -> bool:
    """Return whether a ``max(..., 0)`` is never the 0."""
    others = [a for a in call.arguments if literal(a) is None]
    low = max((literal(a) or 0.0 for a in call.arguments if a not in others), default=1.0)
    if call.function != "max" or low > 0 or len(others) != 1:
        return False
    env = weights(objective)
    found = values(others[0], env, distinct(others[0], env, samples(part, objective)))
    return all(isinstance(value, float) and value >= 0 for _, value in found)


def chance(part: Part, t: float, objective: Objective) -> float:
    """Return the chance that a term speaks of a token, up to a factor that hardly grows."""
    arrows = objective.process.arrows
    if len(arrows) == 1 or part.arrow is arrows[-1]:
        return _corrupted(arrows[-1], t)
    present = value_of(arrows[-1].value, Scope({"t": t}), FLOAT)
    return max(_corrupted(arrow, t) for arrow in arrows) * float(present)


def _corrupted(arrow: ast.Arrow, t: float) -> float:
    """Return 1 - alpha(t), also where floats round it to 0."""
    found = 1 - value_of(arrow.value, Scope({"t": t}), FLOAT)
    if found > 1e-9:
        return float(found)
    name = ast.Name(arrow.survival, span=arrow.span)
    call = ast.Call("corrupted", (name,), span=arrow.span)
    return exactly(call, {"t": t}, {arrow.survival: arrow})

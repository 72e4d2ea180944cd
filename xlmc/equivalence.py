"""Whether two expressions say the same, or the same up to a factor: settled by numbers."""

from attrs import evolve

from xlmc import ast
from xlmc.arithmetic import FLOAT
from xlmc.expression import check_size
from xlmc.numeric import Scope, value_of

_POINTS = tuple(((i + 1) * 0.6180339887498949) % 1.0 for i in range(24))
TOLERANCE = 1e-7  # the naive hazard of a cosine, at t = 1e-4, is as far off as this


def ratio(
    a: ast.Expr,
    b: ast.Expr,
    over: tuple[float, float] = (0.0, 1.0),
    variable: str = "t",
    scope: Scope | None = None,
) -> float | None:
    """The constant ``a / b`` if the two are proportional for all t strictly inside ``over``.

    None where they are not. Two expressions that vanish everywhere have the ratio 1.
    Raises `Undefined` or `TooHard` with the part of either that has no value there.
    """
    scope = scope or Scope({})
    check_size(a)
    check_size(b)
    low, high = over
    pairs = []
    for x in _POINTS:
        at = evolve(scope, names={**scope.names, variable: low + (high - low) * x})
        pairs.append((float(value_of(a, at, FLOAT)), float(value_of(b, at, FLOAT))))
    p, q = max(pairs, key=lambda pair: abs(pair[1]))
    if q == 0.0:
        return 1.0 if all(a == 0.0 for a, _ in pairs) else None
    factor = p / q
    if all(abs(a - factor * b) <= TOLERANCE * abs(factor * b) for a, b in pairs):
        return factor
    return None


def equivalent(
    a: ast.Expr,
    b: ast.Expr,
    over: tuple[float, float] = (0.0, 1.0),
    variable: str = "t",
    scope: Scope | None = None,
) -> bool:
    """Whether two expressions agree for all t strictly inside ``over``; raises as `ratio` does."""
    factor = ratio(a, b, over, variable, scope)
    return factor is not None and abs(factor - 1.0) <= TOLERANCE

"""Steps to the end of a grid, and values of params, by which the claims of a decoder are judged."""

from collections.abc import Callable, Iterator

from attrs import evolve

from xlmc.syntax import ast
from xlmc.theory.environment import Environment, reads
from xlmc.theory.probe import grid

FEW = 3  # params whose values are combined
RANGES = {
    "Chance": [k / 8 for k in range(9)],
    "Size": [1.0, 2.0, 3.0, 10.0, 1000.0],
    "Count": [0.0, 1.0, 2.0, 3.0, 10.0, 1000.0],
    "Scale": [0.0, 0.1, 0.5, 1.0, 2.0, 10.0, 1000.0],
}
LAST = [  # steps to s = 0 that are short and long, in rows that are short and long
    {"t": t, "s": 0.0, "steps_left": 1.0, "masked": masked, "length": length}
    for t in (1e-6, 1e-3, 0.125, 0.5, 1.0)
    for masked, length in ((1.0, 1.0), (7.0, 7.0), (7.0, 14.0), (4096.0, 4096.0))
]


def everywhere(exprs: list[ast.Expr], env: Environment) -> Iterator[Environment]:
    """Yield the params that expressions read at their defaults, and at many other values.

    Nothing where these are too many to combine.
    """
    own = sorted({name for expr in exprs for name in reads(expr, env)} & {*env.defaults})
    if len(own) > FEW:
        return
    axes = {name: [env.defaults[name], *RANGES[env.names[name]]] for name in own}
    yield from (evolve(env, defaults={**env.defaults, **point}) for point in grid(axes))


def always(holds: Callable[[Environment], bool], exprs: list[ast.Expr], env: Environment) -> bool:
    """Return whether a condition holds for all values of the params that expressions read."""
    found = [*everywhere(exprs, env)]
    return bool(found) and all(map(holds, found))

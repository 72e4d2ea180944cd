"""The last step of a decoder of masks: does it reveal all of them, whatever its params are."""

from collections.abc import Callable, Iterable, Iterator
from math import floor

from attrs import evolve

from xlmc.calculus.survival import examine
from xlmc.syntax import ast, query
from xlmc.theory.decoding import environment
from xlmc.theory.environment import Environment, reads
from xlmc.theory.probe import Sample, grid, values

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
    """Return whether something holds for all values of the params that expressions read."""
    found = [*everywhere(exprs, env)]
    return bool(found) and all(map(holds, found))


def reveals_all(section: ast.Section, family: ast.Family, arrow: ast.Arrow) -> bool:
    """Return whether the last step of a grid, to s = 0, leaves no mask and takes none back.

    ``arrow`` is that of the clock whose masks it reveals.
    """
    step = query.the(section.entries, ast.Step)
    unmask, remask = query.the(step.actions, ast.Unmask), query.first(step.actions, ast.Remask)
    env = environment(section, family)
    if remask is not None:
        return _settles(unmask.much, remask.much, env)
    value = unmask.much.value
    if value is not None and examine(arrow).start != 1.0:
        return False
    if isinstance(value, ast.Call) and value.function == "reveal":
        return unmask.much.rule == "chance"  # which is 1 at s = 0, without rounding
    return _closes(unmask.much, env)


def _settles(unmask: ast.Much, remask: ast.Much, env: Environment) -> bool:
    """Return whether the last step, to s = 0, takes nothing back and reveals every mask.

    For any value of the params: judged by many within their ranges, and by their defaults.
    """
    back = remask.value
    if back is None or (unmask.value is None and unmask.rule != "all"):
        return False
    exprs = [one.value for one in (unmask, remask) if one.value is not None]
    return always(lambda one: _settled(unmask, back, one), exprs, env)


def _settled(unmask: ast.Much, back: ast.Expr, env: Environment) -> bool:
    if any(found != 0 for _, found in values(back, env, LAST)):
        return False
    if unmask.value is None:
        return True
    return _all_revealed(unmask.rule, unmask.value, env, LAST)


def _closes(unmask: ast.Much, env: Environment) -> bool:
    """Return whether the last step, to s = 0, reveals every mask, for any values of params.

    A value that reads a param or a let is taken not to.
    """
    if unmask.value is None:
        return unmask.rule == "all"
    if reads(unmask.value, env) & {*env.defaults, *env.lets}:
        return False
    return _all_revealed(unmask.rule, unmask.value, env, LAST)


def _all_revealed(rule: str, value: ast.Expr, env: Environment, points: Iterable[Sample]) -> bool:
    """Return whether an amount is no less than all masks at each of some points."""
    return rule in ("chance", "quota") and all(
        isinstance(found, float)
        and (floor(found + 1e-9) >= point["masked"] if rule == "quota" else found >= 1)
        for point, found in values(value, env, points)
    )

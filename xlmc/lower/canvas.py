"""Facts about amounts of masks: all that are left, by the clock, or none."""

from collections.abc import Set

from attrs import evolve

from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment, reads
from xlmc.theory.last import always
from xlmc.theory.probe import grid, in_scope, values
from xlmc.words.answers import answered, read_answers
from xlmc.words.rules.base import Rule
from xlmc.words.slots import rule_words

STEPS = range(1, 9)


MANY = 1e6  # steps
RARE = 0.01  # a chance that falls like 1 / steps is far below it by then
LEFT = 0.1  # of the masks, before the last of SOME steps
SOME = 500


def gradual(much: ast.Much, env: Environment, off: Set[str]) -> bool:
    """Return whether with many steps no two masks are revealed in one, the last one's among them.

    ``off`` are the params at whose 0 nothing else is changed.
    """
    return all(_slow(pace, env, off) for pace in query.paces(much))


def _slow(pace: ast.Much, env: Environment, off: Set[str]) -> bool:
    rule, value = rule_words()[pace.rule], pace.value
    if rule.scored or value is None:
        return rule.single
    return always(lambda one: _gradual(rule, value, _without(one, off)), [value], env)


def _without(env: Environment, names: Set[str]) -> Environment:
    """Set some of the params to 0."""
    return evolve(env, defaults={**env.defaults, **dict.fromkeys(names, 0.0)})


def _gradual(rule: Rule, value: ast.Expr, env: Environment) -> bool:
    middle = {"t": 0.5, "s": 0.5 - 1 / MANY, "steps_left": MANY / 2}
    points = [{**middle, "masked": masked, "length": 2 * masked} for masked in (3.0, 300.0)]
    found = values(value, env, answered(value, env, points))
    few = all(isinstance(n, float) and rule.rare(n, RARE) for _, n in found)
    return few and _left(rule, value, env) < LEFT


def _left(rule: Rule, value: ast.Expr, env: Environment) -> float:
    """Return the mean share of the masks of a long row that is left to the last step of a grid."""
    length = SOME / 2.0
    masked = length
    amount, answers = in_scope(value, env), read_answers(value, env)
    for k in range(SOME, 1, -1):
        point = {"t": k / SOME, "s": (k - 1) / SOME, "steps_left": float(k)}
        row = {**point, "masked": masked, "length": length}
        found = [amount({**row, **answer}) for answer in answers]
        gone = [rule.revealed(n, masked) for n in found if isinstance(n, float)]
        if len(gone) < len(found):
            return 1.0
        masked = max(0.0, masked - min(gone))
    return masked / length


def timely(
    value: ast.Expr, head: str, env: Environment, clock: str, off: Set[str] = frozenset()
) -> bool:
    """Return whether with many steps tokens return at the rate of a clock.

    In each step that is the number missing, times the chance that the clock has fired. ``off`` are
    the params at whose 0 nothing else is changed.
    """
    missing = ast.Name(head, span=value.span)
    fired = ast.Call("reveal", (ast.Name(clock, span=value.span),), span=value.span)
    told = ast.Binary("*", missing, fired, span=value.span)
    return always(lambda one: _alike(value, told, head, _without(one, off)), [value], env)


def _alike(value: ast.Expr, told: ast.Expr, head: str, env: Environment) -> bool:
    """Return whether two numbers of masks to insert agree in the limit of many steps."""
    points = [
        {head: n, "t": t, "s": t - 1 / MANY, "steps_left": t * MANY, "masked": 3.0, "length": 6.0}
        for n in (0.2, 3.0, 40.0)
        for t in (0.25, 0.5, 0.75)
    ]
    found = [[n for _, n in values(expr, env, points)] for expr in (value, told)]
    return all(
        isinstance(one, float) and isinstance(due, float) and abs(one - due) < RARE * due
        for one, due in zip(*found, strict=True)
    )


def switch(much: ast.Much, env: Environment) -> str:
    """Return the param at whose 0 an amount is 0 all along a grid; "" where there is none."""
    value = much.value
    if value is None or much.rest is not None or rule_words()[much.rule].thresholds:
        return ""
    axes = {"masked": [1.0, 3.0], "length": [3.0]}
    times = [{"t": k / 8, "s": (k - 1) / 8, "steps_left": float(k)} for k in STEPS]
    samples = [{**point, **time} for point in grid(axes) for time in times]

    def off(name: str) -> bool:
        return always(lambda one: nothing(_without(one, {name})), [value], env)

    def nothing(one: Environment) -> bool:
        return all(found == 0 for _, found in values(value, one, answered(value, one, samples)))

    return next(filter(off, sorted(reads(value, env) & {*env.defaults})), "")

"""The last step of a decoder of masks: does it reveal all of them, whatever its params are."""

from collections.abc import Iterable

from xlmc.calculus.survival import examine
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment, reads
from xlmc.theory.last import LAST, always
from xlmc.theory.probe import SLIP, Sample, values
from xlmc.words import slots
from xlmc.words.answers import answered
from xlmc.words.decoding import environment
from xlmc.words.slots import rule_words


def reveals_all(section: ast.Section, family: ast.Family, arrow: ast.Arrow) -> bool:
    """Return whether the last step of a grid, to s = 0, reveals every mask and remasks none.

    ``arrow``: the arrow that made these masks.
    """
    step = query.the(section.entries, ast.Step)
    if (keep := query.act(step.actions, "keep")) is not None:
        return _keeps_all(keep.much, environment(section, family))
    (unmask,), env = query.acts(step.actions, "unmask"), environment(section, family)
    hiding = [one.much for one, word in slots.edits(step.actions) if word.hides]
    if hiding:
        return all(_settles(unmask.much, much, env) for much in hiding)
    value = unmask.much.value
    if value is not None and examine(arrow).start != 1.0:
        return False
    if isinstance(value, ast.Call) and value.function == "reveal":
        return rule_words()[unmask.much.rule].of_place  # a chance, which is 1 at s = 0 unrounded
    return _closes(unmask.much, env)


def _keeps_all(much: ast.Much, env: Environment) -> bool:
    """Return whether at s = 0 every place keeps a token, for any values of params."""
    value = much.value
    return value is not None and always(lambda one: _as_many(value, one), [value], env)


def _as_many(value: ast.Expr, env: Environment) -> bool:
    """Return whether an amount is no less than the length of a row at each of the last steps."""
    return all(
        isinstance(found, float) and found >= point["length"] - SLIP
        for point, found in values(value, env, LAST)
    )


def _settles(unmask: ast.Much, hiding: ast.Much, env: Environment) -> bool:
    """Return whether the last step, to s = 0, reveals every mask and remasks no token.

    For any value of the params: judged by many within their ranges, and by their defaults.
    """
    back = hiding.value
    whole = rule_words()[unmask.rule].whole
    if back is None or hiding.rest is not None or (unmask.value is None and not whole):
        return False
    exprs = [one.value for one in (unmask, hiding) if one.value is not None]
    return always(lambda one: _settled(unmask, back, one), exprs, env)


def _settled(unmask: ast.Much, back: ast.Expr, env: Environment) -> bool:
    if any(found != 0 for _, found in values(back, env, answered(back, env, LAST))):
        return False
    if unmask.value is None:
        return True
    return _all_revealed(unmask.rule, unmask.value, env, LAST)


def _closes(unmask: ast.Much, env: Environment) -> bool:
    """Return whether the last step, to s = 0, reveals every mask, for any values of params.

    A value that reads a param or a let is taken not to. Of rules that are joined one is enough.
    """
    if unmask.also is not None and _closes(unmask.also, env):
        return True
    if unmask.value is None:
        return rule_words()[unmask.rule].whole
    if reads(unmask.value, env) & {*env.defaults, *env.lets}:
        return False
    return _all_revealed(unmask.rule, unmask.value, env, LAST)


def _all_revealed(rule: str, value: ast.Expr, env: Environment, points: Iterable[Sample]) -> bool:
    """Return whether an amount is no less than all masks at each of some points."""
    word = rule_words()[rule]
    return word.surely and all(
        isinstance(found, float) and word.revealed(found, point["masked"]) >= point["masked"]
        for point, found in values(value, env, answered(value, env, points))
    )

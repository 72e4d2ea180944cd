"""Insertions of tokens: into which gaps, and how many in a step."""

from collections.abc import Iterator

from attrs import evolve

from xlmc.check.insertions import ranged, trained
from xlmc.check.rules import goes_on, growing, known, ordering, single
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import Unsupported, WrongAction, WrongRule, WrongScore
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment
from xlmc.theory.probe import distinct
from xlmc.words import numbers, slots


def tokens(
    action: ast.Insert, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Check the insertion of tokens into gaps that a rule chooses."""
    rule, value = action.much.rule, action.much.value
    wrong = list(single(action, "write `insert tokens one`, `chance`, `quota` or `above`"))
    if wrong:
        yield from wrong
        return
    step = query.first(section.entries, ast.Step)
    draw = query.first(step.actions, ast.Draw) if step is not None else None
    if draw is None or draw.head.id not in query.heads(family):
        return  # that is what is wrong
    yield from _weighed(action, draw.head.id, family)
    if value is not None:
        yield from _value(rule, value, draw.head.id, section, family, env)
    yield from _order(action, section, env)
    if step is not None and not numbers.plain(action, draw.head.id, family):
        yield from _together(action, draw.head.id, section, step, family)


def _together(
    action: ast.Insert, head: str, section: ast.Section, step: ast.Step, family: ast.Family
) -> Iterator[Diagnostic]:
    """Complain about guidance and ``pick`` where no gap is drawn together with its token.

    So it is where several tokens are inserted, and where each gap has a distribution of its own.
    """
    apart = numbers.apart(head, family)
    ways = [f"train `{head}` by `joint_cross_entropy(gone)`"] * apart
    ways += ["write `insert tokens one`"] * (action.much.rule != "one" or action.order is not None)
    for guide in query.those(section.entries, ast.Guide):
        what = "guidance of several insertions"
        if apart:
            what = "guidance where each gap predicts its token separately"
        why = "it guides one joint distribution over gaps and tokens, not numbers of missing tokens"
        yield Unsupported(span=guide.span, what=what, why=why, hint=", and ".join(ways))
    for pick in query.those(step.actions, ast.Pick):
        why = f"`{action.much.rule}` has chosen the gaps already"
        if action.much.rule == "one" and apart:
            why = "gaps are drawn by how many tokens they miss"
        yield WrongAction(span=pick.span, action="pick", why=why, hint="drop the pick")


def _weighed(action: ast.Insert, head: str, family: ast.Family) -> Iterator[Diagnostic]:
    """Complain if no head predicts the gaps that miss tokens; a chance may be the same in all."""
    rule, span = action.much.rule, action.much.span
    if rule == "chance" or not numbers.apart(head, family):
        return
    known = numbers.of_gaps(family)
    if not known:
        why = f"`{head}` predicts the token of a gap, and no head predicts if one is missing"
        hint = "add `head gap : count at gaps`, or train it by `joint_cross_entropy(gone)`"
        yield WrongRule(span=span, rule=rule, why=why, hint=hint)
    elif len(known) > 1 and not numbers.read(action.much.value, known):
        why = f"`{known[0]}` and `{known[1]}` both say how many tokens a gap misses"
        yield WrongRule(span=span, rule=rule, why=why, hint="read one of them in the amount")


def _value(
    rule: str,
    value: ast.Expr,
    head: str,
    section: ast.Section,
    family: ast.Family,
    env: Environment,
) -> Iterator[Diagnostic]:
    """Check an amount: the names it reads, and its values."""
    heads = numbers.readable(head, family) if rule != "above" else []
    own = evolve(env, names={**env.names, **dict.fromkeys(heads, "Rate")})
    wrong = list(known(value, own))
    yield from wrong
    read = numbers.read(value, heads)
    if len(read) > 1:
        why = "two heads say how many tokens are missing"
        hint = f"read `{read[0]}` or `{read[1]}`"
        yield WrongRule(span=value.span, rule=rule, why=why, hint=hint)
    for name in read:
        yield from trained(value.span, name, family)
    if wrong or not env.sound or len(read) > 1:
        return
    endless = not query.those(section.entries, ast.Grid)
    rows = list(distinct(value, own, growing(env)))
    none = [{**row, **dict.fromkeys(read, 0.0)} for row in rows]
    stuck = goes_on(rule, value, own, none, "no token is inserted") if endless else ()
    hint = f"a quota is at least 0: `{read[0]} * reveal(...)`" if rule == "quota" and read else ""
    yield from [*stuck] or ranged(rule, value, read, own, hint)


def _order(action: ast.Insert, section: ast.Section, env: Environment) -> Iterator[Diagnostic]:
    order, rule = action.order, action.much.rule
    if order is None:
        if rule == "above":
            why = f"`{rule}` has a threshold: it needs a score"
            yield WrongRule(span=action.span, rule=rule, why=why, hint="add `by confidence`")
        return
    wrong = list(ordering(order, action, section, env))
    yield from wrong
    for score in query.scores(order, section) if not wrong else ():
        if why := slots.order_words()[score.id].no_gap:
            hint = "write `by confidence`, or drop the order"
            yield WrongScore(span=order.score.span, why=why, hint=hint)
    if not wrong and order.of is not None and order.of.id == "tempered":
        why = "the numbers of missing tokens are not tempered"
        yield WrongScore(span=order.of.span, why=why, hint="drop `of tempered`")

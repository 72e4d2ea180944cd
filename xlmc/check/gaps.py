"""Insertions of tokens: into which gaps, and how many in a step."""

from collections.abc import Iterator
from math import inf

from attrs import evolve

from xlmc.check import rules
from xlmc.check.insertions import trained
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    UnknownName,
    Unsupported,
    WrongAction,
    WrongRule,
    WrongScore,
)
from xlmc.syntax import ast, query
from xlmc.syntax.vocabulary import listing
from xlmc.theory.environment import Environment
from xlmc.theory.process import Process
from xlmc.words import numbers, slots
from xlmc.words.answers import answering
from xlmc.words.orders.base import Weight

BESIDE = "insert tokens quota 1"  # what goes with deletions, and has the law of one insertion
AT_ONCE = "a gap is drawn together with its token, and xlmc deletes where rules choose the gaps"
ONE = f"write `{BESIDE}`, without `pick`"
RULES = "write `insert tokens one`, `chance`, `quota`, `above`, `within` or `factor`"


def tokens(
    action: ast.Insert, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Check the insertion of tokens into gaps that rules choose."""
    wrong = list(rules.single(action, RULES))
    if wrong:
        yield from wrong
        return
    step = query.first(section.entries, ast.Step)
    draw = query.first(step.actions, ast.Draw) if step is not None else None
    if draw is None or draw.head.id not in query.heads(family):
        return  # that is what is wrong
    plain = numbers.plain(action, draw.head.id, family)
    if step is not None and plain and slots.fitting(step.actions, Process.of(family)):
        yield WrongRule(span=action.much.span, rule="one", why=AT_ONCE, hint=ONE)
        return
    yield from _weighed(action, draw.head.id, section, family)
    yield from _amounts(action, draw.head.id, section, family, env)
    yield from _order(action, section, env, _weight(action, draw.head.id, section, family))
    if step is not None and not plain:
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
        deletes = slots.fitting(step.actions, Process.of(family))
        hint = "drop the guide" if deletes else ", and ".join(ways)
        yield Unsupported(span=guide.span, what=what, why=why, hint=hint)
    for pick in query.those(step.actions, ast.Pick):
        why = f"`{action.much.rule}` has chosen the gaps already"
        if action.much.rule == "one" and apart:
            why = "gaps are drawn by how many tokens they miss"
        yield WrongAction(span=pick.span, action="pick", why=why, hint="drop the pick")


def _weighed(
    action: ast.Insert, head: str, section: ast.Section, family: ast.Family
) -> Iterator[Diagnostic]:
    """Complain if no head predicts the gaps that miss tokens; a chance may be the same in all."""
    compared = [pace for pace in query.paces(action.much) if pace.rule != "chance"]
    if not compared or not numbers.apart(head, family):
        return
    known, (pace, *_) = numbers.of_gaps(family), compared
    lets = query.those(section.entries, ast.Let)
    read = [name for one in query.amounts(action) for name in numbers.read(one, known, lets)]
    if not known:
        why = f"`{head}` predicts the token of a gap, and no head predicts if one is missing"
        hint = "add `head gap : count at gaps`, or train it by `joint_cross_entropy(gone)`"
        yield WrongRule(span=pace.span, rule=pace.rule, why=why, hint=hint)
    elif len(known) > 1 and not read:
        why = f"`{known[0]}` and `{known[1]}` both say how many tokens a gap misses"
        hint = "read one of them in the amount"
        yield WrongRule(span=pace.span, rule=pace.rule, why=why, hint=hint)


def _amounts(
    action: ast.Insert, head: str, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Check the amounts of the rules: the names they read, and their values."""
    heads = numbers.readable(head, family)
    own = answering(env, numbers=True)
    endless, before = not query.those(section.entries, ast.Grid), dict[str, None]()
    example = f"{heads[0]} * reveal(...)" if heads else "2"
    number = f"a quota is at least 0: `{example}`"
    gaps = rules.Places(rules.growing, "no token is inserted", number)
    for pace, wrong in rules.paces(action.much, own, gaps, endless=endless):
        read = numbers.read(pace.value, heads, env.lets.values())
        span = (pace.value or pace).span
        before |= dict.fromkeys(read)
        if len(before) > 1:
            known = listing([f"`{name}`" for name in before], "or")
            why, hint = "two heads say how many tokens are missing", f"read {known}"
            yield WrongRule(span=span, rule=pace.rule, why=why, hint=hint)
            return
        yield from (_hinted(one, heads) for one in wrong)
        for name in read:
            yield from trained(span, name, family)


def _hinted(one: Diagnostic, heads: list[str]) -> Diagnostic:
    """Add the name of a number of missing tokens to a message about the name ``masked``."""
    if not isinstance(one, UnknownName) or one.name != "masked":
        return one
    read = f"read `{heads[0]}`" if heads else "add `head gap : count at gaps`, and read `gap`"
    return evolve(one, hint=f"no mask shows how many tokens are missing: {read}")


def _weight(
    action: ast.Insert, head: str, section: ast.Section, family: ast.Family
) -> Weight | None:
    """Return the number that the scores of gaps are multiplied by; a share is at most 1."""
    name = numbers.weighing(action.much, head, section, family)
    if name not in numbers.of_gaps(family):
        return None
    return Weight(name, query.size(query.heads(family)[name]) or inf)


def _order(
    action: ast.Insert, section: ast.Section, env: Environment, weight: Weight | None
) -> Iterator[Diagnostic]:
    order = action.order
    wrong = list(rules.scored(action, section, env, weight))
    yield from wrong
    if wrong or order is None:
        return
    for score in query.scores(order, section):
        if why := slots.order_words()[score.id].no_gap:
            hint = "write `by confidence`, or drop the order"
            yield WrongScore(span=order.score.span, why=why, hint=hint)
    if order.of is not None and order.of.id == "tempered":
        why = "the numbers of missing tokens are not tempered"
        yield WrongScore(span=order.of.span, why=why, hint="drop `of tempered`")

"""The edits of a step: actions on places other than those that it reveals."""

from collections.abc import Iterator

from xlmc.check.rules import known, ordering, paces, samples, warm
from xlmc.check.scope import values
from xlmc.check.words import one_of
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    NeedsGrid,
    WrongAction,
    WrongRule,
    WrongScore,
    WrongStop,
)
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.environment import Environment
from xlmc.theory.probe import SLIP
from xlmc.theory.process import Process
from xlmc.words import slots
from xlmc.words.actions.edit import RULES, Edit
from xlmc.words.answers import answering
from xlmc.words.slots import answers, head_words, order_words, rule_words, stop_of, subject_words

AGAIN = "a token may become a mask again"
CHANGES = "a row without masks may change"
ALL_BACK = "no token that was drawn would stay"
ONE_ORDER = "a run chooses among the scores of a param, and xlmc orders the places of edits by one"
NO_REVISION = {
    "current": "tokens are compared that would replace the current ones",
    "tempered": "xlmc scores the tokens that replace others by the network's answer itself",
}
NO_ANSWER = "the network tells which tokens gaps miss, and nothing of those that are there"
WHEN_DRAWN = "`confidence` is here the chance that a token had when it was drawn"


def check(section: ast.Section, family: ast.Family, env: Environment) -> Iterator[Diagnostic]:
    """Check the edits of a decoder."""
    process = Process.of(family)
    for step in query.those(section.entries, ast.Step):
        edits = slots.fitting(step.actions, process)
        for action, word in edits:
            yield from answer(action, word, step, section, family)
            if word.revises:
                yield from revised(action, word, section, family, env)
                continue
            changed = [one.verb for _, one in edits if not one.hides]
            yield from _edit(action, word, section, family, env)
            yield from _order(action, word, section, env, changed)
    finish = query.leftover(section.entries)
    if finish is not None and process.masks:
        for action, word in slots.edits(finish.actions):
            why = "a finish reveals the masks that are left, and nothing more"
            why = "masks would be left in the sample" if word.hides else why
            name, hint = word.verb, f"drop the {word.verb}"
            yield WrongAction(span=action.span, action=name, why=why, hint=hint)


def _edit(
    action: ast.Act, word: Edit, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Check that the steps end, and that an edit has rules that it can take places by."""
    if word.endless and Process.of(family).masks:
        yield from stops(section, family, CHANGES if word.revises else AGAIN)
    if word.endless and "t" not in env.names:
        yield NeedsGrid(span=action.span, name=word.verb)
        return
    tokens = word.chooses == "tokens" and not word.revises
    read = tokens and word.answered  # a mask has no token to be sure of
    own = answering(env, masks=False) if read else env
    yield from _rule(action, word, own)


def revised(
    action: ast.Act, word: Edit, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Check the rule and the order by which tokens replace others."""
    wrong = [*_edit(action, word, section, family, env)]
    yield from wrong or _revision(action, section, env)


def answer(
    action: ast.Act,
    word: Edit,
    step: ast.Step | ast.Finish,
    section: ast.Section,
    family: ast.Family,
) -> Iterator[Diagnostic]:
    """Report an edit that needs a distribution of tokens, where the head gives none."""
    lets = query.those(section.entries, ast.Let)
    read = query.spoken(query.amounts(action), lets) & {*answers()}
    present = action.order is not None and action.order.of is not None
    for draw in query.those(step.actions, ast.Draw):
        head = query.heads(family).get(draw.head.id)
        kind = head_words().get(head.kind.id) if head is not None else None
        if kind is not None and kind.ratios and (read or present or word.reads or word.revises):
            why = f"`{draw.head.id}` gives ratios, and this needs a distribution of tokens"
            name, least = word.verb, "finish" if isinstance(step, ast.Finish) else word.verb
            yield WrongAction(span=action.span, action=name, why=why, hint=f"drop the {least}")


def stops(section: ast.Section, family: ast.Family, why: str = AGAIN) -> Iterator[Diagnostic]:
    """Report the stops of rows in which masks may come again, or tokens may be replaced."""
    process = Process.of(family)
    for stop in query.those(section.entries, ast.Stop):
        for one in stop.conditions:
            found = stop_of(one, family)
            if found is not None and (found.closes(process) or process.blocked):
                continue
            yield WrongStop(span=one.span, why=why, hint="drop the stop: the grid ends the decoder")


def _rule(action: ast.Act, word: Edit, env: Environment) -> Iterator[Diagnostic]:
    hint = f"write {word.examples}"
    for pace, wrong in paces(action.much, env):
        rule, value = rule_words()[pace.rule], pace.value
        every = rule.whole or (rule.of_place and value is not None and _sure(value, env))
        if word.hides and every:
            yield WrongRule(span=pace.span, rule=rule.name, why=ALL_BACK, hint=hint)
        elif rule.name not in word.rules or not (word.revises or rule.name in RULES):
            yield WrongRule(span=pace.span, rule=rule.name, why=word.one_rule, hint=hint)
        else:
            yield from wrong


def _sure(value: ast.Expr, env: Environment) -> bool:
    """Return whether a chance is 1 at all times, for the defaults of params."""
    if any(known(value, env)) or not env.sound:
        return literal(value) == 1
    found = [one for _, one in values(value, env, samples(value, env))]
    return all(isinstance(one, float) and abs(one - 1) < SLIP for one in found)


def _order(
    action: ast.Act, word: Edit, section: ast.Section, env: Environment, changed: list[str]
) -> Iterator[Diagnostic]:
    """Check the order of the places of an edit; others in the step have ``changed`` tokens."""
    order, rules = action.order, [rule_words()[p.rule] for p in query.paces(action.much)]
    if order is None or ("t" not in env.names and word.hides):
        return
    if not any(rule.ordered for rule in rules):
        why, hint = f"`{rules[0].name}` needs no order", "drop the order, or write `quota`"
        yield WrongScore(span=order.span, why=why, hint=hint)
        return
    if query.choice(order.score.id, section) is not None:
        yield WrongScore(span=order.score.span, why=ONE_ORDER, hint="write `by confidence`")
        return
    yield from _score(order, word, changed)
    if order.temperature is not None:
        yield from warm(order.temperature, None, env)


def _revision(action: ast.Act, section: ast.Section, env: Environment) -> Iterator[Diagnostic]:
    """Check the order of the tokens that replace others, all of which are drawn before."""
    order = action.order
    if order is None:
        why = "the tokens that were drawn are compared by a score"
        yield WrongRule(
            span=action.span, rule=action.much.rule, why=why, hint="add `by confidence`"
        )
    elif query.choice(order.score.id, section) is not None:
        yield WrongScore(span=order.score.span, why=ONE_ORDER, hint="write `by confidence`")
    elif order.score.id in order_words() and order.score.id not in answers():
        why = f"`{order.score.id}` says nothing about the tokens that were drawn"
        yield WrongScore(span=order.score.span, why=why, hint="write `by confidence`")
    elif order.of is not None and order.of.id in NO_REVISION:
        why, hint = NO_REVISION[order.of.id], f"drop `of {order.of.id}`"
        yield WrongScore(span=order.of.span, why=why, hint=hint)
    else:
        yield from ordering(order, action, section, env)


def _score(order: ast.Order, word: Edit, changed: list[str]) -> Iterator[Diagnostic]:
    """Check that the places of an edit have a score."""
    score, of = order.score, order.of
    if word.chooses != "tokens" or (of is None and not word.hides):
        good = ("random",) if word.chooses != "tokens" else ("random", "SCORE of current")
        yield from one_of(score, good, f"an order of {word.name}")
    elif of is None:
        yield from one_of(score, ("confidence", "random"), "a score of drawn tokens")
        if changed and score.id == "confidence":
            why = f"{WHEN_DRAWN}, and `{changed[0]}` changes it since"
            yield WrongScore(span=score.span, why=why, hint="write `by confidence of current`")
    if of is not None:
        yield from one_of(score, order_words(), "a score")
        yield from _subject(of, score, word)


def _subject(of: ast.Name, score: ast.Name, word: Edit) -> Iterator[Diagnostic]:
    subject, hint = subject_words().get(of.id), f"drop `of {of.id}`"
    if word.chooses != "tokens":
        yield WrongScore(span=of.span, why="a mask holds no token", hint=hint)
    elif not word.answered:
        yield WrongScore(span=of.span, why=NO_ANSWER, hint=hint)
    elif subject is None or not subject.there:
        yield WrongScore(span=of.span, why=WHEN_DRAWN, hint=f"{hint}, or write `of current`")
    elif score.id in order_words() and score.id not in answers():
        yield WrongScore(span=of.span, why=subject.unfit, hint=hint)

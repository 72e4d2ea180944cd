"""The acts of a decoder of masks beside revealing: blocks, guidance, and taking tokens back."""

from collections.abc import Iterator
from math import floor

from xlmc.check import guides
from xlmc.check.rules import at_least_one, known, paces, samples, warm
from xlmc.check.scope import values
from xlmc.check.words import one_of
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    NeedsGrid,
    Unsupported,
    WrongAction,
    WrongBlocks,
    WrongRule,
    WrongScore,
    WrongStop,
)
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.environment import Environment
from xlmc.theory.probe import SLIP
from xlmc.theory.process import Process
from xlmc.words.actions.remask import Remask
from xlmc.words.answers import answering
from xlmc.words.slots import (
    answers,
    order_words,
    rule_words,
    stop_of,
    subject_words,
    window_words,
)

ALL_BACK = "a step would mask all drawn tokens again"


def check(section: ast.Section, family: ast.Family, env: Environment) -> Iterator[Diagnostic]:
    """Check the blocks, guides and related entries of a decoder."""
    for blocks in query.those(section.entries, ast.Blocks):
        yield from _blocks(blocks, section, family, env)
    for guide in query.those(section.entries, ast.Guide):
        yield from guides.check(guide, family, env)
    for step in query.those(section.entries, ast.Step):
        for remask in query.acts(step.actions, "remask"):
            yield from _remask(remask, section, family, env)
    for finish in query.those(section.entries, ast.Finish):
        for remask in query.acts(finish.actions, "remask"):
            why = "masks would be left in the sample"
            yield WrongAction(span=remask.span, action="remask", why=why, hint="drop the remask")


def _blocks(
    blocks: ast.Blocks, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    process = Process.of(family)
    if why := window_words()["blocks"].why_not(process):
        yield WrongBlocks(span=blocks.span, why=why, hint="drop the blocks")
        return
    if process.fixed_length and query.condition(family) is not None:
        why = "the backbone reads one time for a row, but every block has its own"
        what = "blocks under a condition"
        yield Unsupported(
            span=blocks.span, what=what, why=why, hint="drop the blocks, or the condition"
        )
    wrong = list(known(blocks.size, env))
    hint = "write `param block_length : Count = 32` and `blocks block_length`"
    wrong = wrong or list(at_least_one(blocks.size, env, what="size of a block", hint=hint))
    yield from wrong
    if not wrong and env.sound:
        yield from _fits(blocks, section, env)


def _fits(blocks: ast.Blocks, section: ast.Section, env: Environment) -> Iterator[Diagnostic]:
    """Check that a quota can fit into a block."""
    step = query.first(section.entries, ast.Step)
    unmask = query.act(step.actions, "unmask") if step else None
    if unmask is None or unmask.much.rule != "quota" or unmask.much.value is None:
        return
    size = env.defaults.get(getattr(blocks.size, "id", ""), literal(blocks.size))
    own = answering(env)
    found = [n for _, n in values(unmask.much.value, own, samples(unmask.much.value, own))]
    known = [floor(value + 1e-9) for value in found if isinstance(value, float)]
    if size is not None and known and len(known) == len(found) and min(known) > size:
        least = "" if min(known) == max(known) else "at least "
        why = f"{least}{min(known)} masks are revealed in a step, and a block holds {size:g}"
        hint = "take larger blocks, or a smaller quota"
        yield WrongBlocks(span=blocks.span, why=why, hint=hint)


def _remask(
    action: ast.Act, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    process = Process.of(family)
    if not process.masks or process.blocked:
        return  # the action has nothing to do, or is not supported
    for stop in query.those(section.entries, ast.Stop):
        for one in stop.conditions:
            word = stop_of(one, family)
            if word is not None and word.closes(process):
                continue
            why = "a token may become a mask again"
            yield WrongStop(span=one.span, why=why, hint="drop the stop: the grid ends the decoder")
    if "t" not in env.names:
        yield NeedsGrid(span=action.span, name="remask")
        return
    yield from _rule(action, answering(env))
    yield from _order(action, section, env)


def _rule(action: ast.Act, env: Environment) -> Iterator[Diagnostic]:
    hint = "write `remask chance 0.02` or `remask quota 2 by confidence`"
    for pace, wrong in paces(action.much, env):
        rule, value = rule_words()[pace.rule], pace.value
        if rule.whole or (rule.of_place and value is not None and _sure(value, env)):
            yield WrongRule(span=pace.span, rule=rule.name, why=ALL_BACK, hint=hint)
        elif rule.name not in Remask.rules:
            why = "it takes the surest, and those stay"
            yield WrongRule(span=pace.span, rule=rule.name, why=why, hint=hint)
        else:
            yield from wrong


def _sure(value: ast.Expr, env: Environment) -> bool:
    """Return whether a chance is 1 at all times, for the defaults of params."""
    if any(known(value, env)) or not env.sound:
        return literal(value) == 1
    found = [one for _, one in values(value, env, samples(value, env))]
    return all(isinstance(one, float) and abs(one - 1) < SLIP for one in found)


def _order(action: ast.Act, section: ast.Section, env: Environment) -> Iterator[Diagnostic]:
    order, rules = action.order, [rule_words()[p.rule] for p in query.paces(action.much)]
    if order is None:
        return
    if not any(rule.ordered for rule in rules):
        why, hint = "`chance` needs no order", "drop the order, or write `quota`"
        yield WrongScore(span=order.span, why=why, hint=hint)
        return
    if query.choice(order.score.id, section) is not None:
        why = "a run chooses among the scores of a param, and xlmc takes tokens back by one score"
        yield WrongScore(span=order.score.span, why=why, hint="write `by confidence`")
        return
    if order.of is None:
        yield from one_of(order.score, ("confidence", "random"), "a score of drawn tokens")
    else:
        yield from one_of(order.score, order_words(), "a score")
        yield from _subject(order.of, order.score)
    if order.temperature is not None:
        yield from warm(order.temperature, None, env)


def _subject(of: ast.Name, score: ast.Name) -> Iterator[Diagnostic]:
    subject, hint = subject_words().get(of.id), f"drop `of {of.id}`"
    if subject is None or not subject.there:
        why = "it is the chance that the token had when it was drawn"
        yield WrongScore(span=of.span, why=why, hint=f"{hint}, or write `of current`")
    elif score.id in order_words() and score.id not in answers():
        yield WrongScore(span=of.span, why=subject.unfit, hint=hint)

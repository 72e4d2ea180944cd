"""The actions of a step: that they undo the noise, and that what they read is there."""

from collections.abc import Iterator

from xlmc.check import drafts, keeping
from xlmc.check.draws import law
from xlmc.check.gaps import BESIDE, tokens
from xlmc.check.insertions import masks, own_clock, trained
from xlmc.check.rules import number, paces, scored, single
from xlmc.check.words import one_of, word
from xlmc.diagnostics.diagnostic import Diagnostic, suggest
from xlmc.diagnostics.semantic_errors import (
    DoesNotUndo,
    UnknownName,
    WrongAction,
    WrongDraw,
    WrongRule,
    WrongScore,
    WrongStep,
)
from xlmc.resolve.defaults import NEUTRAL
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment
from xlmc.theory.process import Process, Step
from xlmc.words import slots
from xlmc.words.actions.base import Action
from xlmc.words.actions.edit import Edit
from xlmc.words.answers import answering
from xlmc.words.arrows import of_step, sound, undo

VERBS = tuple(dict.fromkeys(word.verb for word in slots.action_words().values()))
OPTIONS = {name: kind for name, (kind, _) in NEUTRAL.items()}


def actions(
    block: ast.Step | ast.Finish,
    block_name: str,
    section: ast.Section,
    family: ast.Family,
    env: Environment,
) -> Iterator[Diagnostic]:
    """Check that a step or finish has the actions that it needs, each once and in order."""
    process = Process.of(family)
    unknown = [one for one in block.actions if not slots.ways(one)]
    for one in query.those((*unknown,), ast.Act):
        yield from one_of(one.verb, VERBS, "an action of a step")
    yield from twice(block, block_name, process)
    yield from () if unknown else _not_undone(block, block_name, family)
    for action in block.actions:
        wrong = [*_needs(action, block, family)] if action not in unknown else []
        yield from wrong
        yield from _unweighted(action)
        match action:
            case ast.Act() | ast.Insert() if not wrong and process.drafts:
                yield from drafts.edit(action, family, env)
            case ast.Act() if not wrong and process.known:
                yield from _act(action, section, family, env, process)
            case ast.Insert() if not wrong and process.inserts_masks:
                yield from masks(action, block_name, family, env)
            case ast.Insert() if not wrong and process.adds_tokens:
                yield from tokens(action, section, family, env)
            case ast.Pick():
                yield from _options(action, env)
            case ast.Draw():
                yield from drawing(action, family, env, process)
                yield from law(action, block, family)
    if process.drafts:
        yield from drafts.draws(block, family)
    elif query.first(block.actions, ast.Draw) is None:
        problem = f"this {block_name} draws no token"
        why = "no action of it chooses a token"
        yield WrongStep(
            span=block.span, problem=problem, why=why, hint=f"add `draw {slots.drawn(family)}`"
        )


def _unweighted(action: ast.Action) -> Iterator[Diagnostic]:
    """Report a weight of scores where no token competes that was there before."""
    order = action.order if isinstance(action, ast.Act | ast.Insert) else None
    if order is not None and order.weight is not None and query.verb(action) != "keep":
        why = "it weighs the scores of tokens that are there, and only in `keep` these compete"
        hint = f"drop `weight {order.weight.span.text}`"
        yield WrongScore(span=order.weight.span, why=why, hint=hint)


def _act(
    action: ast.Act, section: ast.Section, family: ast.Family, env: Environment, process: Process
) -> Iterator[Diagnostic]:
    """Check the rule and the order of an action that has something to do."""
    match action.verb.id:
        case "unmask" if process.replaces:
            yield from _whole(action)
            yield from _no_order(action, "every token is resampled")
        case "unmask":
            yield from _unmask(action, section, env, process)
        case "substitute" if process.replaces:
            yield from _rule(action, family)
            yield from _no_order(action, "every token is resampled")
        case "keep":
            yield from keeping.check(action, section, family, env)
        case "append":
            yield from single(action, f"write `{undo(sound(process), process, family)}`")
            yield from _no_order(action, "a token comes after the last one")


def twice(block: ast.Step | ast.Finish, block_name: str, process: Process) -> Iterator[Diagnostic]:
    """Report each action that occurs again; under a draft there are two draws, of two heads."""
    seen = set[str]()
    for action in block.actions:
        verb = query.verb(action)
        if process.drafts and isinstance(action, ast.Draw):
            continue
        if verb in seen and slots.ways(action):
            problem = f"this {block_name} has two `{verb}`"
            why, hint = "again here", "keep one of them"
            yield WrongStep(span=action.span, problem=problem, why=why, hint=hint)
        seen.add(verb)


def _not_undone(
    block: ast.Step | ast.Finish, block_name: str, family: ast.Family
) -> Iterator[Diagnostic]:
    """Report each arrow that no action undoes; only one if the block undoes nothing at all.

    A finish of two clocks need not insert.
    """
    process = Process.of(family)
    words = [word for one in block.actions for word in _fitting(one, process) if word.own]
    if process.known and not process.life and not words:
        problem = f"this {block_name} adds nothing to a row"
        why, hint = "tokens follow one another", f"add `{undo(sound(process), process, family)}`"
        yield WrongStep(span=block.span, problem=problem, why=why, hint=hint)
    for step in process.life or ():
        late = block_name == "finish" and step == ("mask", "gone")
        if not late and (left := _left(step, words, process)):
            yield DoesNotUndo(span=block.span, state=left, example=_example(step, block, family))


def _example(step: Step, block: ast.Step | ast.Finish, family: ast.Family) -> str:
    """Return an action that undoes an arrow beside the others of a block."""
    process = Process.of(family)
    if step == ("clean", "gone") and slots.fitting(block.actions, process):
        return BESIDE
    return undo(of_step(step), process, family)


def _fitting(action: ast.Action, process: Process) -> list[Action]:
    """Return the words of an action that have something to do; all of them if none has."""
    ways = slots.ways(action)
    return [word for word in ways if not word.why_not(process)] or ways


def _left(step: Step, words: list[Action], process: Process) -> str:
    """Return the first state of an arrow from which no action brings tokens back; "" for none."""
    if process.one_clock and words and len(step) == 2:
        return ""  # what else is wrong with them is the actions' own fault
    undone = {word.undoes for word in words}
    return next((state for state in step[1:] if (step[0], state) not in undone), "")


def _needs(
    action: ast.Action, block: ast.Step | ast.Finish, family: ast.Family
) -> Iterator[Diagnostic]:
    """Report an action that has nothing to do under a noise."""
    process = Process.of(family)
    if not process.known:
        return
    ways = slots.ways(action)
    fitting = [word for word in ways if not word.why_not(process)]
    if not fitting:
        yield WrongAction(
            span=action.span,
            action=ways[0].verb,
            why=ways[0].why_not(process),
            hint=_alike(ways[0], [one for one in block.actions if one is not action], process)
            or ways[0].remedy
            or f"write `{undo(sound(process), process, family)}`",
        )
    elif isinstance(action, ast.Insert | ast.Pick):
        yield from one_of(action.what, [word.what for word in fitting], fitting[0].whats)


def _alike(word: Action, others: list[ast.Action], process: Process) -> str:
    """Return how tokens are taken back under a process, where a word does it under another.

    "" if it does not, or if one of the ``others`` of its step takes tokens back already.
    """
    edits = (one for one in slots.action_words().values() if isinstance(one, Edit) and one.hides)
    known = [one for one in edits if not one.why_not(process)]
    likewise = (isinstance(word, Edit) and word.hides) or word.verb in [one.verb for one in known]
    if not likewise or {one.verb for one in known} & {query.verb(one) for one in others}:
        return ""
    return next((f"write `{one.example}`" for one in known), "")


def _whole(action: ast.Act) -> Iterator[Diagnostic]:
    """Report a rule that takes only some masks where all tokens are resampled."""
    if action.much.rule != "all":
        why, span, rule = "every token is resampled, masks too", action.much.span, action.much.rule
        yield WrongRule(span=span, rule=rule, why=why, hint="write `unmask all`")


def _no_order(action: ast.Act, why: str) -> Iterator[Diagnostic]:
    """Report an order where there are no places to choose from."""
    if action.order is not None:
        yield WrongScore(span=action.order.span, why=why, hint="drop the order")


def _rule(action: ast.Act, family: ast.Family) -> Iterator[Diagnostic]:
    """Report a rule that an action does not have."""
    process = Process.of(family)
    if why := _fitting(action, process)[0].wrong_rule(action.much):
        span, rule = action.much.span, action.much.rule
        hint = f"write `{undo(sound(process), process, family)}`"
        yield WrongRule(span=span, rule=rule, why=why, hint=hint)


def _unmask(
    action: ast.Act, section: ast.Section, env: Environment, process: Process
) -> Iterator[Diagnostic]:
    endless = not query.those(section.entries, ast.Grid)
    for pace, wrong in paces(action.much, answering(env), endless=endless):
        yield from wrong
        if process.clocks > 1 and pace.value is not None:
            yield from own_clock(pace.value, pace.rule, process.arrows[0], env)
    yield from scored(action, section, env)


def drawing(
    draw: ast.Draw, family: ast.Family, env: Environment, process: Process
) -> Iterator[Diagnostic]:
    """Check that a draw is from a trained head of tokens, and its options."""
    heads = query.heads(family)
    head = heads.get(draw.head.id)
    if head is None and not heads:
        return
    if head is None:
        yield UnknownName(
            span=draw.head.span,
            name=draw.head.id,
            where="among the heads of the network",
            hint=suggest(draw.head.id, heads) or f"write `draw {slots.drawn(family)}`",
        )
        return
    place = "gaps" if process.leads("clean", "gone") else "tokens" if process.known else ""
    if process.drafts:
        place = "gaps" if query.read_at(head) == "gaps" else "tokens"
    good = [h.name for h in heads.values() if slots.of_tokens(h) and h.at and h.at.id == place]
    if not slots.of_tokens(head) or (place and good and head.name not in good):
        yield WrongDraw(
            span=draw.head.span,
            why=f"`{head.name}` gives no logits at {place or 'tokens'}",
            hint=f"write `draw {good[0]}`" if good else "add a head of logits",
        )
    yield from trained(draw.head.span, head.name, family)
    yield from _options(draw, env)


def _options(action: ast.Pick | ast.Draw, env: Environment) -> Iterator[Diagnostic]:
    for option in action.options:
        yield from one_of(word(option, option.name), OPTIONS, "an option of a draw")
        if option.name == "temperature":
            yield from number(option.value, "Scale", "temperature", env)
        elif option.name in OPTIONS:
            yield from number(option.value, OPTIONS[option.name], option.name, env)
    if action.greedy and action.options:
        why = "the likeliest outcome needs no options"
        yield WrongDraw(span=action.span, why=why, hint="drop the options, or `greedy`")

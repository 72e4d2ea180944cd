"""The actions of a step: that they undo the noise, and that what they read is there."""

from collections.abc import Iterable, Iterator

from xlmc.check.insertions import masks, own_clock, trained
from xlmc.check.rules import SCORED, amount, goes_on, known, number, ordering
from xlmc.check.words import one_of, word
from xlmc.diagnostics.diagnostic import Diagnostic, suggest
from xlmc.diagnostics.semantic_errors import (
    DoesNotUndo,
    UnknownName,
    WrongAction,
    WrongDraw,
    WrongRule,
    WrongStep,
)
from xlmc.resolve.defaults import NEUTRAL
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment
from xlmc.theory.process import Process
from xlmc.words.arrows import of_step, sound, undo

NO_NOISE = "nothing is corrupted: tokens follow one another"
OPTIONS = {name: kind for name, (kind, _) in NEUTRAL.items()}


def actions(
    block: ast.Step | ast.Finish,
    block_name: str,
    section: ast.Section,
    family: ast.Family,
    env: Environment,
) -> Iterator[Diagnostic]:
    """Whether a step or finish has the actions that it needs, each once, and each in order."""
    process, actions = Process.of(family), block.actions
    for kind in (ast.Unmask, ast.Remask, ast.Insert, ast.Append, ast.Pick, ast.Draw):
        same: tuple[ast.Node, ...] = query.those(actions, kind)
        for again in same[1:]:
            action = kind.__name__.lower()
            problem = f"this {block_name} has two `{action}`"
            yield WrongStep(
                span=again.span, problem=problem, why="again here", hint="keep one of them"
            )
    unmask, insert = query.first(actions, ast.Unmask), query.first(actions, ast.Insert)
    append = query.first(actions, ast.Append)
    several = process.clocks > 1
    if process.known and not several and unmask is None and insert is None and append is None:
        yield _nothing_done(block, block_name, process)
    if several:
        done = [unmask is not None, insert is not None or block_name == "finish"]
        yield from _not_undone(block, process, done)
    if unmask is not None:
        yield from _unmask(unmask, section, env, process)
    if unmask is not None and unmask.much.value is not None and several:
        arrow = process.arrows[0]
        yield from own_clock(unmask.much.value, unmask.much.rule, arrow, env)
    if insert is not None and several:
        yield from masks(insert, block_name, family, env)
    elif insert is not None:
        yield from _insert(insert, process)
    if append is not None:
        yield from _append(append, process)
    yield from _picks(actions, env, process)
    draw = query.first(actions, ast.Draw)
    if draw is None:
        head = next(
            (h.name for h in query.heads(family).values() if h.kind.id == "logits"), "token"
        )
        problem = f"this {block_name} draws no token"
        why = "nothing says which token"
        yield WrongStep(span=block.span, problem=problem, why=why, hint=f"add `draw {head}`")
    else:
        yield from _draw(draw, family, env, process)


def _nothing_done(block: ast.Step | ast.Finish, block_name: str, process: Process) -> Diagnostic:
    if process.ordered:
        problem = f"this {block_name} adds nothing to a row"
        why, hint = "tokens follow one another", "add `append one`"
        return WrongStep(span=block.span, problem=problem, why=why, hint=hint)
    return DoesNotUndo(span=block.span, state=process.end, example=_undo(process))


def _not_undone(
    block: ast.Step | ast.Finish, process: Process, done: Iterable[bool]
) -> Iterator[Diagnostic]:
    """A complaint about each of several arrows that no action undoes."""
    for step, undone in zip(process.life or (), done, strict=True):
        if not undone:
            yield DoesNotUndo(span=block.span, state=step[1], example=undo(of_step(step), process))


def _undo(process: Process) -> str:
    """Return an action that undoes the last arrow of the noise."""
    return undo(sound(process), process)


def _unmask(
    action: ast.Unmask, section: ast.Section, env: Environment, process: Process
) -> Iterator[Diagnostic]:
    if not process.known:
        return  # the noise section says what is wrong with it
    if not process.masks:
        why = NO_NOISE if process.ordered else f"tokens go `{process.end}`, not `mask`"
        hint = f"write `{_undo(process)}`"
        yield WrongAction(span=action.span, action="unmask", why=why, hint=hint)
        return
    rule, value, order = action.much.rule, action.much.value, action.order
    if value is not None:
        wrong = list(known(value, env))
        yield from wrong
        if not wrong and env.sound:
            endless = not query.those(section.entries, ast.Grid)
            wrong = list(goes_on(rule, value, env)) if endless else []
            yield from wrong or amount(rule, value, env)
    if order is not None:
        yield from ordering(order, action.much, section, env)
    elif rule in SCORED:
        why = f"{SCORED[rule]} needs a score"
        yield WrongRule(span=action.span, rule=rule, why=why, hint="add `by confidence`")


def _insert(action: ast.Insert, process: Process) -> Iterator[Diagnostic]:
    if not process.known:
        return
    if not process.drops:
        why = NO_NOISE if process.ordered else f"tokens go `{process.end}`, not `gone`"
        hint = f"write `{_undo(process)}`"
        yield WrongAction(span=action.span, action="insert", why=why, hint=hint)
        return
    yield from one_of(action.what, ("tokens",), "something that this noise takes away")
    if action.much.rule != "one":
        yield WrongRule(
            span=action.much.span,
            rule=action.much.rule,
            why="one joint law over gaps and tokens is good for one insertion",
            hint="write `insert tokens one`",
        )


def _append(action: ast.Append, process: Process) -> Iterator[Diagnostic]:
    if not process.known:
        return
    if not process.ordered:
        why = f"tokens went `{process.end}`: they come back where they stood"
        hint = f"write `{_undo(process)}`"
        yield WrongAction(span=action.span, action="append", why=why, hint=hint)
    elif action.much.rule != "one":
        why = "a token is drawn when all before it are known"
        span, rule = action.much.span, action.much.rule
        yield WrongRule(span=span, rule=rule, why=why, hint="write `append one`")


def _picks(
    actions: tuple[ast.Action, ...], env: Environment, process: Process
) -> Iterator[Diagnostic]:
    for pick in query.those(actions, ast.Pick):
        yield from one_of(pick.what, ("gap",), "something to pick")
        if process.masks or process.ordered:
            why = "masks stand where they stand"
            why = "the place is the end of the row" if process.ordered else why
            yield WrongAction(span=pick.span, action="pick", why=why, hint="drop the pick")
        yield from _options(pick, env)


def _draw(
    draw: ast.Draw, family: ast.Family, env: Environment, process: Process
) -> Iterator[Diagnostic]:
    heads = query.heads(family)
    head = heads.get(draw.head.id)
    if head is None and not heads:
        return
    if head is None:
        yield UnknownName(
            span=draw.head.span,
            name=draw.head.id,
            where="among the heads of the network",
            hint=suggest(draw.head.id, heads),
        )
        return
    place = "gaps" if process.leads("clean", "gone") else "tokens" if process.known else ""
    good = [h.name for h in heads.values() if h.kind.id == "logits" and h.at and h.at.id == place]
    if head.kind.id != "logits" or (place and good and head.name not in good):
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

"""The actions of a step: that they undo the noise, and that what they read is there."""

from collections.abc import Iterator

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

UNDO = {
    "mask": "unmask chance reveal(alpha)",
    "gone": "insert tokens one",
    "none": "append one",
}
MASKS = "insert masks poisson gap * reveal(beta)"
PLACED = {
    "mask": "masks stand where they stand",
    "both": "masks stand where they stand",
    "none": "the place is the end of the row",
}
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
    chain, actions = query.chain(family), block.actions
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
    if chain in UNDO and unmask is None and insert is None and append is None:
        yield _nothing_done(block, block_name, chain, env)
    if chain == "both" and unmask is None:
        yield DoesNotUndo(span=block.span, state="mask", example=undo("mask", env))
    if chain == "both" and insert is None and block_name == "step":
        yield DoesNotUndo(span=block.span, state="gone", example=undo("both", env))
    if unmask is not None:
        yield from _unmask(unmask, section, env, chain)
    if unmask is not None and unmask.much.value is not None and chain == "both":
        arrow = query.arrows(family)[0]
        yield from own_clock(unmask.much.value, unmask.much.rule, arrow, env)
    if insert is not None and chain == "both":
        yield from masks(insert, block_name, family, env)
    elif insert is not None:
        yield from _insert(insert, chain, env)
    if append is not None:
        yield from _append(append, chain, env)
    yield from _picks(actions, env, chain)
    draw = query.first(actions, ast.Draw)
    if draw is None:
        head = next(
            (h.name for h in query.heads(family).values() if h.kind.id == "logits"), "token"
        )
        problem = f"this {block_name} draws no token"
        why = "nothing says which token"
        yield WrongStep(span=block.span, problem=problem, why=why, hint=f"add `draw {head}`")
    else:
        yield from _draw(draw, family, env, chain)


def _nothing_done(
    block: ast.Step | ast.Finish, block_name: str, chain: str, env: Environment
) -> Diagnostic:
    if chain == "none":
        problem = f"this {block_name} adds nothing to a row"
        why, hint = "tokens follow one another", "add `append one`"
        return WrongStep(span=block.span, problem=problem, why=why, hint=hint)
    return DoesNotUndo(span=block.span, state=chain, example=undo(chain, env))


def undo(chain: str, env: Environment) -> str:
    """An action that undoes the noise."""
    if chain == "both":
        return MASKS.replace("beta", [*env.schedules, "beta"][1])
    return UNDO[chain].replace("alpha", next(iter(env.schedules), "alpha"))


def _unmask(
    action: ast.Unmask, section: ast.Section, env: Environment, chain: str
) -> Iterator[Diagnostic]:
    if chain not in (*UNDO, "both"):
        return  # the noise section says what is wrong with it
    if chain in ("gone", "none"):
        why = f"tokens go `{chain}`, not `mask`" if chain != "none" else NO_NOISE
        hint = f"write `{undo(chain, env)}`"
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


def _insert(action: ast.Insert, chain: str, env: Environment) -> Iterator[Diagnostic]:
    if chain not in UNDO:
        return
    if chain != "gone":
        why = f"tokens go `{chain}`, not `gone`" if chain != "none" else NO_NOISE
        hint = f"write `{undo(chain, env)}`"
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


def _append(action: ast.Append, chain: str, env: Environment) -> Iterator[Diagnostic]:
    if chain not in (*UNDO, "both"):
        return
    if chain != "none":
        state = "gone" if chain == "both" else chain
        why = f"tokens went `{state}`: they come back where they stood"
        hint = f"write `{undo(chain, env)}`"
        yield WrongAction(span=action.span, action="append", why=why, hint=hint)
    elif action.much.rule != "one":
        why = "a token is drawn when all before it are known"
        span, rule = action.much.span, action.much.rule
        yield WrongRule(span=span, rule=rule, why=why, hint="write `append one`")


def _picks(actions: tuple[ast.Action, ...], env: Environment, chain: str) -> Iterator[Diagnostic]:
    for pick in query.those(actions, ast.Pick):
        yield from one_of(pick.what, ("gap",), "something to pick")
        if chain in PLACED:
            why = PLACED[chain]
            yield WrongAction(span=pick.span, action="pick", why=why, hint="drop the pick")
        yield from _options(pick, env)


def _draw(draw: ast.Draw, family: ast.Family, env: Environment, chain: str) -> Iterator[Diagnostic]:
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
    place = {"mask": "tokens", "gone": "gaps", "both": "tokens", "none": "tokens"}.get(chain)
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

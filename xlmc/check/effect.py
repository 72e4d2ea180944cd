"""Warnings about entries that change nothing."""

import math
from collections.abc import Iterator

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import NoEffect
from xlmc.resolve.defaults import NEUTRAL
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.process import Process
from xlmc.words import slots
from xlmc.words.last import reveals_all

NOTHING = {name: float(value) for name, (_, value) in NEUTRAL.items()}


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Yield a warning for each entry of the family's own text that has no effect."""
    for section in query.decoders(family):
        yield from (one for one in _decoder(section, family) if _own(one, section, family))
    for section in (one for one in family.sections if one.kind == "collate"):
        yield from (one for one in _padding(section, family) if _own(one, section, family))


def _own(one: Diagnostic, section: ast.Section, family: ast.Family) -> bool:
    """Return whether a warning is about an entry written there: not inherited, no default."""
    if one.span == section.span and section.kind == "collate":
        return False
    return one.span in section.span and one.span.source == family.span.source


def _decoder(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    for entry in section.entries:
        match entry:
            case ast.Finish():
                yield from _finish(entry, section, family) if entry.over is None else ()
                yield from _actions(entry.actions)
            case ast.Step():
                yield from _actions(entry.actions)
            case ast.Stop():
                yield from _stop(entry, family)
    yield from _same(section, family)


def _finish(finish: ast.Finish, section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    grid, why = slots.grid(section.entries), ""
    if finish.span == query.the(section.entries, ast.Step).span:
        return  # a default, which has the place of what it follows from
    if grid is None or not grid.timed:
        walk = "without a grid" if grid is None else "on a grid of events"
        why = f"{walk} steps are taken until no mask is left"
    elif Process.of(family).fills and reveals_all(section, family, query.arrows(family)[0]):
        why = "the last step reveals every mask"
    if why:
        yield NoEffect(span=finish.span, what="this `finish`", why=why, hint="drop it")


def _actions(actions: tuple[ast.Action, ...]) -> Iterator[Diagnostic]:
    for action in actions:
        match action:
            case ast.Draw() | ast.Pick():
                for option in action.options:
                    if literal(option.value) == NOTHING.get(option.name, math.nan):
                        why = f"at {NOTHING[option.name]:g} it excludes no token"
                        hint = f"drop it, or write `with {option.name}` and let a run set it"
                        what = f"`{option.name}` here"
                        yield NoEffect(span=option.span, what=what, why=why, hint=hint)
            case ast.Act(verb=verb, much=much) if slots.edits((action,)) and _takes_nothing(much):
                what, why = f"this `{verb.id}`", "it changes no token"
                yield NoEffect(span=action.span, what=what, why=why, hint="drop it")


def _takes_nothing(much: ast.Much) -> bool:
    """Return whether all rules of an action take nothing."""
    return all(
        pace.value is not None
        and literal(pace.value) == 0
        and not slots.rule_words()[pace.rule].thresholds
        for pace in query.paces(much)
    )


def _stop(stop: ast.Stop, family: ast.Family) -> Iterator[Diagnostic]:
    for one in stop.conditions:
        match one:
            case ast.Compare(op="<", right=right) if literal(right) == 0:
                why = "no number is below 0"
                yield NoEffect(span=one.span, what="this condition", why=why, hint="drop it")
            case ast.Compare(left=chance) | ast.Happens(chance=chance):
                yield from _tail(chance, family)


def _tail(chance: ast.Expr, family: ast.Family) -> Iterator[Diagnostic]:
    """Report a head of kind distribution of which a condition reads only the chance of 0."""
    if not (isinstance(chance, ast.Call) and chance.function == "zero"):
        return
    head = query.heads(family).get(query.asked(chance))
    if head is not None and query.size(head) > 1 and head.at is not None:
        yield NoEffect(
            span=chance.span,
            what=f"all of `{head.name}` but its chance of 0",
            why="only that chance is read: it needs no distribution",
            hint=f"a chance does the same: `head {head.name} : chance at {head.at.id}`, trained by "
            f"`{head.name} : binary_cross_entropy(none gone)`",
        )


def _same(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    """Report a named decoder that equals the default one."""
    default = query.entries(family, "decoder")
    if section.name is not None and {*section.entries} == {*default}:
        why = "it is the default decoder by another name"
        what = f"`decoder {section.name}`"
        yield NoEffect(
            span=section.span, what=what, why=why, hint="change something in it, or drop it"
        )


def _padding(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    prompts = any(
        slot.name == "prompt" for layout in query.layouts(family) for slot in layout.slots
    )
    for pad in query.those(section.entries, ast.Pad):
        for side in pad.sides:
            if side.part.id == "prompt" and not prompts:
                why = "no layout has a prompt"
                yield NoEffect(span=side.span, what="this padding", why=why, hint="drop it")

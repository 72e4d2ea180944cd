"""The action `keep`: that nothing beside it decides which places are masks, and that it ends."""

from collections.abc import Iterator

from xlmc.check.edits import stops
from xlmc.check.rules import number, paces, single
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    NeedsGrid,
    WrongAction,
    WrongBlocks,
    WrongReuse,
    WrongScore,
    WrongStep,
)
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment

EXAMPLE = "keep quota length * (1 - s) by confidence"


def check(
    action: ast.Act, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Check a `keep` and the decoder around it."""
    if action not in query.the(section.entries, ast.Step).actions:
        why = "a finish reveals the masks that are left, and nothing more"
        yield WrongAction(span=action.span, action="keep", why=why, hint="write `unmask all`")
        return
    yield from single(action, f"write `{EXAMPLE}`")
    yield from _order(action)
    if action.order is not None and action.order.weight is not None:
        yield from number(action.order.weight, "Scale", "eta", env)
    yield from _beside(section)
    yield from stops(section, family)
    if "t" not in env.names:
        yield NeedsGrid(span=action.span, name="keep")
        return
    for _, wrong in paces(action.much, env):
        yield from wrong


def _order(action: ast.Act) -> Iterator[Diagnostic]:
    """Report an order of places by anything but the chance of their tokens."""
    order = action.order
    if order is None or order.score.id != "confidence":
        span = action.span if order is None else order.score.span
        why = "places are compared by the chance of their tokens"
        yield WrongScore(span=span, why=why, hint=f"write `{EXAMPLE}`")
        return
    for part, name in ((order.of, "of"), (order.temperature, "temperature")):
        if part is not None:
            why = "the chances are those of the tokens that are there, or were drawn"
            yield WrongScore(span=part.span, why=why, hint=f"drop `{name} {part.span.text}`")


def _beside(section: ast.Section) -> Iterator[Diagnostic]:
    """Report what decides otherwise which places are masks."""
    for action in query.those(query.the(section.entries, ast.Step).actions, ast.Act):
        if action.verb.id != "keep":
            problem = f"this step has `keep` and `{action.verb.id}`"
            why, hint = "`keep` says of every place if it is a mask", f"drop the {action.verb.id}"
            yield WrongStep(span=action.span, problem=problem, why=why, hint=hint)
    for entry in section.entries:
        match entry:
            case ast.Reuse():
                why = "every step scores all tokens anew"
                yield WrongReuse(span=entry.span, why=why, hint="drop `reuse`")
            case ast.Blocks():
                why = "all free places of a row compete"
                yield WrongBlocks(span=entry.span, why=why, hint="drop the blocks")

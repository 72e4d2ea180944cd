"""Insertions of masks: how many, read from a head of numbers, and what finds no room."""

import re
from collections.abc import Iterable, Iterator

from attrs import evolve

from xlmc.check.rules import growing, in_range, known, single
from xlmc.check.words import one_of
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    NeverEnds,
    NeverTrained,
    WrongAction,
    WrongRule,
    WrongScore,
    WrongStep,
)
from xlmc.diagnostics.source import Span
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment, reads
from xlmc.theory.probe import distinct
from xlmc.theory.process import Process
from xlmc.words import slots
from xlmc.words.answers import NUMBERS
from xlmc.words.numbers import read as read_by

POLICIES = ("skip_row", "drop_right")
NO_MASK = {"masked": 0.0}
MISSING = (0.0, 0.3, 1.0, 4.0)  # from a gap


def masks(
    action: ast.Insert, block: str, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Check that a number of masks can be inserted into every gap."""
    if block == "finish":
        problem, why = (
            "masks that a finish inserts would be left in the sample",
            "no step reveals them",
        )
        yield WrongStep(span=action.span, problem=problem, why=why, hint="move it to the step")
        return
    if action.order is not None:
        why, hint = "masks are all alike: none comes first", "drop the order"
        yield WrongScore(span=action.order.span, why=why, hint=hint)
    counts = [name for name, kind in env.names.items() if kind == NUMBERS]
    gap, beta = (counts[0] if counts else "gap"), [*env.schedules, "beta"][1]
    rule, value = action.much.rule, action.much.value
    refused = list(single(action, f"write `insert masks poisson {gap} * reveal({beta})`"))
    yield from refused
    if refused or value is None:
        return
    own = evolve(env, names={**env.names, **dict.fromkeys(counts, "Rate")})
    wrong = list(known(value, own))
    yield from wrong
    read = read_by(value, counts, env.lets.values())
    if not wrong and len(read) != 1:
        none, several = (
            "no head in this formula predicts how many tokens are missing",
            "this formula reads several heads, and xlmc supports one",
        )
        why = several if read else none
        hint = f"write `insert masks {rule} {gap} * reveal({beta})`"
        yield WrongRule(span=value.span, rule=rule, why=why, hint=hint)
    yield from own_clock(value, rule, query.arrows(family)[-1], env)
    for head in read:
        yield from trained(value.span, head, family)
        if not wrong and env.sound and len(read) == 1:
            yield from ranged(
                rule, value, read, own, f"a mean is at least 0: `{head} * reveal(...)`"
            )


def ranged(
    rule: str, value: ast.Expr, read: Iterable[str], env: Environment, hint: str
) -> Iterator[Diagnostic]:
    """Check the range of an amount over the run of a decoder; it may read heads of numbers."""
    rows = list(distinct(value, env, growing(env)))
    samples = (
        {**row, **none, **dict.fromkeys(read, number)}
        for number in MISSING
        for row in rows
        for none in ({}, NO_MASK)
    )
    yield from in_range(rule, value, env, distinct(value, env, samples), hint)


def own_clock(
    value: ast.Expr, rule: str, arrow: ast.Arrow, env: Environment
) -> Iterator[Diagnostic]:
    """Check that an action uses the clock of the arrow that it undoes, if any clock."""
    lets = [env.lets[name].value for name in sorted(reads(value, env) & {*env.lets})]
    for call in (call for one in (value, *lets) for call in query.calls(one)):
        asked = {call.function, *(name.id for name in query.names(call))} & {*env.schedules}
        if asked and arrow.survival not in asked:
            other = env.schedules[next(iter(asked))]
            states = f"`{other.origin.id} -> {other.target.id}`"
            mended = re.sub(rf"\b{other.survival}\b", arrow.survival, call.span.text)
            undone = f"`{arrow.origin.id} -> {arrow.target.id}`"
            why = f"it undoes {undone}, but this is the clock of {states}"
            yield WrongRule(span=call.span, rule=rule, why=why, hint=f"write `{mended}`")


def overflow(entry: ast.Overflow, section: ast.Section, process: Process) -> Iterator[Diagnostic]:
    """Check the overflow, which only insertions of several at a time have."""
    if process.drops:
        yield from one_of(entry.policy, POLICIES, "a treatment of insertions that do not fit")
        yield from _waits(entry, section) if process.one_clock else ()
    elif process.known:
        canvas, row = "a canvas of masks has its length from the start", "a row stops at the limit"
        why = canvas if process.fixed_length else row
        hint = "drop the overflow"
        yield WrongAction(span=entry.span, action="overflow", why=why, hint=hint)


def _waits(entry: ast.Overflow, section: ast.Section) -> Iterator[Diagnostic]:
    """Complain about rows that wait for room, in a decoder that no grid ends."""
    gridded = bool(query.those(section.entries, ast.Grid))
    if entry.policy.id == "skip_row" and not gridded and slots.crowds(section.entries):
        why = "a row in which more tokens are inserted than fit is skipped, each time anew"
        hint = "write `overflow drop_right`, or add a grid"
        yield NeverEnds(span=entry.span, why=why, hint=hint)


def trained(span: Span, head: str, family: ast.Family) -> Iterator[Diagnostic]:
    """Report a head that is read and that no term of the loss trains."""
    trained = {term.head.id for term in query.terms(family)}
    if head not in trained and trained and trained <= {*query.heads(family)}:
        yield NeverTrained(span=span, head=head)

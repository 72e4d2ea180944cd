"""A start whose number of masks is drawn from a head."""

from collections.abc import Iterator

from xlmc.check.insertions import trained
from xlmc.diagnostics.diagnostic import Diagnostic, suggest
from xlmc.diagnostics.semantic_errors import UnknownName, WrongSizedStart
from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words import terms


def check(start: ast.Start, name: ast.Name, family: ast.Family) -> Iterator[Diagnostic]:
    """Check the head of a start, and the layouts that its rows have."""
    head = query.heads(family).get(name.id)
    if head is None:
        hint, where = suggest(name.id, query.heads(family)), "among the heads of the network"
        yield UnknownName(span=name.span, name=name.id, where=where, hint=hint)
        return
    if why := _why_not(start, head, family):
        yield WrongSizedStart(span=start.span, why=why[0], hint=why[1])
        return
    yield from trained(name.span, name.id, family)


def _why_not(start: ast.Start, head: ast.Head, family: ast.Family) -> tuple[str, str] | None:
    """Return why no length can be drawn, and what to do; None if one can."""
    if not Process.of(family).fills:
        return "only a row of masks has a number of places to draw", "drop the head in parentheses"
    if head.kind.id != "distribution":
        hint = "write `head size : distribution(64) at cls`, and `start masks(size)`"
        return f"`{head.name}` is no distribution of numbers", hint
    learned = [one for one in query.terms(family) if one.head.id == head.name]
    if any(terms.target_of(one) != "length" for one in learned):
        return (
            f"`{head.name}` is not trained on the length of a text",
            f"write `{head.name} : cross_entropy(length)`",
        )
    others = [query.first(one.entries, ast.Start) for one in query.decoders(family)]
    if any(one is None or one.head != start.head for one in others):
        why = "another decoder is given the length, and a likelihood is of one kind"
        return why, "start all decoders alike"
    if query.shifted(family):
        why = (
            "the head is read at its special token, and a shifted network is read to the left of it"
        )
        return why, "drop `shifted`"
    for layout in query.layouts(family):
        if layout.keeping is not None:
            why = (
                f"in `{layout.name}` given tokens keep their places: the row has its length already"
            )
            return why, f"drop the layout `{layout.name}`"
        if inside := query.predicted(layout):
            what = f"in `{layout.name}` the `{min(inside)}` inside the brackets"
            why = f"{what} tells the length already"
            return why, "write `[body]`, or `start masks`"
    return None

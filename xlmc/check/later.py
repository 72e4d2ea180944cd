"""What the grammar can say and the compiler cannot make yet: refused, lest it be ignored."""

from collections.abc import Iterator

from xlmc import ast, query
from xlmc.errors import Diagnostic
from xlmc.refusals import NotYet


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """A refusal for everything that would otherwise have no effect."""
    for section in query.decoders(family):
        for entry in section.entries:
            yield from _entry(entry)


def _entry(entry: ast.Node) -> Iterator[Diagnostic]:
    if isinstance(entry, ast.Blocks | ast.Guide):
        yield NotYet(span=entry.span, what=f"`{type(entry).__name__.lower()}`")
    if isinstance(entry, ast.Step | ast.Finish):
        for action in entry.actions:
            if isinstance(action, ast.Remask):
                yield NotYet(span=action.span, what=f"`{type(action).__name__.lower()}`")

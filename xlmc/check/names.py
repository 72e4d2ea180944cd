"""Names that mean two things, and names of decoders."""

from collections.abc import Iterator

from xlmc.check.words import name_span, reserved
from xlmc.diagnostics.diagnostic import Diagnostic, Related
from xlmc.diagnostics.semantic_errors import NameTaken
from xlmc.diagnostics.source import Span
from xlmc.syntax import ast, query
from xlmc.syntax.query import camel
from xlmc.theory.process import Process

Known = dict[str, tuple[str, Span]]  # name -> what has it, and where


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check that heads, the schedule, params and lets of a section have different names."""
    known: Known = {}
    for arrow in query.arrows(family) if Process.of(family).known else ():
        yield from _take(known, arrow.survival, "a schedule" if known else "the schedule", arrow)
    second = query.clocks(family)
    heads = query.those(second.entries, ast.Head) if second is not None else ()
    for head in (*query.heads(family).values(), *heads):
        yield from _take(known, head.name, "a head", head)
    for section in family.sections:
        if section.kind in ("noise", "loss", "decoder"):
            own = dict(known)
            for entry in section.entries:
                if isinstance(entry, ast.Param | ast.Choice | ast.Let):
                    yield from _take(own, entry.name, "a param or let", entry)
    yield from _decoders(family)


def _take(known: Known, name: str, what: str, node: ast.Node) -> Iterator[Diagnostic]:
    span = name_span(node, name)
    if name in known:
        holder, first = known[name]
        related = (Related(first, f"{holder} here"),)
        yield NameTaken(span=span, related=related, name=name, what=what, holder=holder)
    known.setdefault(name, (what, span))


def _decoders(family: ast.Family) -> Iterator[Diagnostic]:
    """Check that the classes of decoders, and their settings, have different names."""
    classes: dict[str, ast.Section] = {}
    for section in query.decoders(family):
        if section.name is None:
            continue
        yield from reserved(section.name, "a decoder", section)
        first = classes.setdefault(camel(section.name), section)
        if first is not section:
            holder = "another decoder, up to capitals and `_`"
            related = (Related(name_span(first, first.name or ""), "this decoder"),)
            span = name_span(section, section.name)
            yield NameTaken(
                span=span, related=related, name=section.name, what="a decoder", holder=holder
            )

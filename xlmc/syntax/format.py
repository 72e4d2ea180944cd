"""The canonical layout of a spec, with every comment and every single blank line kept.

A comment beside a statement stays beside it; a comment on a line of its own stays above what
follows it. A comment inside of a statement, or a second one beside it, moves above the statement.
"""

from collections import Counter
from collections.abc import Iterator

from attrs import define, field

from xlmc.diagnostics.diagnostic import InternalError, SpecErrors
from xlmc.diagnostics.source import Source, Span
from xlmc.syntax import ast, printer, vocabulary
from xlmc.syntax.parse import comments, parse

_COLUMN = 45  # of comments beside statements, where the statement leaves room for two blanks


def format_source(source: Source, verbs: vocabulary.Verbs | None = None) -> str:
    """Return the same spec in its canonical layout; ``verbs`` are known to messages.

    Raises:
        SpecErrors: if the spec has syntax errors.
        InternalError: rather than change its meaning or lose a comment.
    """
    family = parse(source, verbs)
    remarks = comments(source)

    def fills(block: ast.Node) -> bool:
        return not any(block.span.start < c.start < block.span.end for c in remarks)

    lines = printer.lines(family, fills)
    rows = [_Row(line) for line in lines]
    tail = [c for c in remarks if not _attach(c, rows)]
    written = "\n".join(_layout(rows, tail)) + "\n"
    _compare(source, Source(source.path, written))
    return written


@define
class _Row:
    """A line of the result and the comments that go with it."""

    line: printer.Line
    above: list[Span] = field(factory=list)  # on lines of their own
    inside: list[Span] = field(factory=list)  # to be moved above
    beside: Span | None = None


def _attach(comment: Span, rows: list[_Row]) -> bool:
    """Attach a comment to a row; return False if it is below the last one."""
    reached = sum(row.line.span.start <= comment.start for row in rows)
    row = rows[reached - 1] if reached else None
    if row and row.line.role == "entry" and comment.start < row.line.span.end:
        row.inside.append(comment)
    elif row and not _first_on_line(comment):
        row.inside += [row.beside] if row.beside else []
        row.beside = comment
    elif reached < len(rows):
        rows[reached].above.append(comment)
    else:
        return False
    return True


def _layout(rows: list[_Row], tail: list[Span]) -> Iterator[str]:
    """Yield the lines of the result; no blank line is next to the inner side of a brace."""
    after_brace = True
    for row in rows:
        for text, has_blank in _pieces(row):
            if has_blank and not after_brace:
                yield ""
            yield text
            after_brace = False
        after_brace = row.line.role == "open"
    for comment in tail:
        if _blank_above(comment):
            yield ""
        yield comment.text


def _pieces(row: _Row) -> Iterator[tuple[str, bool]]:
    """Yield the lines of a row, and whether a blank line is above each."""
    line, closes = row.line, row.line.role == "close"
    margin = "  " * (line.depth + closes)
    blank = _blank_above(line.span) and not closes
    for comment in row.above:
        yield margin + comment.text, _blank_above(comment)
    for number, comment in enumerate(row.inside):
        yield margin + comment.text, blank and number == 0
    code = str(line)
    if row.beside:
        code = f"{code:<{max(_COLUMN, len(code) + 2)}}{row.beside.text}"
    yield code, blank and not row.inside


def _first_on_line(span: Span) -> bool:
    start = span.source.text.rfind("\n", 0, span.start) + 1
    return not span.source.text[start : span.start].strip()


def _blank_above(span: Span) -> bool:
    """Return whether a span is the first thing below a blank line."""
    number = span.line
    return number > 1 and _first_on_line(span) and not span.source.line(number - 1).strip()


def _compare(before: Source, after: Source) -> None:
    """Refuse a result that differs in meaning or lost a comment."""
    old = parse(before)
    try:
        new = parse(after)
    except SpecErrors as error:
        raise InternalError(f"fmt would break {before.name}: {error}") from error
    kept = Counter(c.text for c in comments(before)) == Counter(c.text for c in comments(after))
    if old != new or old.doc != new.doc:
        raise InternalError(f"fmt would change the meaning of {before.name}; nothing was written")
    if not kept:
        raise InternalError(f"fmt would lose a comment of {before.name}; nothing was written")

"""Text becomes a tree, or every syntax error in it."""

import re

from attrs import evolve
from lark.exceptions import UnexpectedInput

from xlmc.diagnostics.diagnostic import Diagnostic, SpecErrors
from xlmc.diagnostics.source import Source, Span
from xlmc.diagnostics.syntax_errors import ControlCharacter, Empty, NotText, TooLarge
from xlmc.syntax import ast, build_ast, diagnose, grammar, vocabulary

LARGEST_FILE = 200_000  # bytes: two seconds of parsing at the very worst
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_COMMENT_LINE = re.compile(r"(?m)^[ \t]*#[^\n]*")
_STRING_OR_COMMENT = re.compile(r'"[^"\n]*"|#[^\n]*')


def read_source(path: str, data: bytes) -> Source:
    """Decode the bytes of a spec: UTF-8, with or without a mark, any line ends.

    Raises:
        SpecErrors: if it is far too large or not UTF-8.
    """
    if len(data) > LARGEST_FILE:
        here = _first_line(path, data)
        raise SpecErrors([TooLarge(span=here, size=len(data), limit=LARGEST_FILE)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        here = _first_line(path, data[: error.start], at_end=True)
        byte = f"{data[error.start]:#04x}"
        raise SpecErrors([NotText(span=here, byte=byte, offset=error.start)]) from None
    return Source(path, text.replace("\r\n", "\n").replace("\r", "\n"))


def parse(source: Source, verbs: vocabulary.Verbs | None = None) -> ast.Family:
    """Parse a spec to its tree; ``verbs`` of actions are known to messages.

    Raises:
        SpecErrors: with every syntax error.
    """
    if problems := _unreadable(source):
        raise SpecErrors(problems)
    try:
        read = grammar.parser().parse(source.text)
    except UnexpectedInput:
        raise SpecErrors(diagnose.errors(source, verbs or {})) from None
    family = build_ast.build(source, read)
    return evolve(family, doc=_doc(source, family.span.start))


def comments(source: Source) -> list[Span]:
    """Return the spans of the comments of a valid spec, without the blanks at their ends."""
    found = []
    for match in _STRING_OR_COMMENT.finditer(source.text):
        if match[0].startswith("#"):
            found.append(Span(source, match.start(), match.start() + len(match[0].rstrip())))
    return found


def _unreadable(source: Source) -> list[Diagnostic]:
    """Return the faults that keep a text from being read at all."""
    text = source.text
    if len(text) > LARGEST_FILE:
        size = len(text)
        return [TooLarge(span=Span(source, 0, 0), size=size, limit=LARGEST_FILE)]
    if not _COMMENT_LINE.sub("", text).strip():
        return [Empty(span=Span(source, 0, 0))]
    found = []
    for match in list(_INVISIBLE.finditer(text))[:20]:
        span = Span(source, match.start(), match.end())
        found.append(ControlCharacter(span=span, character=f"U+{ord(match[0]):04X}"))
    return [*found]


def _doc(source: Source, start: int) -> str:
    """Return the comment lines directly above the start of the family, without their signs."""
    lines: list[str] = []
    number = source.place(start)[0] - 1
    while number > 0 and (line := source.line(number).strip()).startswith("#"):
        lines.insert(0, line.lstrip("#").strip())
        number -= 1
    return "\n".join(lines)


def _first_line(path: str, data: bytes, *, at_end: bool = False) -> Span:
    """Return a place in a file that is no spec: its start, or the end of its readable bytes."""
    text = data.decode("utf-8", "replace") if at_end else data[:80].decode("utf-8", "replace")
    source = Source(path, text)
    at = len(text) if at_end else 0
    return Span(source, at, at)

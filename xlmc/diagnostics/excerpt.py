"""A line of a spec with a stretch of it marked, fit for a terminal.

Tabs, wide characters and combining marks keep the marks under what they mark; characters that would
steer the terminal are shown as a replacement character; a very long line is shown in part.
"""

import re
import unicodedata

from xlmc.diagnostics.source import Span

_WIDEST = 150  # display columns of a source line that are shown at most
_TAB = "    "
_STEERING = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Replace every character of a text that could steer a terminal, new lines too."""
    return _STEERING.sub("\ufffd", text)


def excerpt(span: Span, gutter: int, mark: str, label: str) -> list[str]:
    """Return two lines: the first line of a span, and marks under the span with a label.

    ``gutter`` is the width of the line number. An empty span is marked by one character; a span of
    several lines is marked up to the end of its first line.
    """
    number, column = span.source.place(span.start)
    glyphs = [_TAB if c == "\t" else printable(c) for c in span.source.line(number)]
    first = min(column - 1, len(glyphs))
    last = min(max(first + span.end - span.start, first + 1), max(len(glyphs), first + 1))
    left, right = _window([_width(g) for g in glyphs], first)
    before = ("…" if left else "") + "".join(glyphs[left:first])
    after = "".join(glyphs[first:right]) + ("…" if right < len(glyphs) else "")
    marks = mark * max(sum(_width(g) for g in glyphs[first : min(last, right)]), 1)
    return [
        f"{number:>{gutter}} | {before}{after}".rstrip(),
        f"{'':>{gutter}} | {' ' * _width(before)}{marks} {label}".rstrip(),
    ]


def _width(text: str) -> int:
    """Return the number of columns of a terminal that a text takes."""
    return sum(_columns(c) for c in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _window(widths: list[int], focus: int) -> tuple[int, int]:
    """Choose the stretch of a line to show, with ``focus`` in it, within the widest line."""
    if sum(widths) <= _WIDEST:
        return 0, len(widths)
    left = focus
    room = _WIDEST // 3
    while left > 0 and room > 0:
        left -= 1
        room -= widths[left]
    right, room = left, _WIDEST
    while right < len(widths) and room > 0:
        room -= widths[right]
        right += 1
    return left, right

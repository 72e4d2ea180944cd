"""Messages about a spec, and the three ways of writing them.

The messages themselves are in `xlmc.diagnostics.syntax_errors` and
`xlmc.diagnostics.semantic_errors`, one class each.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import ClassVar, Literal

from attrs import fields, frozen

from xlmc.diagnostics.excerpt import excerpt, printable
from xlmc.diagnostics.source import Source, Span

Format = Literal["text", "json", "github"]


@frozen
class Related:
    """A second place that a message speaks of, and what it is."""

    span: Span
    text: str


@frozen
class Fix:
    """A change of the spec that is safe to make: the span's text becomes ``replacement``."""

    span: Span
    replacement: str


@frozen(kw_only=True)
class Diagnostic:
    """One thing that is wrong with a spec.

    A message is a subclass that sets the class variables and adds fields; title, label, note and
    help are format strings over the fields. ``code`` is stable and unique; no empty text is shown.
    """

    code: ClassVar[str]
    severity: ClassVar[Literal["error", "warning"]] = "error"
    title: ClassVar[str]
    label: ClassVar[str] = ""
    note: ClassVar[str] = ""
    help: ClassVar[str] = ""

    span: Span
    related: tuple[Related, ...] = ()
    fix: Fix | None = None

    def say(self, template: str) -> str:
        """Fill a template with the fields, on one line and without control characters."""
        values = {f.name: getattr(self, f.name) for f in fields(type(self))}
        return printable(template.format(**values)).strip()


class SpecErrors(Exception):
    """The messages that make a spec unusable, in the order of the text."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep the messages: files in the order given, each file from top to bottom."""
        self.diagnostics = in_order(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        """Return the messages as `render` writes them."""
        return render(self.diagnostics)


class InternalError(Exception):
    """A mistake of the compiler's own, never of the spec's author."""


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort the messages by place, without repetitions; files stay in the order they came in."""
    unique = list(dict.fromkeys(diagnostics))
    files: dict[Source, int] = {}
    for one in unique:
        files.setdefault(one.span.source, len(files))
    return tuple(sorted(unique, key=lambda d: (files[d.span.source], d.span.start)))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is closest to ``name``; None if none is close."""
    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(candidate.casefold(), candidate)
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.66)
    return folded[close[0]] if close else None


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a question for a message's help, ``did you mean `x`?``, or nothing."""
    found = nearest(name, known)
    return f"did you mean `{found}`?" if found else ""


def render(
    diagnostics: Sequence[Diagnostic], form: Format = "text", *, colour: bool = False
) -> str:
    """Format all messages as ``text``, ``json`` or ``github``; ``text`` ends with their number."""
    if form == "json":
        return json.dumps([_record(d) for d in diagnostics], indent=2) + "\n"
    if form == "github":
        return "".join(_workflow_command(d) for d in diagnostics)
    paint = _colour if colour else _plain
    return "".join(_text(d, paint) + "\n" for d in diagnostics) + _count(diagnostics)


# Text

_Paint = Callable[[str, str], str]  # a text and the ink it is written in
_INK = {"error": "1;31", "warning": "1;33", "strong": "1", "place": "1;34", "help": "1;36"}


def _colour(text: str, ink: str) -> str:
    return f"\x1b[{_INK[ink]}m{text}\x1b[0m" if text else ""


def _plain(text: str, _: str) -> str:
    return text


def _text(one: Diagnostic, paint: _Paint) -> str:
    spans = [one.span, *(r.span for r in one.related)]
    gutter = max(2, *(len(str(span.line)) for span in spans))
    head = paint(f"{one.severity}[{one.code}]", one.severity)
    lines = [head + paint(f": {one.say(one.title)}", "strong")]
    lines += _place(one.span, gutter, "-->", "^", one.say(one.label), one.severity, paint)
    for other in one.related:
        lines += _place(other.span, gutter, ":::", "-", printable(other.text), "place", paint)
    for word, template in (("note", one.note), ("help", one.help)):
        if text := one.say(template):
            lines.append(paint(f"{word}:", "help") + f" {text}")
    return "\n".join(lines) + "\n"


def _place(
    span: Span, gutter: int, arrow: str, mark: str, label: str, ink: str, paint: _Paint
) -> list[str]:
    """Format the place of a span, and its excerpt."""
    line, column = span.source.place(span.start)
    where = f"{printable(span.source.path)}:{line}:{column}"
    shown, marks = excerpt(span, gutter, mark, label)
    bar = gutter + 2
    return [
        " " * gutter + paint(arrow, "place") + f" {where}",
        paint(shown[:bar], "place") + shown[bar:],
        paint(marks[:bar], "place") + paint(marks[bar:], ink),
    ]


def _count(diagnostics: Sequence[Diagnostic]) -> str:
    parts = []
    for severity in ("error", "warning"):
        if number := sum(d.severity == severity for d in diagnostics):
            parts.append(f"{number} {severity}{'s' if number > 1 else ''}")
    return ", ".join(parts) + "\n" if parts else ""


# Machines


def _region(span: Span) -> dict[str, str | int]:
    """Return file and place of a span; lines and columns count from 1, the end is exclusive."""
    line, column = span.source.place(span.start)
    end_line, end_column = span.source.place(span.end)
    return {
        "file": span.source.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _record(one: Diagnostic) -> dict[str, object]:
    return {
        "code": one.code,
        "severity": one.severity,
        "title": one.say(one.title),
        "label": one.say(one.label),
        "note": one.say(one.note),
        "help": one.say(one.help),
        **_region(one.span),
        "related": [{"text": r.text, **_region(r.span)} for r in one.related],
        "fix": one.fix and {"replacement": one.fix.replacement, **_region(one.fix.span)},
    }


def _workflow_command(one: Diagnostic) -> str:
    """Format one line that a GitHub workflow shows beside the source."""
    line, column = one.span.source.place(one.span.start)
    title = f"{one.code}: {one.say(one.title)}"
    parts = (one.say(one.title), one.say(one.label), one.say(one.note), one.say(one.help))
    where = {"file": one.span.source.path, "line": line, "col": column, "title": title}
    keys = ",".join(f"{key}={_property(str(value))}" for key, value in where.items())
    return f"::{one.severity} {keys}::{_message('; '.join(filter(None, parts)))}\n"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")

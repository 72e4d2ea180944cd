"""Text and places in it."""

from bisect import bisect_right
from functools import cached_property

from attrs import field, frozen


@frozen(slots=False)
class Source:
    """The text of a spec and the name under which messages mention it.

    ``path`` is what the user typed; ``name`` (its last part) is all that ever reaches an output.
    """

    path: str
    text: str = field(repr=False)

    @property
    def name(self) -> str:
        """The file's name without its folder; bytes of it that are no UTF-8 become `?`."""
        name = self.path.replace("\\", "/").rsplit("/", 1)[-1]
        return name.encode("utf-8", "replace").decode()

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column (both from 1) of a character."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of a line (from 1), without its end."""
        lines = self._starts
        end = lines[number] if number < len(lines) else len(self.text)
        return self.text[lines[number - 1] : end].rstrip("\r\n")


@frozen
class Span:
    """The characters from ``start`` up to, not including, ``end`` of a source."""

    source: Source = field(repr=False)
    start: int
    end: int

    def __contains__(self, other: "Span") -> bool:
        """Return whether another span of the same source lies within this one."""
        return self.source == other.source and self.start <= other.start and other.end <= self.end

    @property
    def line(self) -> int:
        """The line (from 1) on which the span starts."""
        return self.source.place(self.start)[0]

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def to(self, other: "Span") -> "Span":
        """Return the span from the start of this one to the end of another of the same source."""
        return Span(self.source, self.start, max(self.end, other.end))

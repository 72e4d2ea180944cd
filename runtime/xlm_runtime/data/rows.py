"""Places of rows in the data, and reports on rows that were left out or changed."""

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xlm_runtime.system.errors import an

_FIRST = 5  # rows that are named


@dataclass(frozen=True, order=True)
class Place:
    """The place of a row: number ``row`` of ``of``, from 1 (in a text format the line).

    of: a file of a folder, or a split of a data set; empty for a file that is the only one, and for
        rows that are made.
    """

    of: str
    row: int

    @property
    def shown(self) -> int | str:
        """``7``, or ``train.csv:7``."""
        return f"{self.of}:{self.row}" if self.of else self.row


@dataclass
class Named:
    """A report on some rows: their number, and the first of them."""

    rows: int = 0
    _first: list[Place] = field(default_factory=list)

    def note(self, place: Place) -> None:
        """Add a row to the report, in any order."""
        self.rows += 1
        insort(self._first, place)
        del self._first[_FIRST:]

    @property
    def first(self) -> list[int | str]:
        """The places of the first ones."""
        return [place.shown for place in self._first]


@dataclass
class Dropped:
    """The rows that were left out: how many for each reason, and which were the first."""

    reasons: dict[str, Named] = field(default_factory=dict)

    def note(self, reason: str, place: Place) -> None:
        """Record that the row at ``place`` is left out."""
        self.reasons.setdefault(reason, Named()).note(place)

    def facts(self) -> dict[str, dict[str, Any]]:
        """Return plain values: ``{reason: {"rows": count, "first": [place, ...]}}``."""
        return {why: {"rows": n.rows, "first": n.first} for why, n in self.reasons.items()}

    @property
    def said(self) -> str:
        """The reasons and their rows, for a message."""
        return told(self.facts())


def plain(value: object) -> object:
    """Convert a whole number to text; return anything else as it is."""
    return str(value) if type(value) is int else value


def fault(value: object) -> str | None:
    """Return the reason why a value is no text; None if it is one."""
    if isinstance(value, str):
        if not value.strip():
            return "nothing"
        whole = value.isascii() or value.encode("utf-8", "replace").decode() == value
        return None if whole else "half a character (a lone surrogate)"
    if value is None:
        return "null"
    if isinstance(value, float) and value != value:
        return "NaN"
    return f"no text but {an(type(value).__name__)}"


def lines(facts: Mapping[str, object]) -> list[str]:
    """Format facts of data as lines."""
    return [f"  {name.replace('_', ' ')}: {told(value)}" for name, value in facts.items()]


def told(value: object) -> str:
    """Format a fact in words: ``12 rows, first [3, 8]``, ``train 300, test 20``."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    if not isinstance(value, Mapping):
        return str(value)
    parts = dict(value)
    if "rows" in parts and "first" in parts:
        rows = parts.pop("rows")
        count = f"{rows} row{'' if rows == 1 else 's'}"
        count = f"{parts.pop('tokens')} tokens in {count}" if "tokens" in parts else count
        return ", ".join([count, *(f"{name} {told(part)}" for name, part in parts.items())])
    if any(isinstance(part, Mapping) for part in parts.values()):
        return "; ".join(f"{name}: {told(part)}" for name, part in parts.items())
    return ", ".join(f"{name} {told(part)}" for name, part in parts.items()) or "none"

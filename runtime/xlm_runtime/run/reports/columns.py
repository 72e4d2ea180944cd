"""Rows as aligned lines of text."""

from collections.abc import Sequence


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows under their heads, each column as wide as its widest cell."""
    wide = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = (f"{cell:<{size}}" for cell, size in zip(row, wide, strict=True))
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines

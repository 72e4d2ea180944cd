"""The page of settings: each key of ``--set`` with its meaning, values and default."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Protocol


class Key(Protocol):
    """A key that all families share; ``recipe`` is its name in a recipe, or empty."""

    @property
    def path(self) -> str: ...  # noqa: D102  # see the class

    @property
    def meaning(self) -> str: ...  # noqa: D102

    @property
    def values(self) -> str: ...  # noqa: D102

    @property
    def default(self) -> object: ...  # noqa: D102

    @property
    def recipe(self) -> str: ...  # noqa: D102


def page(keys: Iterable[Key]) -> str:
    """Write the tables of all sections."""
    lines: list[str] = []
    for section, group in groupby(keys, lambda key: key.path.partition(".")[0]):
        lines += [f"## {section}", "", *_table(group), ""]
    return "\n".join(lines)


def _table(keys: Iterable[Key]) -> Iterator[str]:
    yield from _row("key", "meaning", "values", "default", "in a recipe")
    yield from _row(*["---"] * 5)
    for key in keys:
        word = f"`{key.recipe}`" if key.recipe else ""
        meaning = key.meaning.replace("``", "`").removesuffix(".")
        yield from _row(f"`{key.path}`", meaning, key.values, _value(key.default), word)


def _row(*cells: str) -> Iterator[str]:
    yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _value(value: object) -> str:
    """Write a default as `--set` takes it."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if value != "" else "empty"

"""The settings of a run, for the documentation: each key with meaning, values and default.

The meanings are those of the docstrings of the configuration's classes, where a paragraph
``name: meaning`` describes a field.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from attrs import fields, frozen

from xlm_runtime.config.config import SECTIONS
from xlm_runtime.config.settings import RECIPE
from xlm_runtime.system.strict import Range

_FIELD = re.compile(r"^((?:\w+)(?:, \w+)*): ", re.MULTILINE)
_NAMES = {int: "integer", float: "number", bool: "`true` or `false`", str: "text"}


@frozen
class Described:
    """A key of ``--set``; ``recipe`` is its name in a recipe, or empty."""

    path: str
    meaning: str
    values: str
    default: object
    recipe: str


def described() -> Iterator[Described]:
    """Return every key that all families share, in the order of the configuration."""
    words = {path: word for word, path in RECIPE.items()}
    for section, cls in SECTIONS.items():
        known = meanings(cls)
        for field in fields(cls):
            path = f"{section}.{field.name}"
            word = words.get(path, "")
            yield Described(path, known[field.name], _values(field.type), field.default, word)


def meanings(cls: type) -> dict[str, str]:
    """Return the paragraphs of a docstring that describe fields, by field.

    Raises KeyError, when a field is looked up, where the docstring does not describe it.
    """
    doc = inspect.getdoc(cls) or ""
    _, *parts = _FIELD.split(doc)
    known = {}
    for names, text in zip(parts[::2], parts[1::2], strict=True):
        for name in names.split(", "):
            known[name] = " ".join(text.partition("\n\n")[0].split())
    return known


def _values(kind: Any) -> str:
    """Return the values that a type has, in words."""
    if get_origin(kind) is Literal:
        return ", ".join(f"`{one}`" for one in get_args(kind))
    if get_origin(kind) is Annotated:
        base, bounds = get_args(kind)
        return _ranged(_NAMES[base], bounds)
    return _NAMES[kind]


def _ranged(noun: str, bounds: Range) -> str:
    """Return a range of numbers in words."""
    low, high = (_end(end) for end in (bounds.low, bounds.high))
    return f"{noun}, {'0 or ' * bounds.zero}{low} to {high}"


def _end(value: float) -> str:
    """Return an end of a range in words."""
    if isinstance(value, int) and value >= 2**64 - 1:
        return "2^64 - 1"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"

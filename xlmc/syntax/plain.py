"""The tree of a spec and its IR as JSON."""

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

import attrs

WIDTH = 80  # of a line of JSON, the key before it not counted


@runtime_checkable
class Printed(Protocol):
    """An object that is a text in JSON, whatever else it knows about itself."""

    def printed(self) -> str:
        """Return the text."""


def plain(value: Any) -> Any:
    """Convert a frozen attrs object to dicts, lists, texts and numbers.

    Every object has its class under ``is``. Fields that do not count when objects are compared
    (spans, comments) are left out.  Raises TypeError for a value without a JSON form.
    """
    if isinstance(value, Printed):
        return value.printed()
    if attrs.has(type(value)):
        named = {f.name: getattr(value, f.name) for f in attrs.fields(type(value)) if f.eq}
        return {"is": type(value).__name__, **plain(named)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def dump(value: Any) -> str:
    """Format JSON with a fixed layout: sorted keys, and short parts on one line."""
    return _lay_out(value, 0) + "\n"


def _lay_out(value: Any, depth: int) -> str:
    line = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    if not value or not isinstance(value, dict | list | tuple) or len(line) < WIDTH - depth:
        return line
    if isinstance(value, dict):
        named = sorted(value.items())
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {_lay_out(item, depth + 2)}"
            for key, item in named
        ]
    else:
        parts = [_lay_out(item, depth + 2) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    inner = f",\n{' ' * (depth + 2)}".join(parts)
    return f"{opening}\n{' ' * (depth + 2)}{inner}\n{' ' * depth}{closing}"

"""Arguments of calls from Python: one string or several, one number or one for each prompt."""

from collections.abc import Mapping, Sequence
from numbers import Integral

from xlm_runtime.system.errors import UsageError


def strings(name: str, value: object) -> list[str]:
    """Return a string as a list of one, several as a list.

    Raises UsageError, which begins with ``name``.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes | Mapping) or not hasattr(value, "__iter__"):
        raise UsageError(f"{name}: {value!r} is neither a string nor a list of strings")
    found = list(value)
    for one in found:
        if not isinstance(one, str):
            raise UsageError(f"{name}: {one!r} is no string")
    return found


def full(name: str, value: object, noun: str) -> list[str]:
    """Return strings, none of them empty: each is a ``noun``.  Raises UsageError."""
    found = strings(name, value)
    if "" in found:
        raise UsageError(f"{name}: {noun} must not be empty; leave {name} out for none")
    return found


def texts_for(name: str, value: object, count: int) -> list[str]:
    """Return a string for each of so many texts: one for all, or one for each.

    Raises UsageError.
    """
    if isinstance(value, str):
        return [value] * count
    found = strings(name, value)
    if len(found) != count:
        texts = f"{count} text{'' if count == 1 else 's'}"
        raise UsageError(f"{name}: {len(found)} for {texts}: give one, or one for each")
    return found


def whole(name: str, value: object, low: int, high: int | None = None) -> int:
    """Return a whole number from ``low`` to ``high``.  Raises UsageError."""
    number = low - 1 if isinstance(value, bool) or not isinstance(value, Integral) else int(value)
    if number < low or (high is not None and number > high):
        wanted = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise UsageError(f"{name}: {value!r} is no whole number {wanted}")
    return number


def each(name: str, value: int | Sequence[int], count: int, low: int, high: int) -> list[int]:
    """Return a whole number for each of so many prompts: one for all, or one for each."""
    if not isinstance(value, Sequence):
        return [whole(name, value, low, high)] * count
    if len(value) != count:
        prompts = f"{count} prompt{'' if count == 1 else 's'}"
        raise UsageError(f"{name}: {len(value)} numbers for {prompts}: give one, or one for each")
    return [whole(name, one, low, high) for one in value]

"""Strict structuring: types and ranges are checked and never bent (``'false'`` is not ``True``)."""

from collections.abc import Callable
from math import inf, isfinite
from typing import Annotated, Any, Literal, get_args, get_origin

from attrs import frozen
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError, transform_error


@frozen
class Range:
    """A closed range of numbers, open at ``low`` if ``above``."""

    low: float
    high: float = inf
    above: bool = False

    def __contains__(self, value: float) -> bool:
        return (
            isfinite(value)
            and self.low <= value <= self.high
            and not (self.above and value == self.low)
        )

    def __str__(self) -> str:
        start = f"{'above' if self.above else 'at least'} {self.low:g}"
        return start if self.high == inf else f"{start} and at most {self.high:g}"


Count = Annotated[int, Range(0)]
Size = Annotated[int, Range(1)]
Chance = Annotated[float, Range(0, 1)]
Scale = Annotated[float, Range(0)]
Positive = Annotated[float, Range(0, above=True)]

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def _plain(value: Any, kind: Any) -> object:
    """A value of exactly this kind; a whole number may stand for a number."""
    if type(value) is kind or (kind is float and type(value) is int):
        return kind(value)
    raise ValueError(f"expected {_WORDS[kind]}, got {value!r}")


def _ranged(value: object, kind: Any) -> object:
    base, range_ = get_args(kind)
    number: Any = _plain(value, base)
    if number not in range_:
        raise ValueError(f"must be {range_}, got {value!r}")
    return number


def _literal(value: object, kind: Any) -> object:
    options = get_args(kind)
    if value not in options:
        raise ValueError(f"must be one of {', '.join(map(str, options))}, got {value!r}")
    return value


def _is(form: Any) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is form


def _converter() -> Converter:
    made = Converter(forbid_extra_keys=True)
    for kind in _WORDS:
        made.register_structure_hook(kind, _plain)
    made.register_structure_hook_func(_is(Annotated), _ranged)
    made.register_structure_hook_func(_is(Literal), _literal)
    return made


converter = _converter()


def within(value: object, kind: Any) -> Any:
    """``value`` as a ``kind``.  Raises ValueError where it is none."""
    return converter.structure(value, kind)


def mistakes(value: object, kind: Any) -> list[str]:
    """What keeps a value from being a ``kind``, one line each, with the path inside the value."""
    try:
        converter.structure(value, kind)
    except (BaseValidationError, ValueError, TypeError) as error:
        if not isinstance(error, BaseValidationError):
            return [str(error)]
        return transform_error(error, path="", format_exception=_say)
    return []


def _say(error: BaseException, _: type | None) -> str:
    if isinstance(error, ForbiddenExtraKeysError):
        return f"unknown: {', '.join(sorted(error.extra_fields))}"
    if isinstance(error, KeyError):
        return f"missing: {error.args[0]}"
    return str(error)

"""Strict structuring: types and ranges are checked and never bent (``'false'`` is not ``True``)."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args, get_origin

from attrs import frozen
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError, transform_error


@frozen
class Range:
    """A closed range of numbers, and also 0 if ``zero``; ``why`` explains its ends.

    Comparing is exact, and refuses NaN and infinities: every end is finite.
    """

    low: float
    high: float
    zero: bool = False
    why: str = ""

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high or (self.zero and value == 0)

    def __str__(self) -> str:
        ends = f"at least {_number(self.low)} and at most {_number(self.high)}"
        return f"{'0, or ' if self.zero else ''}{ends}"

    def refusal(self, value: object) -> str:
        """Return the sentence for a value that is out of range."""
        why = f" ({self.why})" if self.why else ""
        return f"must be {self}{why}, got {short(value)}"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def short(value: object, most: int = 40) -> str:
    """Format a value as Python writes it, and cut it if it is long."""
    if isinstance(value, int) and abs(value) >= 10**most:
        return f"a number of more than {most} digits"
    text = repr(value[: most + 1] if isinstance(value, str) else value)
    return text if len(text) <= most + 2 else f"{text[:most]}..."


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def _plain(value: Any, kind: Any) -> object:
    """Check that a value has exactly this kind; a whole number is accepted as a number."""
    if type(value) is kind or (kind is float and type(value) is int):
        return value
    raise ValueError(f"expected {_WORDS[kind]}, got {short(value)}")


def _ranged(value: object, kind: Any) -> object:
    base, range_ = get_args(kind)
    number: Any = _plain(value, base)
    if number not in range_:
        raise ValueError(range_.refusal(value))
    return base(number)


def _literal(value: object, kind: Any) -> object:
    options = get_args(kind)
    if value not in options:
        raise ValueError(f"must be one of {', '.join(map(str, options))}, got {short(value)}")
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
    """Convert ``value`` to ``kind``.  Raises ValueError."""
    return converter.structure(value, kind)


def mistakes(value: object, kind: Any) -> list[str]:
    """List the faults of a value as a ``kind``, one line each, with the path inside the value."""
    if get_origin(kind) is dict and not isinstance(value, dict):
        return [f"expected an object, got {short(value)}"]
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

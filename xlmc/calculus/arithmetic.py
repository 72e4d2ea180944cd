"""The numbers over which expressions are evaluated: floats, any precision, dual numbers."""

import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

from attrs import frozen

from xlmc.calculus.functions import TABLE, Function

Value = Any  # a float, an mpf, or a Dual of either: whatever has + - * and /


@frozen
class Arithmetic:
    """The computation of literals, ``pi``, functions, powers and quotients, and of finiteness."""

    number: Callable[[Fraction], Value]
    pi: Value
    functions: Mapping[str, Callable[[Value], Value]]
    power: Callable[[Value, Value], Value]
    divide: Callable[[Value, Value], Value]
    finite: Callable[[Value], bool]


@frozen
class Dual:
    """A value and its derivative: the forward mode of automatic differentiation."""

    value: Value
    slope: Value

    def __neg__(self) -> "Dual":
        return Dual(-self.value, -self.slope)

    def __add__(self, other: "Dual") -> "Dual":
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: "Dual") -> "Dual":
        return Dual(self.value - other.value, self.slope - other.slope)

    def __mul__(self, other: "Dual") -> "Dual":
        slope = self.slope * other.value + self.value * other.slope
        return Dual(self.value * other.value, slope)

    def __truediv__(self, other: "Dual") -> "Dual":
        value = self.value / other.value
        return Dual(value, (self.slope - value * other.slope) / other.value)

    def __lt__(self, other: "Dual") -> bool:
        return bool(self.value < other.value)


def _finite(x: Value) -> bool:
    return not isinstance(x, complex) and math.isfinite(x)


# Python's floats: what is infinite or undefined raises.
FLOAT = Arithmetic(
    number=float,
    pi=math.pi,
    functions={one.name: one.value for one in TABLE},
    power=operator.pow,
    divide=operator.truediv,
    finite=_finite,
)


def _quietly(function: Callable[..., Value], pole: float | None = None) -> Callable[..., Value]:
    """Wrap a function so that it returns infinity and nan instead of raising exceptions."""

    def apply(*args: float) -> float:
        try:
            result = function(*args)
        except (OverflowError, ZeroDivisionError):
            return _limit(*args)
        except ValueError:
            return -math.inf if args[0] == pole else math.nan
        return math.nan if isinstance(result, complex) else float(result)

    return apply


def _limit(first: float, *_: float) -> float:
    """Return infinity with the sign of the first number, or nan for 0 / 0."""
    return math.nan if first == 0.0 and _ == (0.0,) else math.copysign(math.inf, first)


# Floats as tensors have them: log(0) is -inf, 1 / inf is 0; only the end result need be finite.
TENSOR = Arithmetic(
    number=float,
    pi=math.pi,
    functions={one.name: _quietly(one.value, one.pole) for one in TABLE},
    power=_quietly(operator.pow),
    divide=_quietly(operator.truediv),
    finite=lambda _: True,
)


@cache
def precise() -> Arithmetic:
    """Return the arithmetic of mpmath, at the precision set during its use."""
    import mpmath

    mp = mpmath.mp
    return Arithmetic(
        number=lambda x: mp.mpf(x.numerator) / x.denominator,
        pi=mp.pi,
        functions={one.name: getattr(mp, one.name) for one in TABLE},
        power=mp.power,
        divide=operator.truediv,
        finite=lambda x: isinstance(x, mp.mpf | mp.constant) and bool(mp.isfinite(x)),
    )


def dual(base: Arithmetic) -> Arithmetic:
    """Return the arithmetic of values and derivatives over some numbers."""
    zero = base.number(Fraction(0))
    f = base.functions

    def lift(one: Function, slope: Callable[..., Value]) -> Callable[[Dual], Dual]:
        def apply(x: Dual) -> Dual:
            y = f[one.name](x.value)
            return Dual(y, slope(f, x.value, y) * x.slope if x.slope else zero)

        return apply

    def power(x: Dual, n: Dual) -> Dual:
        y = base.power(x.value, n.value)
        slope = zero
        if x.slope and n.value:
            slope += n.value * base.power(x.value, n.value - 1) * x.slope
        if n.slope and y:
            slope += y * f["log"](x.value) * n.slope
        return Dual(y, slope)

    return Arithmetic(
        number=lambda x: Dual(base.number(x), zero),
        pi=Dual(base.pi * 1, zero),  # mpmath's pi is computed when it is used
        functions={one.name: lift(one, one.slope) for one in TABLE if one.slope},
        power=power,
        divide=operator.truediv,
        finite=lambda x: base.finite(x.value) and base.finite(x.slope),
    )


DUAL = dual(FLOAT)

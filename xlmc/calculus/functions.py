r"""The functions of formulas: all that is known about each of them, in one table.

To add a function add one entry to `TABLE`. Its name is also that in Python's `math`, in mpmath,
SymPy and torch. Forms of algebra are written with `a`, which has SymPy's functions of these names,
`expm1` and `log1p` among them; SymPy is imported where they are used, not here.
"""

import math
from collections.abc import Callable
from typing import Any

from attrs import frozen

SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 6)  # how tightly operators bind
SEVERAL = ("max", "min")  # functions of any number of values


@frozen(kw_only=True)
class Function:
    """A function of one value.

    meaning: for readers of a spec, with its domain.
    value: over Python's floats; outside of the domain it raises.
    written: an author may write it; else it occurs in derived formulas only.
    pole: where it is minus infinity, and a tensor has that for its value.
    slope: (functions, x, y) -> its derivative at x, where it is y, over numbers of any kind.
    latex: its form in formulas, ``{}`` being the argument, in parentheses unless that binds at
        least as tightly as ``level``. negative: the same for ``f(-x)``, of x.
    power: for SymPy it is a power. odd: f(-x) is -f(x).
    defined: (a, x) -> its definition, if SymPy has no such function.
    undone: (a, y) -> the branches of its inverse; one of them is taken if it fits.

    Stable forms, with which differences keep their digits; None where there are none:
    fall: (a, x, y, down) -> f(y) - f(x), in terms of ``down``, which is y - x, or None.
    fall_square: (a, x, y) -> f(y)**2 - f(x)**2.
    rate: (a, x) -> f'(x) / f(x).
    grounded: (a, x) -> f(pi / 2 - x), where that vanishes or is infinite with x.
    """

    name: str
    meaning: str
    value: Callable[[float], float]
    written: bool = True
    pole: float | None = None
    slope: Callable[[Any, Any, Any], Any] | None = None
    latex: str = ""
    level: int = 0
    negative: str = ""
    power: bool = False
    odd: bool = False
    defined: Callable[[Any, Any], Any] | None = None
    undone: Callable[[Any, Any], tuple[Any, ...]] | None = None
    fall: Callable[[Any, Any, Any, Any], Any] | None = None
    fall_square: Callable[[Any, Any, Any], Any] | None = None
    rate: Callable[[Any, Any], Any] | None = None
    grounded: Callable[[Any, Any], Any] | None = None

    @property
    def form(self) -> str:
        """Its LaTeX, with braces for the argument."""
        return self.latex or rf"\{self.name}\left({{}}\right)"


def _fall_of_cosine(a: Any, x: Any, y: Any, down: Any) -> Any:
    if y == a.pi / 2:
        return -a.sin(down)
    return -2 * a.sin((x + y) / 2) * a.sin(down / 2)


def _fall_of_sine(a: Any, x: Any, y: Any, down: Any) -> Any:
    if y == a.pi / 2:
        return 2 * a.sin(down / 2) ** 2
    return 2 * a.cos((x + y) / 2) * a.sin(down / 2)


def _fall_of_squared_cosine(a: Any, x: Any, y: Any) -> Any:
    return -(a.sin(y - x) ** 2) if y == a.pi / 2 else a.sin(x + y) * a.sin(x - y)


def _fall_of_log(a: Any, _: Any, y: Any, down: Any) -> Any:
    return -a.log1p(-down / y) if y.is_finite and not y.is_zero else None


TABLE = (
    Function(
        name="sin",
        meaning="the sine of an angle in radians",
        value=math.sin,
        slope=lambda f, x, _: f["cos"](x),
        odd=True,
        undone=lambda a, y: (a.asin(y), a.pi - a.asin(y), -a.pi - a.asin(y)),
        fall=_fall_of_sine,
        fall_square=lambda a, x, y: -_fall_of_squared_cosine(a, x, y),
        rate=lambda a, x: 1 / a.tan(x),
    ),
    Function(
        name="cos",
        meaning="the cosine of an angle in radians",
        value=math.cos,
        slope=lambda f, x, _: -f["sin"](x),
        undone=lambda a, y: (a.acos(y), -a.acos(y), 2 * a.pi - a.acos(y)),
        fall=_fall_of_cosine,
        fall_square=_fall_of_squared_cosine,
        rate=lambda a, x: -a.tan(x),
        grounded=lambda a, x: a.sin(x),
    ),
    Function(
        name="tan",
        meaning="the tangent of an angle in radians",
        value=math.tan,
        slope=lambda _, __, y: 1 + y * y,
        odd=True,
        undone=lambda a, y: (a.atan(y), a.pi + a.atan(y)),
        fall=lambda a, x, y, down: a.sin(down) / (a.cos(y) * a.cos(x)),
        rate=lambda a, x: 2 / a.sin(2 * x),
        grounded=lambda a, x: 1 / a.tan(x),
    ),
    Function(
        name="exp",
        meaning="e to a power",
        value=math.exp,
        slope=lambda _, __, y: y,
        latex="e^{{{}}}",
        undone=lambda a, y: (a.log(y),),
    ),
    Function(
        name="log",
        meaning="the natural logarithm of a number above 0",
        value=math.log,
        pole=0.0,
        slope=lambda _, x, __: 1 / x,
        undone=lambda a, y: (a.exp(y),),
        fall=_fall_of_log,
        rate=lambda a, x: 1 / (x * a.log(x)),
    ),
    Function(
        name="sqrt",
        meaning="the square root of a number from 0 on",
        value=math.sqrt,
        slope=lambda _, __, y: 1 / (2 * y),
        latex=r"\sqrt{{{}}}",
        power=True,
    ),
    Function(
        name="acos",
        meaning="the angle in [0, pi] with a cosine",
        value=math.acos,
        written=False,
        latex=r"\arccos\left({}\right)",
    ),
    Function(
        name="asin",
        meaning="the angle in [-pi/2, pi/2] with a sine",
        value=math.asin,
        written=False,
        latex=r"\arcsin\left({}\right)",
        odd=True,
    ),
    Function(
        name="atan",
        meaning="the angle in (-pi/2, pi/2) with a tangent",
        value=math.atan,
        written=False,
        latex=r"\arctan\left({}\right)",
        odd=True,
    ),
    Function(
        name="expm1",
        meaning="exp(x) - 1 without cancellation",
        value=math.expm1,
        written=False,
        latex=r"\left(e^{{{}}} - 1\right)",
        defined=lambda a, x: a.exp(x) - 1,
        undone=lambda a, y: (a.log1p(y),),
        rate=lambda a, x: -1 / a.expm1(-x),
    ),
    Function(
        name="log1p",
        meaning="log(1 + x) without cancellation",
        value=math.log1p,
        written=False,
        pole=-1.0,
        latex=r"\log\left(1 + {}\right)",
        level=SIGN,
        negative=r"\log\left(1 - {}\right)",
        defined=lambda a, x: a.log(1 + x),
        undone=lambda a, y: (a.expm1(y),),
        rate=lambda a, x: 1 / ((1 + x) * a.log1p(x)),
    ),
)

BY_NAME = {function.name: function for function in TABLE}
WRITTEN = tuple(sorted((*SEVERAL, *(one.name for one in TABLE if one.written))))

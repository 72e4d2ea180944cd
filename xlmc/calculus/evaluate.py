"""Values of expressions without SymPy.

Whatever has no finite real value raises `Undefined`, never anything else; the cost is bounded by
the size of the tree, since constants are floats and never big integers. An expression becomes a
function once, which is evaluated at each point.
"""

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from types import MappingProxyType

from attrs import frozen

from xlmc.calculus.arithmetic import FLOAT, Arithmetic, Dual, Value, dual
from xlmc.calculus.functions import SEVERAL
from xlmc.syntax import ast
from xlmc.syntax.expression import TooHard, Undefined, check_size

__all__ = ["DERIVED", "FLOAT", "Curve", "Scope", "curve", "evaluate", "value_of"]

DERIVED = ("corrupted", "hazard", "sigma", "dsigma", "reveal")  # of a schedule: ``hazard(alpha)``
Schedules = Mapping[str, ast.Arrow]
NONE: Schedules = MappingProxyType({})
Curve = Callable[[Mapping[str, Value]], Value]  # from the values of names to that of an expression


@frozen
class Scope:
    """The meanings of an expression's names: values, and schedules that it may call."""

    names: Mapping[str, Value]
    schedules: Schedules = NONE


def evaluate(expr: ast.Expr, scope: Scope, numbers: Arithmetic = FLOAT) -> Value:
    """Evaluate an expression.

    Raises `Undefined` (not a finite real number, or a name that the scope lacks) or `TooHard`.
    """
    check_size(expr)
    return value_of(expr, scope, numbers)


def value_of(expr: ast.Expr, scope: Scope, numbers: Arithmetic) -> Value:
    """Evaluate an expression whose size has been checked; see `evaluate`."""
    return curve(expr, scope.schedules, numbers)(scope.names)


def curve(expr: ast.Expr, schedules: Schedules = NONE, numbers: Arithmetic = FLOAT) -> Curve:
    """Return an expression, whose size has been checked, as a function of the values of its names.

    It raises what `evaluate` does. Over the numbers of mpmath it holds for the precision of now.
    """
    compute, finite = _computing(expr, schedules, numbers), numbers.finite

    def value(names: Mapping[str, Value]) -> Value:
        try:
            result = compute(names)
        except ZeroDivisionError:
            raise Undefined(expr, "divides by 0") from None
        except OverflowError:
            raise Undefined(expr, "is too large") from None
        except (ValueError, TypeError):  # an argument outside of the domain
            raise Undefined(expr, "has no real value") from None
        if not finite(result):
            reason = "has no real value" if isinstance(result, complex) else "is not finite"
            raise Undefined(expr, reason)
        return result

    return value


def _computing(expr: ast.Expr, schedules: Schedules, numbers: Arithmetic) -> Curve:
    match expr:
        case ast.Number(value=value):
            return _number(value, numbers)
        case ast.Name():
            return _name(expr, numbers)
        case ast.Negative(operand=operand):
            inner = curve(operand, schedules, numbers)
            return lambda names: -inner(names)
        case ast.Binary(op=op, left=left, right=right):
            a, b = (curve(side, schedules, numbers) for side in (left, right))
            return _binary(op, a, b, numbers)
        case ast.Call(function=function) if function in schedules:
            return _schedule(expr, schedules, numbers)
        case ast.Call(function="visible", primes=0):
            return _visible(expr, schedules, numbers)
        case ast.Call(function=function) if function in DERIVED:
            return _derived(expr, schedules, numbers)
        case ast.Call():
            return _function(expr, schedules, numbers)
        case _:
            return _failing(Undefined(expr, "is not a number known here"))


def _number(value: Fraction, numbers: Arithmetic) -> Curve:
    try:
        constant = numbers.number(value)
    except OverflowError as error:
        return _failing(error)
    return lambda _: constant


def _failing(error: Exception) -> Curve:
    """Return a function that fails when it is evaluated: its expression may never be reached."""

    def fail(_: Mapping[str, Value]) -> Value:
        raise error.with_traceback(None)  # else each time the traceback grows

    return fail


def _name(name: ast.Name, numbers: Arithmetic) -> Curve:
    own = name.id

    def read(names: Mapping[str, Value]) -> Value:
        if own in names:
            return names[own]
        if own == "pi":
            return numbers.pi
        raise Undefined(name, "is not a number known here")

    return read


def _binary(op: str, left: Curve, right: Curve, numbers: Arithmetic) -> Curve:
    known = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": numbers.divide}
    apply = known.get(op, numbers.power)
    return lambda names: apply(left(names), right(names))


def _visible(call: ast.Call, schedules: Schedules, numbers: Arithmetic) -> Curve:
    """Return the mass of the visible tokens around, which differs from token to token."""
    unknown = _function(call, schedules, numbers)
    return lambda names: names["visible"] if "visible" in names else unknown(names)


def _function(call: ast.Call, schedules: Schedules, numbers: Arithmetic) -> Curve:
    arguments = [curve(argument, schedules, numbers) for argument in call.arguments]
    if call.function in SEVERAL and arguments and not call.primes:
        return _extreme(call.function, arguments)
    apply = None if call.primes else numbers.functions.get(call.function)
    if apply is not None and len(arguments) == 1:
        (argument,) = arguments
        return lambda names: apply(argument(names))

    def fail(names: Mapping[str, Value]) -> Value:
        for argument in arguments:  # of which one may be to blame
            argument(names)
        if apply is None:
            raise Undefined(call, "is not a function known here")
        raise TooHard(call, "takes one value")

    return fail


def _extreme(function: str, arguments: list[Curve]) -> Curve:
    least = function == "min"

    def best(names: Mapping[str, Value]) -> Value:
        found, *others = [argument(names) for argument in arguments]
        for other in others:
            if other < found if least else found < other:
                found = other
        return found

    return best


def _schedule(call: ast.Call, schedules: Schedules, numbers: Arithmetic) -> Curve:
    """Return ``alpha(x)`` or ``alpha'(x)``.

    A schedule that reads itself meets an unknown name; one that is read has its size checked.
    """
    arrow = schedules[call.function]
    others = {name: one for name, one in schedules.items() if name != call.function}

    @cache
    def inner() -> Curve:
        check_size(arrow.value)
        return curve(arrow.value, others, dual(numbers) if call.primes else numbers)

    if len(call.arguments) != 1:
        return _failing(TooHard(call, "takes one value"))
    argument, one = curve(call.arguments[0], schedules, numbers), numbers.number(Fraction(1))

    def value(names: Mapping[str, Value]) -> Value:
        return inner()({arrow.argument: argument(names)})

    def slope(names: Mapping[str, Value]) -> Value:
        x = argument(names)
        if call.primes > 1 or isinstance(x, Dual):
            raise TooHard(call, "is a second derivative")
        return inner()({arrow.argument: Dual(x, one)}).slope

    return slope if call.primes else value


def _derived(call: ast.Call, schedules: Schedules, numbers: Arithmetic) -> Curve:
    """Return ``hazard(alpha)`` and similar calls, at the names' ``t`` (and ``s``)."""
    schedule = call.arguments[0] if len(call.arguments) == 1 else None
    if not isinstance(schedule, ast.Name) or schedule.id not in schedules:
        return _failing(Undefined(call, "does not name a schedule"))

    def alpha(at: str, primes: int = 0) -> Curve:
        argument = (ast.Name(id=at, span=call.span),)
        node = ast.Call(function=schedule.id, arguments=argument, primes=primes, span=call.span)
        return curve(node, schedules, numbers)

    one, now, slope, sooner = numbers.number(Fraction(1)), alpha("t"), alpha("t", 1), alpha("s")
    match call.function:
        case "corrupted":
            return lambda names: one - now(names)
        case "hazard":
            return lambda names: -slope(names) / (one - now(names))
        case "sigma":
            return lambda names: -numbers.functions["log"](now(names))
        case "dsigma":
            return lambda names: -slope(names) / now(names)
        case _:
            return lambda names: (sooner(names) - now(names)) / (one - now(names))

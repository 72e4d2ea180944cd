"""Values of expressions without SymPy.

Whatever has no finite real value raises `Undefined`, never anything else; the cost is bounded by
the size of the tree, since constants are floats and never big integers.
"""

from collections.abc import Mapping
from fractions import Fraction

from attrs import frozen

from xlmc.calculus.arithmetic import FLOAT, Arithmetic, Dual, Value, dual
from xlmc.calculus.functions import SEVERAL
from xlmc.syntax import ast
from xlmc.syntax.expression import TooHard, Undefined, check_size

__all__ = ["DERIVED", "FLOAT", "Scope", "evaluate", "value_of"]

DERIVED = ("corrupted", "hazard", "sigma", "dsigma", "reveal")  # of a schedule: ``hazard(alpha)``


@frozen
class Scope:
    """The meanings of an expression's names: values, and schedules that it may call."""

    names: Mapping[str, Value]
    schedules: Mapping[str, ast.Arrow] = {}

    def without(self, schedule: str) -> Mapping[str, ast.Arrow]:
        """Return the other schedules; one that calls itself thus meets an unknown name."""
        return {name: arrow for name, arrow in self.schedules.items() if name != schedule}


def evaluate(expr: ast.Expr, scope: Scope, numbers: Arithmetic = FLOAT) -> Value:
    """Evaluate an expression.

    Raises `Undefined` (not a finite real number, or a name that the scope lacks) or `TooHard`.
    """
    check_size(expr)
    return value_of(expr, scope, numbers)


def value_of(expr: ast.Expr, scope: Scope, numbers: Arithmetic) -> Value:
    """Evaluate an expression whose size has been checked; see `evaluate`."""
    try:
        result = _compute(expr, scope, numbers)
    except ZeroDivisionError:
        raise Undefined(expr, "divides by 0") from None
    except OverflowError:
        raise Undefined(expr, "is too large") from None
    except (ValueError, TypeError):  # an argument outside of the domain
        raise Undefined(expr, "has no real value") from None
    if not numbers.finite(result):
        reason = "has no real value" if isinstance(result, complex) else "is not finite"
        raise Undefined(expr, reason)
    return result


def _compute(expr: ast.Expr, scope: Scope, numbers: Arithmetic) -> Value:
    match expr:
        case ast.Number(value=value):
            return numbers.number(value)
        case ast.Name(id=name) if name in scope.names:
            return scope.names[name]
        case ast.Name(id="pi"):
            return numbers.pi
        case ast.Negative(operand=operand):
            return -value_of(operand, scope, numbers)
        case ast.Binary(op=op, left=left, right=right):
            a, b = (value_of(side, scope, numbers) for side in (left, right))
            return _operate(op, a, b, numbers)
        case ast.Call(function=function) if function in scope.schedules:
            return _schedule(expr, scope, numbers)
        case ast.Call(function="visible", primes=0) if "visible" in scope.names:
            return scope.names["visible"]  # it differs from token to token
        case ast.Call(function=function) if function in DERIVED:
            return _derived(expr, scope, numbers)
        case ast.Call():
            return _function(expr, scope, numbers)
        case _:
            raise Undefined(expr, "is not a number known here")


def _operate(op: str, a: Value, b: Value, numbers: Arithmetic) -> Value:
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return numbers.divide(a, b)
        case _:
            return numbers.power(a, b)


def _function(call: ast.Call, scope: Scope, numbers: Arithmetic) -> Value:
    values = [value_of(argument, scope, numbers) for argument in call.arguments]
    if call.function in SEVERAL and values and not call.primes:
        best = values[0]
        for value in values[1:]:
            if value < best if call.function == "min" else best < value:
                best = value
        return best
    if call.function not in numbers.functions or call.primes:
        raise Undefined(call, "is not a function known here")
    if len(values) != 1:
        raise TooHard(call, "takes one value")
    return numbers.functions[call.function](values[0])


def _schedule(call: ast.Call, scope: Scope, numbers: Arithmetic) -> Value:
    """Evaluate ``alpha(x)`` or ``alpha'(x)``."""
    arrow = scope.schedules[call.function]
    if len(call.arguments) != 1:
        raise TooHard(call, "takes one value")
    x = value_of(call.arguments[0], scope, numbers)
    inner = scope.without(call.function)
    if not call.primes:
        return evaluate(arrow.value, Scope({arrow.argument: x}, inner), numbers)
    if call.primes > 1 or isinstance(x, Dual):
        raise TooHard(call, "is a second derivative")
    point = Dual(x, numbers.number(Fraction(1)))
    return evaluate(arrow.value, Scope({arrow.argument: point}, inner), dual(numbers)).slope


def _derived(call: ast.Call, scope: Scope, numbers: Arithmetic) -> Value:
    """Evaluate ``hazard(alpha)`` and similar calls, at the scope's ``t`` (and ``s``)."""
    schedule = call.arguments[0] if len(call.arguments) == 1 else None
    if not isinstance(schedule, ast.Name) or schedule.id not in scope.schedules:
        raise Undefined(call, "does not name a schedule")

    def alpha(at: str, primes: int = 0) -> Value:
        argument = (ast.Name(id=at, span=call.span),)
        node = ast.Call(function=schedule.id, arguments=argument, primes=primes, span=call.span)
        return value_of(node, scope, numbers)

    one = numbers.number(Fraction(1))
    match call.function:
        case "corrupted":
            return one - alpha("t")
        case "hazard":
            return -alpha("t", 1) / (one - alpha("t"))
        case "sigma":
            return -numbers.functions["log"](alpha("t"))
        case "dsigma":
            return -alpha("t", 1) / alpha("t")
        case _:
            return (alpha("s") - alpha("t")) / (one - alpha("t"))

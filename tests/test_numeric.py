"""Values of expressions, and their derivatives."""

import math

import pytest
from formulas import parse, schedule

from xlmc.calculus.arithmetic import DUAL, Dual, dual, precise
from xlmc.calculus.evaluate import Scope, evaluate
from xlmc.calculus.print_math import plain_expr
from xlmc.syntax.expression import TooHard, Undefined, children, inline, walk

ALPHA = {"alpha": schedule("1 - u**2", argument="u"), "beta": schedule("cos(pi*t/2)", name="beta")}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2*3**2/4 - 5", 0.5),
        ("2**3**2", 512.0),
        ("-2**2", -4.0),
        ("min(3, x, 2) + max(x, 7)", 8.0),
        ("sin(pi/2) + cos(0) + tan(0) + exp(0) + log(1) + sqrt(4)", 5.0),
        ("alpha(x)", 0.0),
        ("alpha_prime(x)", -2.0),
        ("alpha(alpha(0.5))", 1 - 0.75**2),
        ("hazard(alpha)", 4.0),
        ("corrupted(alpha)", 0.25),
        ("sigma(alpha)", -math.log(0.75)),
        ("dsigma(alpha)", 1 / 0.75),
        ("reveal(alpha)", (0.9375 - 0.75) / 0.25),
    ],
)
def test_values(text, value) -> None:
    scope = Scope({"x": 1.0, "t": 0.5, "s": 0.25}, ALPHA)
    assert evaluate(parse(text), scope) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "derivative"),
    [
        ("x**3", 12.0),
        ("2**x", 4 * math.log(2)),
        ("x**x", 4 * (math.log(2) + 1)),
        ("1/x", -0.25),
        ("sin(x)*cos(x)", math.cos(4)),
        ("tan(x)", 1 / math.cos(2) ** 2),
        ("exp(-x)", -math.exp(-2)),
        ("log(x) - sqrt(x)", 0.5 - 0.5 / math.sqrt(2)),
        ("min(x, 5) + max(x, 5)", 1.0),
        ("sqrt(9)*y", 0.0),
    ],
)
def test_derivatives(text, derivative) -> None:
    assert slope(text, 2.0) == pytest.approx(derivative)


def test_the_derivative_of_a_power_of_zero() -> None:
    assert slope("x**1 + x**2", 0.0) == 1.0
    with pytest.raises(Undefined):
        slope("x**0.5", 0.0)


def slope(text: str, x: float) -> float:
    """The derivative of an expression in x; y is 1."""
    names = {"x": Dual(x, 1.0), "y": Dual(1.0, 0.0)}
    return float(evaluate(parse(text), Scope(names), DUAL).slope)


def test_many_digits() -> None:
    import mpmath

    with mpmath.workdps(60):
        x = Dual(mpmath.mpf(1) / 3, mpmath.mpf(1))
        got = evaluate(parse("cos(pi*x)**2"), Scope({"x": x}), dual(precise()))
        assert abs(got.value - mpmath.mpf(1) / 4) < 1e-55
        assert abs(got.slope + mpmath.pi * mpmath.sqrt(3) / 2) < 1e-55


@pytest.mark.parametrize("text", ["alpha_prime_prime(x)", "gamma(x)", "hazard(x)", "alpha(x, x)"])
def test_what_has_no_value(text) -> None:
    with pytest.raises((Undefined, TooHard)):
        evaluate(parse(text), Scope({"x": 1.0, "t": 0.5}, ALPHA))


def test_inlining() -> None:
    names = {"eta": parse("min(x, 1)"), "t": parse("1 - v")}
    got = inline(parse("2*eta + alpha(t)*alpha_prime(t)"), names)
    assert plain_expr(got) == "2 * min(x, 1) + alpha(1 - v) * alpha'(1 - v)"


def test_walking_goes_from_left_to_right() -> None:
    tree = parse("f(a, -b) * c")
    assert [n.id for n in walk(tree) if hasattr(n, "id")] == ["a", "b", "c"]
    assert len(children(tree)) == 2

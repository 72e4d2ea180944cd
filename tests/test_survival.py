"""The facts that `check` decides by."""

import pytest
from formulas import parse, schedule

from xlmc.calculus.print_math import plain_expr
from xlmc.calculus.survival import examine, kink, settle


@pytest.mark.parametrize(
    ("text", "start", "end", "order"),
    [
        ("1 - t", 1.0, 0.0, 1.0),
        ("1 - (1 - 1e-3)*t", 1.0, 1e-3, 1.0),
        ("cos(pi*t/2)", 1.0, 0.0, 2.0),
        ("1 - cos(pi/2*(1 - t))", 1.0, 0.0, 1.0),
        ("1 - t**5", 1.0, 0.0, 5.0),
        ("0.999*cos(pi*t/2)", 0.999, 0.0, 0.0),
        ("exp(-(1e-4**(1 - t) * 20**t))", 0.9999, 2e-9, 0.0),
    ],
)
def test_good_ones(text, start, end, order) -> None:
    facts = examine(schedule(text))
    assert (facts.start, facts.end) == (
        pytest.approx(start, abs=1e-6),
        pytest.approx(end, abs=1e-8),
    )
    assert facts.order == pytest.approx(order, rel=1e-3)
    assert [facts.rises, facts.undefined, facts.kink] == [None] * 3


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("1 - sqrt(t)", 0.5),
        ("1 - t**0.9", 0.9),
        ("sqrt(1 - t)", 1.0),
        ("1 - sqrt(t)**3", 1.5),
        ("1 - t**1.5", 1.5),
    ],
)
def test_how_fast_the_hazard_grows_at_the_data(text, order) -> None:
    assert examine(schedule(text)).order == pytest.approx(order, rel=1e-2)


RISING = ["t", "1 - t + 1.5*t**2", "1 - t - 0.05*sin(2*pi*256*t)", "1 - t + 0.05*sin(2*pi*256*t)"]


@pytest.mark.parametrize("text", RISING)
def test_rising_ones(text) -> None:
    assert examine(schedule(text)).rises is not None


def test_where_it_rises() -> None:
    assert examine(schedule("1 - 4*t*(1 - t)")).rises == pytest.approx(0.5, abs=0.01)


def test_undefined_ones() -> None:
    facts = examine(schedule("1 - 0.1/(t - 2) + sqrt(0.25 - t)"))
    assert facts.undefined is not None
    assert facts.undefined.t == pytest.approx(0.25, abs=0.01)
    assert plain_expr(facts.undefined.node) == "sqrt(0.25 - t)"
    assert facts.undefined.reason == "has no real value"


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("max(1 - t, 0)", "1 - t"),
        ("min(1, 1 - t)", "1 - t"),
        ("max(0.5, t) + min(2, 3)", "max(0.5, t) + 2"),
        ("max(t, t)", "t"),
    ],
)
def test_limits_that_are_never_reached_go(text, settled) -> None:
    assert plain_expr(settle(parse(text), "t")) == settled


def test_a_kink_is_found() -> None:
    trouble = kink(parse("1 - max(t, 0.7)*t"), "t")
    assert trouble is not None
    assert trouble.t == pytest.approx(0.7, abs=0.01)
    assert plain_expr(trouble.node) == "max(t, 0.7)"

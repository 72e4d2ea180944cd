"""Schedules that nobody should write: an answer or a typed refusal, soon, and never a crash."""

import pytest
from formulas import parse, schedule

from xlmc.calculus.limits import check_limits
from xlmc.calculus.print_math import plain_expr
from xlmc.calculus.schedule import MathError, TooHard, Undefined, derive
from xlmc.calculus.survival import examine
from xlmc.syntax import ast
from xlmc.syntax.expression import check_size


def chain(op: str, terms: list[str]) -> str:
    return op.join(terms)


# text, the exception, the part that is to blame, a word of the reason
REFUSED = [
    ("(1 - t)**(10**9)", TooHard, "10 ** 9", "exponent"),
    ("(1 - t)**65", TooHard, "65", "exponent"),
    ("((1 - t)**9)**9", TooHard, "9", "exponent"),
    ("1 - t*2**10**10", Undefined, "2 ** 10 ** 10", "too large"),
    ("2**2**2**2**2**2*(1 - t)", Undefined, None, "too large"),
    ("(1 - t)**1.37**2", TooHard, "(1 - t) ** 1.37 ** 2", "tower"),
    ("exp(exp(exp(10*t)))", Undefined, "exp(exp(10 * t))", "too large"),
    ("(1 - t)/(1 - t)", Undefined, "(1 - t) / (1 - t)", "divides by 0"),
    ("0/0", Undefined, "0 / 0", "divides by 0"),
    ("1 - t/0", Undefined, "t / 0", "divides by 0"),
    ("log(0)", Undefined, "log(0)", "no real value"),
    ("1 + log(t)", Undefined, "log(t)", "no real value"),
    ("sqrt(-1 - t)", Undefined, "sqrt(-1 - t)", "no real value"),
    ("(-1)**t", Undefined, "(-1) ** t", "no real value"),
    ("(t - 1)**0.5", Undefined, "(t - 1) ** 0.5", "no real value"),
    ("1e400 - t", Undefined, "1e400", "too large"),
    ("exp(1 - 1/t)", Undefined, "1 / t", "divides by 0"),
    ("1", TooHard, "1", "does not change"),
    ("t**0", TooHard, "t ** 0", "does not change"),
    ("1 - floor(t)", Undefined, "floor(t)", "not a function"),
    ("1 - sin(t, t)", TooHard, "sin(t, t)", "one value"),
    ("1 - u", Undefined, "u", "not a number"),
    ("max(1 - 2*t, 0)", TooHard, "max(1 - 2 * t, 0)", "argument changes"),
    ("min()", Undefined, "min()", "not a function"),
    (f"1 - 0.{'123456789' * 8}*t", TooHard, f"0.{'123456789' * 8}", "digits"),
    (chain("*", [f"(1 - t/{k})" for k in range(1, 40)]), TooHard, None, "parts"),
    (chain("+", [f"0.025*cos({k}*t)" for k in range(40)]), TooHard, None, "parts"),
    (chain("+", ["t"] * 5000), TooHard, None, "levels"),
    ("sin(" * 90 + "t" + ")" * 90, TooHard, None, "levels"),
]


@pytest.mark.parametrize(("text", "error", "blamed", "word"), REFUSED)
def test_refused_with_the_part_to_blame(text, error, blamed, word) -> None:
    with pytest.raises(MathError) as caught:
        _ = derive(deep_schedule(text) if len(text) > 5000 else schedule(text)).hazard
    assert type(caught.value) is error
    assert word in caught.value.reason
    if blamed is not None:
        assert plain_expr(caught.value.node) == blamed


def deep_schedule(text: str) -> ast.Arrow:
    """A long sum, which Python's parser cannot read without recursion."""
    term = parse("t")
    tree = term
    for _ in text.split("+")[1:]:
        tree = ast.Binary(op="+", left=tree, right=term, span=term.span)
    arrow = schedule("t")
    return ast.Arrow(
        origin=arrow.origin,
        target=arrow.target,
        survival="alpha",
        argument="t",
        value=tree,
        span=term.span,
    )


STRANGE = [
    "t",
    "(1 - t)**0.00001",
    "1 - t**63.999",
    "(1 - t)**(1 + t)",
    "1 - t**(2**t)",
    "cos(1000*t)",
    "exp(-t)**t",
    "cos(cos(cos(t)))/cos(cos(1))",
    "(1 - 1e-30)*(1 - t)",
    "1/(1 + exp(10*(t - 0.5)))",
    "(1 + sqrt(2)*t)**(-33)*(1 - t)",
    chain("*", [f"(1 - t/{k})" for k in range(1, 13)]),
    chain("+", [f"0.1*cos({k}*t)" for k in range(1, 11)]),
    "1 - " + "sin(" * 6 + "t" + ")" * 6,
]


@pytest.mark.parametrize("text", STRANGE)
def test_strange_ones_are_derived_or_refused(text) -> None:
    try:
        formulas = derive(schedule(text))
        hazard = formulas.hazard.torch
    except TooHard:
        return
    assert len(hazard) < 4000


@pytest.mark.parametrize("text", [text for text, *_ in REFUSED if len(text) < 5000])
def test_looking_at_them_never_fails_otherwise(text) -> None:
    try:
        examine(schedule(text))
    except TooHard:
        return


def test_limits_are_checked_without_algebra() -> None:
    check_limits(parse("(1 - t)**64"))
    check_size(parse("+".join(["t"] * 50)))
    with pytest.raises(TooHard):
        check_limits(parse("(1 - t)**(64 + 1)"))
    with pytest.raises(TooHard):
        check_size(parse("(" + "+".join(["t"] * 40) + ")*(" + "+".join(["t"] * 61) + ")"))

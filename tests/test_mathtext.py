"""Expressions as code and LaTeX."""

import math
from fractions import Fraction

import pytest
from formulas import SPAN, parse
from hypothesis import given
from hypothesis import strategies as st

from xlmc.calculus.arithmetic import TENSOR
from xlmc.calculus.code import torch_expr
from xlmc.calculus.evaluate import Scope, evaluate
from xlmc.calculus.print_math import latex_expr, plain_expr
from xlmc.syntax import ast

NAMES = {
    "t": "noised.t",
    "eta": "self.eta",
    "x": "x",
    "alpha": "schedule.alpha",
    "alpha'": "schedule.dalpha",
    "reveal(alpha)": "schedule.reveal(s, t)",
}
TENSORS = {"t", "x", "reveal(alpha)"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0.5*x", "0.5 * x"),
        ("(1 + t)*2", "(1 + noised.t) * 2"),
        ("1 - (2 - t)", "1 - (2 - noised.t)"),
        ("1 - 2 - t", "1 - 2 - noised.t"),
        ("t/(2*x)", "noised.t / (2 * x)"),
        ("t/2*x", "noised.t / 2 * x"),
        ("t*(2/x)", "noised.t * (2 / x)"),
        ("-(t + 1)", "-(noised.t + 1)"),
        ("-t*x", "-noised.t * x"),
        ("-(t*x)", "-noised.t * x"),
        ("t - (-x)", "noised.t - (-x)"),
        ("(-t)**2", "(-noised.t) ** 2"),
        ("-t**2", "-noised.t ** 2"),
        ("2**-t", "2 ** (-noised.t)"),
        ("2**3**t", "2 ** 3 ** noised.t"),
        ("(2**3)**t", "(2 ** 3) ** noised.t"),
        ("1e-3*eta", "1e-3 * self.eta"),
        ("80_000*t", "80_000 * noised.t"),
        ("pi*t", "math.pi * noised.t"),
        ("sqrt(eta) + sqrt(t)", "math.sqrt(self.eta) + torch.sqrt(noised.t)"),
        ("exp(eta*t)", "torch.exp(self.eta * noised.t)"),
        ("min(eta, 1)", "min(self.eta, 1)"),
        ("min(t, 1)", "torch.clamp(noised.t, max=1)"),
        ("max(t, x)", "torch.maximum(noised.t, x)"),
        ("max(t, x, 0)", "torch.clamp(torch.maximum(noised.t, x), min=0)"),
        ("min(t, eta, 1)", "torch.clamp(noised.t, max=min(self.eta, 1))"),
        ("alpha(t)", "schedule.alpha(noised.t)"),
        ("alpha_prime(t)", "schedule.dalpha(noised.t)"),
        ("min(reveal(alpha), 1)", "torch.clamp(schedule.reveal(s, t), max=1)"),
    ],
)
def test_code(text, code) -> None:
    assert torch_expr(parse(text), NAMES, TENSORS) == code


@pytest.mark.parametrize("text", ["y", "import_(t)", "__doc__(t)", "alpha_prime_prime(t)"])
def test_unknown_names_do_not_pass(text) -> None:
    with pytest.raises(KeyError):
        torch_expr(parse(text), NAMES)


@pytest.mark.parametrize(
    ("text", "value", "code"),
    [
        ("007", 7, "7"),
        ("__import__('os')", 2, "2"),
        ("1" * 30, int("1" * 30), "1.111111111111111e+29"),
    ],
)
def test_only_numbers_are_printed_as_numbers(text, value, code) -> None:
    assert torch_expr(ast.Number(value=Fraction(value), text=text, span=SPAN), {}) == code


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("1 - t", "1 - t"),
        ("1e-3*t", r"10^{-3} \, t"),
        ("1e-3**t", r"\left(10^{-3}\right)^{t}"),
        ("2*3", r"2 \cdot 3"),
        ("2.5e4", r"2.5 \cdot 10^{4}"),
        ("(1 - t)**2/sqrt(t)", r"\frac{\left(1 - t\right)^{2}}{\sqrt{t}}"),
        ("(s/t)**2", r"\left(\frac{s}{t}\right)^{2}"),
        ("-expm1(-t)", r"-\left(e^{-t} - 1\right)"),
        ("-log1p(-t)", r"-\log\left(1 - t\right)"),
        ("stop_scale*alpha_prime(t)", r"\mathrm{stop\_scale} \, \alpha'\left(t\right)"),
        ("2*acos(p)/pi", r"\frac{2 \, \arccos\left(p\right)}{\pi}"),
    ],
)
def test_latex(text, latex) -> None:
    assert latex_expr(parse(text)) == latex


trees = st.recursive(
    st.sampled_from(["t", "x", "2", "0.5", "pi"]).map(parse),
    lambda inner: st.one_of(
        st.builds(ast.Negative, operand=inner, span=st.just(SPAN)),
        st.builds(
            ast.Binary,
            op=st.sampled_from(["+", "-", "*", "/", "**"]),
            left=inner,
            right=inner,
            span=st.just(SPAN),
        ),
        st.builds(
            ast.Call,
            function=st.sampled_from(["sin", "exp"]),
            arguments=st.tuples(inner),
            span=st.just(SPAN),
        ),
    ),
    max_leaves=12,
)


@given(trees)
def test_parentheses_keep_the_value(tree) -> None:
    code = torch_expr(tree, {"t": "t", "x": "x"})
    expected = evaluate(tree, Scope({"t": 0.3, "x": 1.7}), TENSOR)
    try:
        got = eval(code, {"math": math, "t": 0.3, "x": 1.7})
    except (ArithmeticError, TypeError):
        return  # Python raises, or goes on with complex numbers, where tensors have inf and nan
    if isinstance(got, complex) or not math.isfinite(expected):
        return
    assert got == expected


@given(trees)
def test_plain_text_reads_as_the_same_value(tree) -> None:
    scope = Scope({"t": 0.3, "x": 1.7})
    values = (evaluate(e, scope, TENSOR) for e in (tree, parse(plain_expr(tree))))
    first, second = values
    assert first == second or (math.isnan(first) and math.isnan(second))

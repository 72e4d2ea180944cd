"""What is derived from a schedule, printed and executed, against closed forms and many digits."""

import os
import subprocess
import sys
from pathlib import Path

import mpmath
import pytest
import torch
from formulas import CLOSED, GRID, STARTS_BELOW_ONE, STEEP, exact, off, parse, run, schedule

from xlmc.calculus.schedule import Calculus, derive

ROOT = Path(__file__).parent.parent
QUANTITIES = ("alpha", "dalpha", "corrupted", "hazard", "sigma", "dsigma", "reveal", "inverse")
_derived: dict[str, Calculus] = {}

each = pytest.mark.parametrize("name", CLOSED)


def calculus(name: str) -> Calculus:
    if name not in _derived:
        _derived[name] = derive(schedule(CLOSED[name][0]))
    return _derived[name]


def truth(name: str, t: float) -> dict[str, mpmath.mpf]:
    """Every quantity at 200 digits, from the definition; the derivative by differences."""
    text = CLOSED[name][0]
    alpha = exact(text, t=t)
    dalpha = mpmath.diff(lambda x: exact(text, t=x), mpmath.mpf(t))
    return {
        "dalpha": dalpha,
        "corrupted": 1 - alpha,
        "hazard": -dalpha / (1 - alpha),
        "sigma": -mpmath.log(alpha),
        "dsigma": -dalpha / alpha,
    }


@each
def test_every_quantity_keeps_its_digits(name) -> None:
    with mpmath.workdps(200):
        for t in GRID:
            for quantity, value in truth(name, t).items():
                got = run(getattr(calculus(name), quantity).torch, t=t).item()
                limit = 1e-6 if quantity == "sigma" and name in STEEP else 1e-9
                assert off(got, value) <= limit, (quantity, t, got)


@each
def test_the_hazard_is_the_closed_form(name) -> None:
    with mpmath.workdps(200):
        for t in GRID:
            got = run(calculus(name).hazard.torch, t=t).item()
            assert off(got, exact(CLOSED[name][1], t=t)) <= 1e-9


@each
def test_derivatives_are_those_of_autograd(name) -> None:
    t = torch.linspace(0.05, 0.98, 94, dtype=torch.float64, requires_grad=True)
    formulas = calculus(name)
    alpha = run(formulas.alpha.torch, t=t)
    (slope,) = torch.autograd.grad(alpha.sum(), t)
    torch.testing.assert_close(run(formulas.dalpha.torch, t=t), slope, rtol=1e-9, atol=1e-12)
    hazard = -slope / (1 - alpha)
    torch.testing.assert_close(run(formulas.hazard.torch, t=t), hazard, rtol=1e-7, atol=1e-9)
    (dsigma,) = torch.autograd.grad(run(formulas.sigma.torch, t=t).sum(), t)
    torch.testing.assert_close(run(formulas.dsigma.torch, t=t), dsigma, rtol=1e-9, atol=1e-12)


@each
def test_the_hazard_integrates_to_a_ratio_of_masses(name) -> None:
    a, b = 1e-4, 0.9
    x = torch.linspace(torch.tensor(a).log(), torch.tensor(b).log(), 2001, dtype=torch.float64)
    t = x.exp()
    formulas = calculus(name)
    integral = torch.trapezoid(run(formulas.hazard.torch, t=t) * t, x)
    mass = run(formulas.corrupted.torch, t=t)
    torch.testing.assert_close(integral, (mass[-1] / mass[0]).log(), rtol=1e-5, atol=1e-5)


@each
def test_reveal_is_exact_at_both_ends(name) -> None:
    t = torch.cat([torch.tensor(GRID), torch.rand(500, generator=torch.manual_seed(0))]).double()
    code = calculus(name).reveal.torch
    assert torch.equal(run(code, s=t, t=t), torch.zeros_like(t))
    if name not in STARTS_BELOW_ONE:
        assert torch.equal(run(code, s=torch.zeros_like(t), t=t), torch.ones_like(t))


@each
def test_reveal_is_the_chance_of_its_definition(name) -> None:
    text = CLOSED[name][0]
    with mpmath.workdps(200):
        for t in GRID:
            for s in (0.001 * t, 0.5 * t, 0.99 * t):
                at_s, at_t = exact(text, t=s), exact(text, t=t)
                got = run(calculus(name).reveal.torch, s=s, t=t).item()
                assert abs(got - (at_s - at_t) / (1 - at_t)) < 1e-12


@each
def test_the_inverse_undoes_alpha(name) -> None:
    formulas = calculus(name)
    if name in ("cubic",):
        assert formulas.inverse is None
        return
    assert formulas.inverse is not None
    t = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    back = run(formulas.inverse.torch, p=run(formulas.alpha.torch, t=t))
    torch.testing.assert_close(back, t, rtol=1e-6, atol=1e-6)


def test_reveals_that_are_almost_exact_are_told_apart() -> None:
    from xlmc.calculus.derivation import Derivation

    linear = Derivation(parse("1 - t"))
    assert linear.keeps_ends(parse("(t - s)/t"))
    assert not linear.keeps_ends(parse("(t - s)/t*(1 - 1e-15)"))  # 1 - 1e-15 at s = 0
    assert not linear.keeps_ends(parse("(t - s + 1e-30)/t"))  # 1e-30 / t at s = t


def test_what_is_taken_literally_loses_its_digits() -> None:
    naive = "math.pi / 2 * torch.sin(math.pi * t / 2) / (1 - torch.cos(math.pi * t / 2))"
    with mpmath.workdps(200):
        value = truth("cosine", 1e-6)["hazard"]
        assert off(run(naive, t=1e-6).item(), value) > 1e-5
        assert off(run(calculus("cosine").hazard.torch, t=1e-6).item(), value) < 1e-14


BEAUTIES = [
    ("1 - t", "dalpha", "torch.full_like(t, -1)"),
    ("1 - t", "corrupted", "t"),
    ("1 - t", "hazard", "1 / t"),
    ("1 - t", "sigma", "-torch.log1p(-t)"),
    ("1 - t", "dsigma", "1 / (1 - t)"),
    ("1 - t", "reveal", "(t - s) / t"),
    ("1 - t", "inverse", "1 - p"),
    ("1 - (1 - 1e-3)*t", "hazard", "1 / t"),
    ("1 - (1 - 1e-3)*t", "inverse", "(1 - p) / 0.999"),
    ("1 - t**3", "hazard", "3 / t"),
    ("1 - t**3", "reveal", "1 - (s / t) ** 3"),
    ("1 - t**64", "hazard", "64 / t"),
    ("(1 - t)**2", "hazard", "2 * (1 - t) / (t * (2 - t))"),
    ("cos(pi*t/2)", "corrupted", "2 * torch.sin(math.pi / 4 * t) ** 2"),
    ("cos(pi*t/2)", "hazard", "math.pi / (2 * torch.tan(math.pi / 4 * t))"),
    ("cos(pi*t/2)", "inverse", "2 * torch.acos(p) / math.pi"),
    ("cos(pi/2*t)**2", "hazard", "math.pi / torch.tan(math.pi / 2 * t)"),
    ("1 - cos(pi/2*(1 - t))", "hazard", "math.pi / (2 * torch.tan(math.pi / 2 * t))"),
    ("1 - log(1 + t)/log(2)", "hazard", "1 / ((1 + t) * torch.log1p(t))"),
    ("1 - log(1 + t)/log(2)", "inverse", "2 ** (1 - p) - 1"),
    ("exp(-(1e-4 + t*(20 - 1e-4)))", "hazard", "19.9999 / torch.expm1(0.0001 + 19.9999 * t)"),
    ("exp(-3*t)", "dsigma", "torch.full_like(t, 3)"),
    (
        "exp(1e-4 - 1e-4**(1 - t) * 20**t)",
        "sigma",
        "0.0001 * (torch.expm1(math.log(20) * t) + 20 ** t * torch.expm1(math.log(10000) * t))",
    ),
    ("(t - 1)**2", "inverse", "1 - torch.sqrt(p)"),
    ("(2 - t)*(1 - t)/2", "inverse", "1.5 - torch.sqrt(0.25 + 2 * p)"),
    (
        "(1 - cos(1 - t))/(1 - cos(1))",
        "inverse",
        "1 - torch.acos(1 - (1 - math.cos(1)) * p)",
    ),
    ("(1 - t)/(1 + 5*t)", "inverse", "(1 - p) / (1 + 5 * p)"),
]


@pytest.mark.parametrize(("text", "quantity", "code"), BEAUTIES)
def test_formulas_read_as_one_would_write_them(text, quantity, code) -> None:
    assert getattr(derive(schedule(text)), quantity).torch == code


def test_three_texts_of_one_formula() -> None:
    hazard = calculus("cosine").hazard
    assert hazard.plain == "pi / (2 * tan(pi / 4 * t))"
    assert hazard.latex == r"\frac{\pi}{2 \, \tan\left(\frac{\pi}{4} \, t\right)}"


def test_the_variable_may_have_any_name() -> None:
    formulas = derive(schedule("1 - u**2", name="ins", argument="u"))
    assert formulas.name == "ins"
    assert (formulas.alpha.torch, formulas.hazard.torch) == ("1 - t ** 2", "2 / t")


def test_an_inverse_on_another_branch() -> None:
    formulas = derive(schedule("(sin(2.9 - t) - sin(1.9))/(sin(2.9) - sin(1.9))"))
    assert formulas.inverse is not None
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    back = run(formulas.inverse.torch, p=run(formulas.alpha.torch, t=t))
    torch.testing.assert_close(back, t, rtol=1e-9, atol=1e-9)


def test_a_limit_that_is_never_reached_is_left_out() -> None:
    assert derive(schedule("min(1, max(1 - t, 0))")).alpha.torch == "1 - t"


SEVERAL = (
    "1 - t",
    "1e-3 + (1 - 1e-3)*cos(pi*t/2)**2",
    "exp(-(1e-4**(1 - t) * 20**t))",
    "0.5*(1 - t) + 0.5*cos(pi*t/2)",
    "(1 - t)*exp(-3*t)",
)
PRINT_SEVERAL = f"""
from formulas import schedule
from xlmc.calculus.schedule import derive
for text in {SEVERAL}:
    found = derive(schedule(text))
    for name in "alpha dalpha corrupted hazard sigma dsigma reveal inverse".split():
        code = getattr(found, name)
        print(name + "=", code and (code.torch, code.latex, code.plain))
"""


def python(code: str, seed: str = "0") -> "subprocess.Popen[str]":
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests")))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", code]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_formulas_do_not_depend_on_the_hash_seed() -> None:
    processes = [python(PRINT_SEVERAL, seed) for seed in ("1", "2")]
    first, second = (process.communicate()[0] for process in processes)
    assert first.count("hazard=") == len(SEVERAL)
    assert first == second


def test_sympy_is_imported_only_to_derive() -> None:
    code = "import sys, xlmc.calculus.schedule, xlmc.calculus.survival; "
    code += "print({'sympy', 'mpmath'} & {*sys.modules})"
    assert python(code).communicate()[0].strip() == "set()"

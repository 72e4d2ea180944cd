"""Expressions and schedules for tests, written as text and read by Python's own parser."""

import ast as python
import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING

import mpmath

from xlmc.calculus.functions import WRITTEN
from xlmc.diagnostics.source import Source, Span
from xlmc.syntax import ast

if TYPE_CHECKING:
    import torch

SPAN = Span(Source("test.xlm", ""), 0, 0)
OPERATORS = {python.Add: "+", python.Sub: "-", python.Mult: "*", python.Div: "/", python.Pow: "**"}
GRID = [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.37, 0.5, 0.63, 0.8, 0.95, 0.999, 1 - 1e-6]

# The closed forms of the literature, alpha and hazard; `e` stands for an epsilon.
CLOSED = {
    "linear": ("1 - t", "1/t"),
    "log-linear": ("1 - (1 - 1e-3) * t", "1/t"),
    "log-linear, other epsilon": ("1 - (1 - 0.0371) * t", "1/t"),
    "square": ("1 - t**2", "2/t"),
    "power": ("1 - t**5", "5/t"),
    "fraction": ("1 - t**0.7", "0.7/t"),
    "root": ("1 - sqrt(t)", "0.5/t"),
    "cosine": ("cos(pi*t/2)", "pi/2 / tan(pi*t/4)"),
    "cosine, epsilon": ("1e-3 + (1 - 1e-3)*cos(pi*t/2)", "pi/2 / tan(pi*t/4)"),
    "cosine squared": ("cos(pi/2*t)**2", "pi / tan(pi*t/2)"),
    "cosine squared, epsilon": ("1e-3 + (1 - 1e-3)*cos(pi*t/2)**2", "pi / tan(pi*t/2)"),
    "cosine from below": ("1 - cos(pi/2*(1 - t))", "pi/2 / tan(pi*t/2)"),
    "sine squared": ("1 - cos(pi/2*(1 - t))**2", "pi / tan(pi*t/2)"),
    "logarithm": ("1 - log(1 + t)/log(2)", "1 / ((1 + t)*log(1 + t))"),
    "geometric": (
        "exp(-(1e-4**(1 - t) * 20**t))",
        "1e-4**(1 - t) * 20**t * log(20/1e-4) / (exp(1e-4**(1 - t) * 20**t) - 1)",
    ),
    "linear sigma": (
        "exp(-(1e-4 + t*(20 - 1e-4)))",
        "(20 - 1e-4) / (exp(1e-4 + t*(20 - 1e-4)) - 1)",
    ),
    "cosine below one": (
        "(1 - 1e-3)*cos(pi*t/2)",
        "(1 - 1e-3)*pi/2*sin(pi*t/2) / (1 - (1 - 1e-3)*cos(pi*t/2))",
    ),
    "cubic": ("1 - (2*t**3 - 3*t**2 + 2*t)", "(6*t**2 - 6*t + 2) / (2*t**3 - 3*t**2 + 2*t)"),
    "cosine from below, squared": ("1 - (1 - cos(pi*t/2))**2", "pi / tan(pi*t/4)"),
    "cosine run by a cosine": (
        "cos(pi*(1 - cos(pi*t/2))/2)",
        "pi**2/4*sin(pi*t/2) / tan(pi/4*(1 - cos(pi*t/2)))",
    ),
    "cosine squared run by itself": (
        "cos(pi/2*(1 - cos(pi*t/2)**2))**2",
        "pi**2*sin(pi*t/2)*cos(pi*t/2) / tan(pi/2*sin(pi*t/2)**2)",
    ),
    "kumaraswamy": (
        "(1 - t**1.5)**2.5",
        "2.5*1.5*t**0.5*(1 - t**1.5)**1.5 / (1 - (1 - t**1.5)**2.5)",
    ),
}
STEEP = {"cosine squared run by itself"}  # like (1 - t)**4, faster than one sigma can follow
STARTS_BELOW_ONE = {"geometric", "linear sigma", "cosine below one"}


def parse(text: str) -> ast.Expr:
    """The tree of an expression whose syntax is Python's, too."""

    def convert(node: python.AST) -> ast.Expr:
        match node:
            case python.BinOp(left=left, op=op, right=right):
                operator = OPERATORS[type(op)]
                return ast.Binary(op=operator, left=convert(left), right=convert(right), span=SPAN)
            case python.UnaryOp(operand=operand):
                return ast.Negative(operand=convert(operand), span=SPAN)
            case python.Constant():
                literal = python.get_source_segment(text, node) or ""
                return ast.Number(value=Fraction(literal), text=literal, span=SPAN)
            case python.Name(id=name):
                return ast.Name(id=name, span=SPAN)
            case python.Call(func=python.Name(id=name), args=args):
                primes = name.count("_prime")
                function = name.replace("_prime", "")
                arguments = tuple(convert(a) for a in args)
                return ast.Call(function=function, arguments=arguments, primes=primes, span=SPAN)
            case _:
                raise TypeError(type(node))

    return convert(python.parse(text, mode="eval").body)


def schedule(text: str, name: str = "alpha", argument: str = "t") -> ast.Arrow:
    """An arrow with this survival."""
    clean, mask = ast.Name(id="clean", span=SPAN), ast.Name(id="mask", span=SPAN)
    value = parse(text)
    return ast.Arrow(
        origin=clean, target=mask, survival=name, argument=argument, value=value, span=SPAN
    )


def run(code: str, **names: "float | torch.Tensor") -> "torch.Tensor":
    """What printed code gives for float64 tensors."""
    import torch

    tensors = {k: torch.as_tensor(v, dtype=torch.float64) for k, v in names.items()}
    result = eval(code, {"torch": torch, "math": math, **tensors})
    assert isinstance(result, torch.Tensor)
    return result


def exact(text: str, **names: float) -> mpmath.mpf:
    """The value of a text at mpmath's working precision, with decimals taken literally."""
    literal = r"(?<![\w.])(\d+\.?\d*([eE][+-]?\d+)?)"
    code = re.sub(literal, r"mpf('\1')", text)
    functions = {f: getattr(mpmath, f) for f in (*WRITTEN, "mpf") if hasattr(mpmath, f)}
    values = {k: mpmath.mpf(v) for k, v in names.items()}
    return eval(code, {**functions, "pi": mpmath.pi, **values})


def off(value: float, truth: mpmath.mpf) -> float:
    """Relative error."""
    return float(abs(mpmath.mpf(float(value)) - truth) / abs(truth))

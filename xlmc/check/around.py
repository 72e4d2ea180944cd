"""Weights by what can be seen around a masked token: ``visible(geometric(p))``."""

from collections.abc import Iterator

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import NoneVisible, OutOfRange, WrongArguments
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.environment import Environment
from xlmc.theory.process import Process

EXAMPLE = "visible(geometric(0.3))"
HIDDEN = (
    "a row does not show how far a missing token was from those that are left: by such a weight "
    "the head would learn the law of the tokens near these"
)
RANDOM = "a row does not show which of its tokens are random ones"
ALL_BEFORE = "a token is predicted from all tokens before it, and sees none behind it"


def around(expr: ast.Expr, env: Environment, process: Process) -> Iterator[Diagnostic]:
    """Check the kernels of a weight."""
    calls = list(query.calls(expr))
    inside = {id(a) for call in calls if call.function == "visible" for a in call.arguments}
    for call in calls:
        if call.function == "visible":
            yield from _visible(call, process)
        elif call.function == "geometric" and id(call) in inside:
            yield from _geometric(call, env)
        elif call.function == "geometric":
            why = "a kernel is a function of distance, which `visible` adds up"
            yield _wrong(call, why)


def _visible(call: ast.Call, process: Process) -> Iterator[Diagnostic]:
    (argument,) = call.arguments if len(call.arguments) == 1 else (None,)
    if process.known and not process.masks:
        why = ALL_BEFORE if process.ordered else RANDOM if process.replaces else HIDDEN
        yield NoneVisible(span=call.span, why=why, hint="drop it from the weight")
    elif call.keywords or call.primes or not isinstance(argument, ast.Call):
        yield _wrong(call, "it takes a kernel: how much a visible token counts by its distance")
    elif argument.function != "geometric":
        yield _wrong(call, f"`{argument.function}` is no kernel; there is `geometric`")


def _geometric(call: ast.Call, env: Environment) -> Iterator[Diagnostic]:
    (chance,) = call.arguments if len(call.arguments) == 1 else (None,)
    value = None if chance is None else literal(chance)
    if isinstance(chance, ast.Name):
        known = env.names.get(chance.id, "Chance") == "Chance"
        value = env.defaults.get(chance.id)
    else:
        known = value is not None
    if chance is None or not known or call.keywords or call.primes:
        yield _wrong(call, "it takes a number or a param of type Chance")
    elif value is not None and not 0 < value <= 1:
        yield OutOfRange(
            span=chance.span,
            value=f"{value:g}",
            kind="chance of a geometric kernel",
            meaning="above 0 and at most 1",
            hint="",
        )


def _wrong(call: ast.Call, why: str) -> Diagnostic:
    return WrongArguments(span=call.span, name=call.function, why=why, example=EXAMPLE)

"""How many candidates an action takes, which come first, and the numbers that it reads."""

import math
from collections.abc import Iterator

from attrs import evolve

from xlmc import ast, query
from xlmc.check import scope
from xlmc.check.scope import Environment, literal
from xlmc.check.words import DERIVED, one_of
from xlmc.errors import Diagnostic
from xlmc.query import NETWORK_SCORES, SCORES
from xlmc.refusals import ChanceLeavesRange, NeedsGrid, NeverEnds, WrongRule, WrongScore, WrongType

SCORED = {"above": "a threshold", "within": "a sum of errors"}
LEAST = {
    "poisson": "a mean is at least 0: `masked * reveal(...)`",
    "quota": "a quota is at least 0: `masked / steps_left`",
    "within": "errors add up to at least 0: `within 0.1`",
}
GRIDDED = ("s", "t", "steps_left")


def known(expr: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """Unknown names, but for those that only lack a grid."""
    timed = "t" in env.names
    missing = [(n.span, n.id) for n in query.names(expr) if n.id in GRIDDED]
    missing += [(c.span, c.function) for c in query.calls(expr) if c.function in DERIVED]
    if timed or not missing:
        yield from scope.known(expr, env)
        return
    for span, name in missing:
        yield NeedsGrid(span=span, name=name)


def amount(rule: str, value: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """The values that a chance or a quota takes over the run of a decoder."""
    axes: dict[str, list[float]] = {"masked": [1, 3], "length": [3], "limit": [8]}
    samples = list(scope.grid(axes))
    if "t" in env.names:
        samples = [
            {**sample, "t": left / 8, "s": (left - 1) / 8, "steps_left": float(left)}
            for sample in samples
            for left in range(8, 0, -1)
        ]
    for sample, found in scope.values(value, env, samples):
        if not isinstance(found, float):
            yield found
            return
        if rule == "chance" and not -1e-9 <= found <= 1 + 1e-9:
            where = scope.show(value, env, sample)
            yield ChanceLeavesRange(span=value.span, value=f"{found:g}", where=where)
            return
        if rule in LEAST and found < -1e-9:
            why = f"{found:g} {scope.show(value, env, sample)}"
            yield WrongRule(span=value.span, rule=rule, why=why, hint=LEAST[rule])
            return


def goes_on(rule: str, value: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """Without a grid, steps are taken until no mask is left: each must reveal some."""
    least = {"quota": 1.0 - 1e-9, "chance": 1e-9}.get(rule, -math.inf)
    lowest = evolve(env, defaults=dict.fromkeys(env.defaults, 0.0))
    samples = scope.grid({"masked": [1, 3], "length": [1, 3, 40], "limit": [8]})
    for sample, found in scope.values(value, lowest, samples):
        if isinstance(found, float) and found < least:
            zeros = dict.fromkeys(sorted(env.defaults), 0.0)
            where = scope.show(value, env, {**sample, **zeros})
            yield NeverEnds(
                span=value.span,
                why=f"{found:g} {where}: no mask is revealed",
                hint=f"write `{rule} max({1 if rule == 'quota' else 0.01}, ...)`, or add a grid",
            )
            return


def ordering(
    order: ast.Order, rule: str, section: ast.Section, env: Environment
) -> Iterator[Diagnostic]:
    """Whether candidates can be ordered so."""
    choice = _choice(order.score.id, section)
    if choice is None:
        yield from one_of(order.score, SCORES, "a score, nor a param that chooses one")
    scores = [option.id for option in choice.options] if choice else [order.score.id]
    for option in choice.options if choice else ():
        yield from one_of(option, SCORES, "a score")
    if rule in ("chance", "all"):
        yield WrongScore(
            span=order.span,
            why=f"`{rule}` reveals without an order",
            hint="drop the order, or take a number of tokens: `quota`, `one`, `above`, `within`",
        )
    if rule in SCORED and not set(scores) <= set(NETWORK_SCORES):
        yield WrongScore(
            span=order.score.span,
            why=f"{SCORED[rule]} needs a score of the network's answer",
            hint="write `by confidence`",
        )
    if order.of is not None:
        yield from one_of(order.of, ("likeliest", "sampled", "tempered"), "what is scored")
        tempered = order.of.id == "tempered"
        why = "only confidence looks at one token"
        if tempered:
            why = "only scores of the network's answer look at a law"
        if not {*NETWORK_SCORES} & {*scores} if tempered else "confidence" not in scores:
            yield WrongScore(span=order.of.span, why=why, hint=f"drop `of {order.of.id}`")
    if order.temperature is not None and rule == "within":
        why = "a sum of errors has no temperature"
        yield WrongScore(span=order.temperature.span, why=why, hint="drop the temperature")
    elif order.temperature is not None:
        yield from number(order.temperature, "Scale", "temperature", env)


def _choice(name: str, section: ast.Section) -> ast.Choice | None:
    choices = query.those(section.entries, ast.Choice)
    return next((choice for choice in choices if choice.name == name), None)


def number(expr: ast.Expr, kind: str, what: str, env: Environment) -> Iterator[Diagnostic]:
    """A param of the right type, or a literal in its range."""
    if literal(expr) is not None:
        yield from scope.in_range(expr, kind, f"{what} is a number")
        return
    wrong = list(scope.known(expr, env))
    yield from wrong
    if wrong:
        return
    found = env.names.get(expr.id) if isinstance(expr, ast.Name) else None
    if found is None or found not in (kind, *(("Count", "Chance") if kind == "Scale" else ())):
        yield WrongType(
            span=expr.span,
            expected=f"a {kind}",
            found=f"`{expr.span.text}`" + (f", a {found}" if found else ""),
            why=f"{what} is a param of type {kind} or a number",
            hint=f"write `param {what} : {kind} = ...`",
        )

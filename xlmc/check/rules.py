"""How many candidates an action takes, which come first, and the numbers that it reads."""

import math
from collections.abc import Iterable, Iterator

from attrs import evolve

from xlmc.check import scope
from xlmc.check.settings import TYPES
from xlmc.check.words import DERIVED, VALUES, one_of
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    ChanceLeavesRange,
    NeedsGrid,
    NeverEnds,
    OutOfRange,
    WrongRule,
    WrongScore,
    WrongType,
)
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.syntax.query import NETWORK_SCORES, SCORES
from xlmc.theory.environment import Environment
from xlmc.theory.probe import Sample, distinct, rows

SCORED = {"above": "a threshold", "within": "a sum of errors"}
LEAST = {
    "poisson": "a mean is at least 0: `masked * reveal(...)`",
    "quota": "a quota is at least 0: `masked / steps_left`",
    "within": "errors add up to at least 0: `within 0.1`",
}
SOME = {  # what a step must reveal at least to reveal some, and how to see to it
    "quota": (1 - 1e-9, "1"),
    "chance": (1e-9, "0.01"),
    "poisson": (1e-9, "1"),
}
BETWEEN = {"confidence": (0.0, 1.0), "margin": (0.0, 1.0), "entropy": (-math.inf, 0.0)}
NARROWER = {"Scale": ("Count", "Size", "Chance"), "Count": ("Size",)}  # types of such values
GRIDDED = ("s", "t", "steps_left")


def known(expr: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """Unknown names, but for those that only lack a grid."""
    timed = "t" in env.names
    missing = [(n.span, n.id) for n in query.names(expr) if n.id in GRIDDED]
    missing += [(c.span, c.function) for c in query.calls(expr) if c.function in DERIVED]
    if timed or not missing or not env.remedy:
        yield from scope.known(expr, env)
        return
    for span, name in missing:
        yield NeedsGrid(span=span, name=name)


def amount(rule: str, value: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """The values that a chance or a quota takes over the run of a decoder."""
    yield from in_range(rule, value, env, moments(env), LEAST.get(rule, ""))


def moments(env: Environment) -> Iterator[Sample]:
    """Rows of all sizes, with all numbers of masks, at all times if there are some."""
    times = [{"t": n / 8, "s": (n - 1) / 8, "steps_left": float(n)} for n in range(8, 0, -1)]
    for row in rows("masked"):
        for time in times if "t" in env.names else [{}]:
            yield {**row, "limit": 2 * row["length"], **time}


def in_range(
    rule: str, value: ast.Expr, env: Environment, samples: Iterable[Sample], hint: str
) -> Iterator[Diagnostic]:
    """A complaint where a chance leaves [0, 1]; with a hint also where a number is below 0."""
    for sample, found in scope.values(value, env, distinct(value, env, samples)):
        if not isinstance(found, float):
            yield found
            return
        if rule == "chance" and not -scope.SLIP <= found <= 1 + scope.SLIP:
            where = scope.show(value, env, sample)
            yield ChanceLeavesRange(span=value.span, value=f"{found:g}", where=where)
            return
        if hint and found < -scope.SLIP:
            why = f"{found:g} {scope.show(value, env, sample)}".strip()
            yield WrongRule(span=value.span, rule=rule, why=why, hint=hint)
            return


def goes_on(rule: str, value: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """Without a grid, steps are taken until no mask is left: each must reveal some."""
    if rule not in SOME:
        return
    least, example = SOME[rule]
    least_of = {
        name: float(TYPES["Size"].low) if env.names[name] == "Size" else 0.0
        for name in env.defaults
    }
    lowest = evolve(env, defaults=least_of)
    samples = distinct(value, env, moments(env))
    for sample, found in scope.values(value, lowest, samples):
        if isinstance(found, float) and found < least:
            where = scope.show(value, env, {**sample, **dict(sorted(least_of.items()))})
            yield NeverEnds(
                span=value.span,
                why=f"{f'{found:g} {where}'.strip()}: no mask is revealed",
                hint=f"write `{rule} max({example}, ...)`, or add a grid",
            )
            return


def reaches(value: ast.Expr, scores: Iterable[str], env: Environment) -> Iterator[Diagnostic]:
    """Whether a score can be above a threshold, and below it."""
    samples = distinct(value, env, moments(env))
    found = [v for _, v in scope.values(value, env, samples) if isinstance(v, float)]
    for score in scores if found else ():
        low, high = BETWEEN.get(score, (-math.inf, math.inf))
        example = "above -0.5 by entropy" if score == "entropy" else f"above 0.9 by {score}"
        why = f"it is minus the {score}" if score == "entropy" else f"the {score}"
        why += ", which is at most 0" if score == "entropy" else " lies between 0 and 1"
        if min(found) >= high:
            why += f": nothing is above {min(found):g}"
        elif max(found) < low:
            why += f": everything is above {max(found):g}"
        else:
            continue
        yield WrongRule(span=value.span, rule="above", why=why, hint=f"write `{example}`")
        return


def ordering(
    order: ast.Order, much: ast.Much, section: ast.Section, env: Environment
) -> Iterator[Diagnostic]:
    """Whether candidates can be ordered so."""
    rule, value = much.rule, much.value
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
    elif rule == "above" and value is not None and env.sound and not any(known(value, env)):
        yield from reaches(value, scores, env)
    if order.of is not None:
        yield from one_of(order.of, ("likeliest", "sampled", "tempered"), "what is scored")
        tempered = order.of.id == "tempered"
        why = "only confidence looks at one token"
        if tempered:
            why = "only scores of the network's answer look at a law"
        if not {*NETWORK_SCORES} & {*scores} if tempered else "confidence" not in scores:
            yield WrongScore(span=order.of.span, why=why, hint=f"drop `of {order.of.id}`")
    if order.temperature is not None and rule == "within":
        why = "xlmc adds no randomness to the order of `within`"
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
    varies = isinstance(expr, ast.Name) and expr.id in VALUES
    if varies or found not in (kind, *NARROWER.get(kind, ())):
        yield WrongType(
            span=expr.span,
            expected=f"a {kind}",
            found=f"`{expr.span.text}`" + _kind(found, varies=varies),
            why=f"{what} is a param of type {kind} or a number",
            hint=f"write `param {what} : {kind} = ...`",
        )


def _kind(kind: str | None, *, varies: bool) -> str:
    """What a name is, behind it."""
    if varies:
        return ", which varies and is no param"
    return f", a {kind}" if kind else ""


def at_least_one(
    expr: ast.Expr, env: Environment, *, what: str, hint: str, most: int | None = None
) -> Iterator[Diagnostic]:
    """A literal or a param of type Count, of at least 1; the param's own mistakes apart."""
    value, text = literal(expr), expr.span.text
    kind = env.names.get(expr.id) if isinstance(expr, ast.Name) else None
    varies = isinstance(expr, ast.Name) and expr.id in VALUES
    if isinstance(expr, ast.Name) and kind in ("Count", "Size"):
        value = env.defaults.get(expr.id)
        text = f"{expr.id} = {value:g}" if value is not None else text
    if varies or (value is None and kind in (None, "Chance", "Scale", "Number", "Time")):
        yield WrongType(
            span=expr.span,
            expected="a Count",
            found=f"`{text}`" + _kind(kind, varies=varies),
            why=f"the {what} is an integer or a param of type Count",
            hint=hint,
        )
    elif value is not None and (value < 1 or (kind is None and value != int(value))):
        meaning = "an integer of at least 1"
        yield OutOfRange(span=expr.span, value=text, kind=what, meaning=meaning, hint="")
    elif value is not None and most is not None and value > most:
        meaning = f"an integer of at most {most:_}"
        yield OutOfRange(span=expr.span, value=text, kind=what, meaning=meaning, hint="")

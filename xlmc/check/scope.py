"""The names that an expression may use at its place, their types, and its values."""

from collections.abc import Iterable, Iterator, Mapping

from attrs import evolve

from xlmc.check.settings import TYPES, Range
from xlmc.check.words import AROUND, DERIVED, FUNCTIONS, listed, name_span, reserved
from xlmc.diagnostics.diagnostic import Diagnostic, suggest
from xlmc.diagnostics.semantic_errors import (
    LetOrder,
    NotAFunction,
    NoValue,
    OutOfRange,
    TooHard,
    UnknownName,
    WrongArguments,
    WrongType,
)
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal, walk
from xlmc.theory import probe
from xlmc.theory.environment import Environment, reads
from xlmc.theory.probe import Sample, Trouble

OF_EVENTS = ("hazard", "reveal")  # functions of a clock that counts events
MEANINGS = {kind: str(values) for kind, values in TYPES.items()}
MENDED = {"divides by 0": "keep away from 0, as in `1 / max(count, 1)`"}
NOT_NUMBERS = {
    "Logits": "a head",
    "Rates": "a head, which only the amount of `unmask` reads",
    "Numbers": "a head, which only amounts of insertions and edits read",
    "Choice": "a param with alternatives",
}


def declarations(
    entries: tuple[ast.Node, ...], what: str, types: Mapping[str, Range] = TYPES
) -> Iterator[Diagnostic]:
    """Check the params and lets of a section, but not their uses.

    ``what`` describes the params: "a param of the loss"; ``types`` are their ranges.
    """
    for entry in query.those(entries, ast.Param):
        yield from reserved(entry.name, what, entry)
        yield from _param(entry, types)
    for choice in query.those(entries, ast.Choice):
        yield from reserved(choice.name, what, choice, query.SCORES)
    for one in query.those(entries, ast.Let):
        yield from reserved(one.name, "a let", one)


def _param(param: ast.Param, types: Mapping[str, Range]) -> Iterator[Diagnostic]:
    if param.kind not in MEANINGS:
        yield WrongType(
            span=name_span(param, param.kind),
            expected=f"a type, {listed(MEANINGS)}",
            found=f"`{param.kind}`",
            why="the type carries the range of the value",
            hint=suggest(param.kind, MEANINGS),
        )
        return
    yield from in_range(param.default, param.kind, "a param's default is a number", types)


def in_range(
    expr: ast.Expr, kind: str, why: str, types: Mapping[str, Range] = TYPES
) -> Iterator[Diagnostic]:
    """Check that an expression is a literal within the range of a type."""
    value = literal(expr)
    if value is None:
        hint = f"a {kind} is {types[kind]}"
        yield WrongType(
            span=expr.span, expected="a number", found=f"`{expr.span.text}`", why=why, hint=hint
        )
        return
    if value not in types[kind]:
        hint = f"write `{value / 100:g}`" if kind == "Chance" and 2 <= value <= 100 else ""
        yield OutOfRange(
            span=expr.span, value=expr.span.text, kind=kind, meaning=str(types[kind]), hint=hint
        )


def known(expr: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """Report unknown names and functions, wrong arguments, and heads or texts used as numbers."""
    for call in query.calls(expr):
        yield from _call(call, env)
    arguments = {
        id(a) for call in query.calls(expr) if call.function in DERIVED for a in call.arguments
    }
    for name in query.names(expr):
        if id(name) in arguments:
            continue
        kind = env.names.get(name.id)
        if kind is None and name.id != "pi":
            yield UnknownName(
                span=name.span,
                name=name.id,
                where=env.where,
                hint=suggest(name.id, [*env.names, "pi"]) or _hint(name.id, env),
            )
        elif kind in NOT_NUMBERS:
            yield WrongType(
                span=name.span,
                expected="a number",
                found=f"`{name.id}`, {NOT_NUMBERS[kind]}",
                why="a formula needs a number here",
                hint="",
            )
    for node in (part for part in walk(expr) if isinstance(part, ast.String)):
        yield WrongType(span=node.span, expected="a number", found="a text", why="", hint="")


def _hint(name: str, env: Environment) -> str:
    if name in env.schedules:
        return f"a schedule is a function of time: `{name}(t)`"
    if name in ("s", "t", "steps_left") and "t" not in env.names:
        return "there is no time here" + (f"; {env.remedy}" if env.remedy else "")
    return ""


def _call(call: ast.Call, env: Environment) -> Iterator[Diagnostic]:
    name, given = call.function, len(call.arguments)
    functions = (*FUNCTIONS, *env.derived, *env.schedules, *(AROUND if env.around else ()))
    if name in AROUND and env.around:
        return  # `xlmc.check.around` looks at those
    if name not in functions:
        yield NotAFunction(
            span=call.span,
            name=name,
            known=", ".join(sorted(functions)),
            hint=_written_out(name, env) or suggest(name, functions) or _no_time(name, env),
        )
    elif (arrow := _counted(call, env)) is not None and name not in OF_EVENTS:
        why = (
            f"`{arrow.survival}` counts events, of which xlmc reads only a hazard and what returns"
        )
        example = f"{'reveal' if 'reveal' in env.derived else 'hazard'}({arrow.survival})"
        yield WrongArguments(span=call.span, name=name, why=why, example=example)
    elif name in env.derived:
        schedule = call.arguments[0] if given == 1 else None
        if call.primes or not (isinstance(schedule, ast.Name) and schedule.id in env.schedules):
            example = f"{name}({next(iter(env.schedules), 'alpha')})"
            why = "its argument is the name of a schedule, without a time"
            yield WrongArguments(span=call.span, name=name, why=why, example=example)
    elif name in env.schedules:
        if given != 1 or call.primes > 1:
            why = "a schedule takes one time, and has one derivative"
            yield WrongArguments(span=call.span, name=name, why=why, example=f"{name}(t)")
        elif not _timed(call.arguments[0], env):
            why = "a schedule takes a time, and this is the same at all times"
            yield WrongArguments(span=call.span, name=name, why=why, example=f"{name}(t)")
    elif call.primes:
        why = "only a schedule has a derivative here"
        yield WrongArguments(span=call.span, name=name, why=why, example=f"{name}(x)")
    elif (given != 1 and name not in ("min", "max")) or not given:
        why = f"it takes {'at least one value' if name in ('min', 'max') else 'one value'}"
        yield WrongArguments(span=call.span, name=name, why=why, example=f"{name}(x)")
    for keyword in call.keywords:
        why = "its arguments have no names"
        yield WrongArguments(span=keyword.span, name=name, why=why, example=f"{name}(x)")


def _counted(call: ast.Call, env: Environment) -> ast.Arrow | None:
    """Return the arrow with `events` whose clock a call reads, if there is one."""
    names = {call.function, *(one.id for one in call.arguments if isinstance(one, ast.Name))}
    if call.function not in (*env.derived, *env.schedules):
        return None
    found = (env.schedules[name] for name in sorted(names) if name in env.schedules)
    return next((arrow for arrow in found if arrow.events is not None), None)


WRITTEN_OUT = {  # what other libraries have a function for
    "abs": "max(x, -x)",
    "ln": "log(x)",
    "log10": "log(x) / log(10)",
    "log2": "log(x) / log(2)",
    "pow": "x ** 2",
    "power": "x ** 2",
    "relu": "max(x, 0)",
    "sigmoid": "1 / (1 + exp(-x))",
    "square": "x ** 2",
}
SCHEDULES = {"cosine": "cos(pi / 2 * t)", "linear": "1 - t", "quadratic": "1 - t ** 2"}
SCHEDULES |= {"polynomial": "1 - t ** 2", "loglinear": "1 - t", "log_linear": "1 - t"}


def _written_out(name: str, env: Environment) -> str:
    """Return the formula of a function that the language lacks, if its name is known."""
    if formula := SCHEDULES.get(name, "") if "t" in env.names else "":
        return f"a schedule is a formula: `{formula}`"
    return f"write it out: `{WRITTEN_OUT[name]}`" if name in WRITTEN_OUT else ""


def _timed(expr: ast.Expr, env: Environment) -> bool:
    """Return whether the value of an expression depends on a time; unknown names are ignored."""
    if any(call.function in env.derived for call in query.calls(expr)):
        return True
    for name in query.names(expr):
        if env.names.get(name.id) in ("Time", None) and name.id != "pi":
            return True
        others = {key: one for key, one in env.lets.items() if key != name.id}
        if name.id in env.lets and _timed(env.lets[name.id].value, evolve(env, lets=others)):
            return True
    return False


def _no_time(name: str, env: Environment) -> str:
    if name not in DERIVED:
        return ""
    if "t" in env.names:
        return f"`{name}` is made of a survival, which is written out in `t`"
    remedy = f"; {env.remedy}" if env.remedy else ""
    return f"`{name}` is a function of time, and there is no time here{remedy}"


def lets_in_order(entries: tuple[ast.Node, ...]) -> Iterator[Diagnostic]:
    """Check that a let uses only the lets above it."""
    lets = query.those(entries, ast.Let)
    for i, one in enumerate(lets):
        later = {other.name for other in lets[i:]}
        for name in query.names(one.value):
            if name.id in later:
                yield LetOrder(span=name.span, name=name.id)


def values(
    expr: ast.Expr, env: Environment, samples: Iterable[Sample]
) -> Iterator[tuple[Sample, float | Diagnostic]]:
    """Yield the value of an expression at each sample of its names; a complaint if it has none."""
    for sample, found in probe.values(expr, env, samples):
        yield sample, _complaint(found, expr, env, sample) if isinstance(found, Trouble) else found


def _complaint(trouble: Trouble, expr: ast.Expr, env: Environment, sample: Sample) -> Diagnostic:
    span, reason = trouble.node.span, trouble.reason
    if trouble.hard:
        return TooHard(span=span, reason=reason)
    where, hint = show(expr, env, sample) or "always", MENDED.get(reason, "")
    return NoValue(span=span, reason=reason, where=where, hint=hint)


def show(expr: ast.Expr, env: Environment, sample: Sample) -> str:
    """Return the sample's values that an expression reads: ``at t = 0.5, count = 3``."""
    names = reads(expr, env)
    shown = ", ".join(f"{k} = {v:g}" for k, v in sample.items() if k in names)
    return f"at {shown}" if shown else ""

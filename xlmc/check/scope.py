"""Which names an expression may use where it stands, of which type, and which values it takes."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import isfinite

from attrs import evolve, frozen

from xlmc.calculus.arithmetic import precise
from xlmc.calculus.evaluate import FLOAT, Scope, value_of
from xlmc.check.settings import TYPES
from xlmc.check.words import AROUND, DERIVED, FUNCTIONS, listed, name_span, reserved
from xlmc.diagnostics.diagnostic import Diagnostic, suggest
from xlmc.diagnostics.semantic_errors import (
    LetOrder,
    NotAFunction,
    NoValue,
    OutOfRange,
    UnknownName,
    WrongArguments,
    WrongType,
)
from xlmc.diagnostics.semantic_errors import TooHard as TooHardRefusal
from xlmc.syntax import ast, query
from xlmc.syntax.expression import MathError, TooHard, Undefined, check_size, walk

MEANINGS = {kind: str(TYPES[kind]) for kind in ("Count", "Chance", "Scale")}
SIZES = (1.0, 2.0, 3.0, 8.0, 40.0, 300.0, 4096.0, 1e5)  # of rows, and of parts of them
SLIP = 1e-6  # by which a number may be off where a formula is rounded
MENDED = {"divides by 0": "keep away from 0, as in `1 / max(count, 1)`"}
NOT_NUMBERS = {"Logits": "a head", "Choice": "a param with alternatives"}


@frozen
class Environment:
    """What an expression may mention: names with their types, schedules, and where it stands.

    ``derived`` are the functions of a schedule. ``sound``: values can be computed. ``around``: a
    value may tell what can be seen around a masked token. ``remedy``: how there could be a time.
    """

    where: str
    names: Mapping[str, str]
    schedules: Mapping[str, ast.Arrow]
    derived: tuple[str, ...]
    lets: Mapping[str, ast.Let]
    defaults: Mapping[str, float]
    sound: bool = True
    around: bool = False
    remedy: str = ""


def environment(
    entries: tuple[ast.Node, ...],
    where: str,
    names: Mapping[str, str],
    schedules: Mapping[str, ast.Arrow],
    derived: tuple[str, ...],
) -> Environment:
    """The names of a section: those given, its params and its lets."""
    params = query.those(entries, ast.Param)
    choices = query.those(entries, ast.Choice)
    lets = query.those(entries, ast.Let)
    types = {
        **names,
        **{param.name: param.kind for param in params},
        **{choice.name: "Choice" for choice in choices},
        **{one.name: "Number" for one in lets},
    }
    defaults = {p.name: value for p in params if (value := literal(p.default)) is not None}
    return Environment(where, types, schedules, derived, {one.name: one for one in lets}, defaults)


def literal(expr: ast.Expr) -> float | None:
    """The value of a signed number; None for anything else."""
    match expr:
        case ast.Number(value=value):
            return float(value)
        case ast.Negative(operand=ast.Number(value=value)):
            return -float(value)
    return None


def declarations(entries: tuple[ast.Node, ...], what: str) -> Iterator[Diagnostic]:
    """What is wrong with the params and lets of a section, their uses apart.

    ``what`` says whose params they are: "a param of the loss".
    """
    for entry in query.those(entries, ast.Param):
        yield from reserved(entry.name, what, entry)
        yield from _param(entry)
    for choice in query.those(entries, ast.Choice):
        yield from reserved(choice.name, what, choice, query.SCORES)
    for one in query.those(entries, ast.Let):
        yield from reserved(one.name, "a let", one)


def _param(param: ast.Param) -> Iterator[Diagnostic]:
    if param.kind not in MEANINGS:
        yield WrongType(
            span=name_span(param, param.kind),
            expected=f"a type, {listed(MEANINGS)}",
            found=f"`{param.kind}`",
            why="the type carries the range of the value",
            hint=suggest(param.kind, MEANINGS),
        )
        return
    yield from in_range(param.default, param.kind, "a param's default is a number")


def in_range(expr: ast.Expr, kind: str, why: str) -> Iterator[Diagnostic]:
    """A complaint unless the expression is a literal within the range of a type."""
    value = literal(expr)
    if value is None:
        hint = f"a {kind} is {MEANINGS[kind]}"
        yield WrongType(
            span=expr.span, expected="a number", found=f"`{expr.span.text}`", why=why, hint=hint
        )
        return
    if value not in TYPES[kind]:
        hint = f"write `{value / 100:g}`" if kind == "Chance" and 2 <= value <= 100 else ""
        yield OutOfRange(
            span=expr.span, value=expr.span.text, kind=kind, meaning=MEANINGS[kind], hint=hint
        )


def known(expr: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """Complaints about unknown names and functions, wrong arguments and non-numbers."""
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
                why="not something to calculate with",
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
    elif name in env.derived:
        schedule = call.arguments[0] if given == 1 else None
        if call.primes or not (isinstance(schedule, ast.Name) and schedule.id in env.schedules):
            example = f"{name}({next(iter(env.schedules), 'alpha')})"
            why = "it takes the name of a schedule"
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
    """The formula of a function that the language lacks, where its name is known."""
    if formula := SCHEDULES.get(name, "") if "t" in env.names else "":
        return f"a schedule is a formula: `{formula}`"
    return f"write it out: `{WRITTEN_OUT[name]}`" if name in WRITTEN_OUT else ""


def _timed(expr: ast.Expr, env: Environment) -> bool:
    """Whether the value of an expression depends on a time; unknown names are told elsewhere."""
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
    """A let may use only the lets above it."""
    lets = query.those(entries, ast.Let)
    for i, one in enumerate(lets):
        later = {other.name for other in lets[i:]}
        for name in query.names(one.value):
            if name.id in later:
                yield LetOrder(span=name.span, name=name.id)


Sample = Mapping[str, float]
DIGITS = 1000  # at which 1 - alpha keeps some where floats round it to 0, t being 1e-9 ** 64


def value(expr: ast.Expr, names: Sample, schedules: Mapping[str, ast.Arrow]) -> float:
    """The value of an expression, with many digits where floats say that it has none.

    Raises MathError where it has no finite real value.
    """
    try:
        return float(value_of(expr, Scope(names, schedules), FLOAT))
    except Undefined as error:
        try:
            return exactly(expr, names, schedules)
        except MathError:
            raise error from None


def exactly(expr: ast.Expr, names: Sample, schedules: Mapping[str, ast.Arrow]) -> float:
    """The value of an expression, computed with many digits."""
    import mpmath

    with mpmath.workdps(DIGITS):
        exact = {name: mpmath.mpf(number) for name, number in names.items()}
        found = float(value_of(expr, Scope(exact, schedules), precise()))
    if not isfinite(found):
        raise Undefined(expr, "is too large")
    return found


def values(
    expr: ast.Expr, env: Environment, samples: Iterable[Sample]
) -> Iterator[tuple[Sample, float | Diagnostic]]:
    """The value of an expression at each sample of its names; a complaint where there is none."""
    try:
        check_size(expr)
    except TooHard as hard:
        yield {}, TooHardRefusal(span=hard.node.span, reason=hard.reason)
        return
    for sample in samples:
        names: dict[str, float] = {**env.defaults, **sample}
        try:
            for one in env.lets.values():
                names[one.name] = value(one.value, names, env.schedules)
            yield sample, value(expr, names, env.schedules)
        except TooHard as hard:
            yield sample, TooHardRefusal(span=hard.node.span, reason=hard.reason)
            return
        except MathError as error:
            yield (
                sample,
                NoValue(
                    span=error.node.span,
                    reason=error.reason,
                    where=show(expr, env, sample),
                    hint=MENDED.get(error.reason, ""),
                ),
            )
            return


def distinct(expr: ast.Expr, env: Environment, samples: Iterable[Sample]) -> Iterator[Sample]:
    """The first of all samples that an expression cannot tell apart."""
    read, seen = sorted(reads(expr, env)), set[tuple[float | None, ...]]()
    for sample in samples:
        told = tuple(sample.get(name) for name in read)
        if told not in seen:
            yield sample
        seen.add(told)


def show(expr: ast.Expr, env: Environment, sample: Sample) -> str:
    """Of a sample what an expression reads, in words: ``at t = 0.5, count = 3``; or nothing."""
    names = reads(expr, env)
    said = ", ".join(f"{k} = {v:g}" for k, v in sample.items() if k in names)
    return f"at {said}" if said else ""


def reads(expr: ast.Expr, env: Environment) -> set[str]:
    """The names that an expression reads, also by lets and by functions of time."""
    names = {name.id for name in query.names(expr)}
    called = {call.function for call in query.calls(expr)}
    names |= {"t"} if called & {*DERIVED} or "bound" in names else set()
    names |= {"s"} if "reveal" in called else set()
    names |= {"visible"} & called
    for name in names & {*env.lets}:
        others = {key: one for key, one in env.lets.items() if key != name}
        names = names | reads(env.lets[name].value, evolve(env, lets=others))
    return names


def rows(part: str, least: tuple[float, ...] = ()) -> Iterator[Sample]:
    """Rows of every size with every number of tokens in some state, ``part``."""
    for length in SIZES:
        for number in (*least, *SIZES):
            if number <= length:
                yield {part: number, "length": length}


def grid(axes: Mapping[str, Iterable[float]]) -> Iterator[Sample]:
    """Every combination of the values of some names."""
    for point in product(*axes.values()):
        yield dict(zip(axes, point, strict=True))

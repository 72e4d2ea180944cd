"""The values that an expression takes, at samples of what it reads."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from math import isfinite

from attrs import frozen

from xlmc.calculus.arithmetic import precise
from xlmc.calculus.evaluate import Scope, curve, value_of
from xlmc.syntax import ast
from xlmc.syntax.expression import MathError, TooHard, Undefined, check_size
from xlmc.theory.environment import Environment, reads

Sample = Mapping[str, float]
SIZES = (1.0, 2.0, 3.0, 8.0, 40.0, 300.0, 4096.0, 1e5)  # of rows, and of parts of them
SLIP = 1e-6  # by which a number may be off where a formula is rounded
DIGITS = 1000  # at which 1 - alpha keeps some where floats round it to 0, t being 1e-9 ** 64


@frozen
class Trouble:
    """The part of an expression that has no value at a sample, and the reason.

    ``hard``: it is too large to be computed anywhere.
    """

    node: ast.Expr
    reason: str
    hard: bool


def followed(expr: ast.Expr, schedules: Mapping[str, ast.Arrow]) -> Callable[[Sample], float]:
    """Return the function from samples to values, with many digits where floats have none.

    It raises MathError where there is no finite real value.
    """
    inexact = curve(expr, schedules)

    def value(names: Sample) -> float:
        try:
            return float(inexact(names))
        except Undefined as error:
            try:
                return exactly(expr, names, schedules)
            except MathError:
                raise error from None

    return value


def exactly(expr: ast.Expr, names: Sample, schedules: Mapping[str, ast.Arrow]) -> float:
    """Return the value of an expression, computed with many digits."""
    import mpmath

    with mpmath.workdps(DIGITS):
        exact = {name: mpmath.mpf(number) for name, number in names.items()}
        found = float(value_of(expr, Scope(exact, schedules), precise()))
    if not isfinite(found):
        raise Undefined(expr, "is too large")
    return found


def values(
    expr: ast.Expr, env: Environment, samples: Iterable[Sample]
) -> Iterator[tuple[Sample, float | Trouble]]:
    """Yield the value of an expression at each sample of its names, until one has none."""
    try:
        check_size(expr)
    except TooHard as hard:
        yield {}, _trouble(hard)
        return
    value = in_scope(expr, env)
    for sample in samples:
        found = value(sample)
        yield sample, found
        if isinstance(found, Trouble):
            return


def in_scope(expr: ast.Expr, env: Environment) -> Callable[[Sample], float | Trouble]:
    """Return the function from samples to values of an expression whose size has been checked."""
    read = reads(expr, env)
    lets = [
        (name, followed(one.value, env.schedules)) for name, one in env.lets.items() if name in read
    ]
    whole = followed(expr, env.schedules)

    def value(sample: Sample) -> float | Trouble:
        names: dict[str, float] = {**env.defaults, **sample}
        try:
            for name, one in lets:
                names[name] = one(names)
            return whole(names)
        except MathError as error:
            return _trouble(error)

    return value


def _trouble(error: MathError) -> Trouble:
    return Trouble(error.node, error.reason, isinstance(error, TooHard))


def distinct(expr: ast.Expr, env: Environment, samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield the first of all samples that are equal for an expression."""
    read, seen = sorted(reads(expr, env)), set[tuple[float | None, ...]]()
    for sample in samples:
        shown = tuple(sample.get(name) for name in read)
        if shown not in seen:
            yield sample
        seen.add(shown)


def rows(part: str, least: tuple[float, ...] = ()) -> Iterator[Sample]:
    """Yield rows of every size with every number of tokens in some state, ``part``."""
    for length in SIZES:
        for number in (*least, *SIZES):
            if number <= length:
                yield {part: number, "length": length}


def grid(axes: Mapping[str, Iterable[float]]) -> Iterator[Sample]:
    """Yield every combination of the values of some names."""
    for point in product(*axes.values()):
        yield dict(zip(axes, point, strict=True))

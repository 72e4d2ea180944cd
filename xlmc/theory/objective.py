"""The loss in theory: its terms with the facts of their words, and their weights written out."""

from collections.abc import Iterable, Iterator
from math import nan

from attrs import evolve, frozen

from xlmc.calculus.evaluate import DERIVED
from xlmc.syntax import ast, query
from xlmc.syntax.expression import MathError, inline
from xlmc.theory.bound import Bound, Missing
from xlmc.theory.environment import Environment, environment
from xlmc.theory.probe import Sample, followed
from xlmc.theory.process import Process

OTHERS = {  # values of params, so odd that no formula is by chance the same at all of them
    "Chance": (0.0, 0.37, 0.83, 1.0),
    "Count": (0.0, 1.0, 3.0, 17.0),
    "Size": (1.0, 2.0, 5.0, 17.0),
    "Scale": (0.0, 0.37, 2.9, 130.0),
}


@frozen
class Part:
    """A term of the loss, and the facts of its word.

    ``trains``: what its head learns: a token, an end (whether nothing is missing), a rate, a number
    of a row or the numbers of its gaps; "" for a term of no known word. ``arrow`` is the one that
    its head undoes. ``share`` is the factor that its options leave of the plain term, None where
    they bend it or read params. ``joint``: of a whole row: its distribution of
    tokens is also one over gaps, or its rate is that of all gaps together. ``ratios``: its head
    gives ratios of chances, which need not be a distribution.
    """

    term: ast.Term
    trains: str
    arrow: ast.Arrow | None
    bound: Bound
    share: float | None
    per_token: bool
    joint: bool
    ratios: bool = False

    @property
    def tells_end(self) -> bool:
        """True if its head is for the end, where nothing is missing."""
        return self.trains in ("end", "number")

    @property
    def of_rows(self) -> bool:
        """It is paid for every row, also for one of which nothing is missing."""
        return self.trains in ("end", "number", "rate", "numbers")


@frozen
class Objective:
    """The terms of a loss, and the family around them.

    ``others``: the same at other values of the params of the noise. Claims hold for all of them.
    ``brought``: a row may bring the draft that it becomes.
    """

    family: ast.Family
    process: Process
    parts: tuple[Part, ...]
    others: tuple["Objective", ...] = ()
    brought: bool = False

    @property
    def entries(self) -> tuple[ast.Node, ...]:
        """The entries of the loss."""
        return query.entries(self.family, "loss")

    @property
    def lets(self) -> tuple[ast.Let, ...]:
        """The lets of the loss."""
        return query.those(self.entries, ast.Let)

    @property
    def everywhere(self) -> tuple["Objective", ...]:
        """Return the objective at all values of the params of the noise."""
        return (self, *self.others)

    @property
    def timed(self) -> bool:
        """A weight may read the time: the amount of noise is one."""
        amount = self.process.amount
        return amount is not None and amount.variable.id == "t"

    def training(self, what: str) -> list[Part]:
        """Return the terms whose heads learn a token, an end, a rate or a number."""
        return [part for part in self.parts if part.trains == what]


def weights(objective: Objective) -> Environment:
    """Return what a weight may mention."""
    process, timed = objective.process, objective.timed
    names = {"length": "Count", "bound": "Rate"}
    if process.counted or not process.known:
        names["count"] = "Count"  # with two clocks: of which of the two?
    if timed:
        names["t"] = "Time"
    schedules = {arrow.survival: arrow for arrow in process.arrows} if timed else {}
    derived = tuple(sorted({*DERIVED} - {"reveal"})) if timed else ()
    env = environment(objective.entries, "", names, schedules, derived)
    return evolve(env, around=True)


def inlined(part: Part, objective: Objective) -> ast.Expr | None:
    """Return the weight of a term with `bound` and the lets written out.

    Raises TooHard where that is long.
    """
    if part.term.weight is None:
        return None
    stands_for: dict[str, ast.Expr] = {}
    if not isinstance(part.bound, Missing):
        stands_for["bound"] = part.bound
    for one in objective.lets:
        stands_for[one.name] = inline(one.value, stands_for)
    return inline(part.term.weight, stands_for)


def settings(objective: Objective, env: Environment) -> Iterator[Environment]:
    """Yield the params of a loss as they are by default, then other values of each and of all."""
    yield env
    params = query.those(objective.entries, ast.Param)
    exprs = [expr for part in objective.parts for expr in query.weighed(part.term)]
    read = query.spoken(exprs, env.lets.values())
    others = {param.name: OTHERS[param.kind] for param in params if param.name in read}
    for name, found in others.items():
        yield from (evolve(env, defaults={**env.defaults, name: value}) for value in found)
    for found in zip(*others.values(), strict=True):
        yield evolve(env, defaults={**env.defaults, **dict(zip(others, found, strict=True))})


def with_bound(points: Iterable[Sample], part: Part, objective: Objective) -> Iterator[Sample]:
    """Yield samples with the value of a `bound` at them, if there is one; nan where it has none."""
    if isinstance(part.bound, Missing):
        yield from points
        return
    bound = followed(part.bound, {arrow.survival: arrow for arrow in objective.process.arrows})
    for point in points:
        try:
            yield {**point, "bound": bound(point)}
        except MathError:
            yield {**point, "bound": nan}

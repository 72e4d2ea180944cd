"""The scores of the network's answer that an amount may read, and values that they take."""

from collections.abc import Iterable, Iterator

from attrs import evolve

from xlmc.syntax import ast
from xlmc.theory.environment import Environment, reads
from xlmc.theory.probe import Sample, grid
from xlmc.words.slots import answers

KIND = "Answer"


def answering(env: Environment) -> Environment:
    """Return the scope of an amount that may read the answer; names of the author's go first."""
    return evolve(env, names={**dict.fromkeys(answers(), KIND), **env.names})


def read_by(expr: ast.Expr, env: Environment) -> set[str]:
    """Return the scores that an expression reads, also by lets."""
    own = {name for name, kind in env.names.items() if kind != KIND}
    return (reads(expr, env) & {*answers()}) - own


def answered(expr: ast.Expr, env: Environment, samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield each sample with many answers, as far as the expression reads any."""
    several = read_answers(expr, env)
    yield from ({**sample, **answer} for sample in samples for answer in several)


def read_answers(expr: ast.Expr, env: Environment) -> list[Sample]:
    """Return many answers, as far as the expression reads any; else one that says nothing."""
    return [*grid({name: answers()[name].samples for name in sorted(read_by(expr, env))})]

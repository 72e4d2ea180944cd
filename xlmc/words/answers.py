"""The parts of the network's answer that an amount may read, and values that they take."""

from collections.abc import Iterable, Iterator

from attrs import evolve

from xlmc.syntax import ast
from xlmc.theory.environment import Environment, reads
from xlmc.theory.probe import Sample, grid
from xlmc.words.slots import answers

KIND = "Answer"
RATES = "Rates"  # of masks, by a head
NUMBERS = "Numbers"  # of missing tokens or of edits, by a head
OF_ANSWERS = (KIND, RATES, NUMBERS)
SOME_RATES = (0.0, 0.25, 1.0, 4.0)


def answering(env: Environment, *, masks: bool = True, numbers: bool = False) -> Environment:
    """Return the scope of an amount that may read the answer; names of the author's go first.

    ``masks``: it is an amount of masks, which have rates; ``numbers``: of insertions or edits.
    """
    kinds = (RATES,) * masks + (NUMBERS,) * numbers
    heads = [name for name, kind in env.names.items() if kind in kinds]
    names = {**dict.fromkeys(answers(), KIND), **env.names, **dict.fromkeys(heads, KIND)}
    return evolve(env, names=names)


def read_by(expr: ast.Expr, env: Environment) -> set[str]:
    """Return the scores and the heads of numbers that an expression reads, also by lets."""
    own = {name for name, kind in env.names.items() if kind not in OF_ANSWERS}
    return (reads(expr, env) & {*answers(), *heads(env)}) - own


def heads(env: Environment) -> set[str]:
    """Return the heads of rates of masks, and of numbers of missing tokens or of edits."""
    return {name for name, kind in env.names.items() if kind in OF_ANSWERS} - {*answers()}


def answered(expr: ast.Expr, env: Environment, samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield each sample with many answers, as far as the expression reads any."""
    several = read_answers(expr, env)
    yield from ({**sample, **answer} for sample in samples for answer in several)


def read_answers(expr: ast.Expr, env: Environment) -> list[Sample]:
    """Return samples of what an expression reads of answers; one without any if it reads none."""
    read, known = sorted(read_by(expr, env)), answers()
    return [*grid({name: known[name].samples if name in known else SOME_RATES for name in read})]

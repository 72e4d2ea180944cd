"""Numbers of several runs in one table: of seeds as mean and standard deviation."""

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from attrs import frozen

from xlm_runtime.config.lists import path_of
from xlm_runtime.run.command import Command
from xlm_runtime.run.reports import measured
from xlm_runtime.run.reports.columns import columns
from xlm_runtime.run.reports.numbers import Number, numbers, shown
from xlm_runtime.run.reports.table import seen

Evaluation = Mapping[str, Any]
COSTS = ("nfe", "tokens_per_second")


@frozen
class Pooled:
    """A number of several runs: its mean, and its standard deviation over them."""

    mean: float | None
    sd: float | None
    runs: int

    def __str__(self) -> str:
        spread = f" (sd {self.sd:.4f})" if self.sd is not None else ""
        return f"{shown(self.mean)}{spread}"


def pooled(values: Sequence[float | None]) -> Pooled:
    """Return mean and standard deviation; None where a value is not finite."""
    finite = [value for value in values if value is not None]
    if len(finite) < len(values):
        return Pooled(None, None, len(values))
    return Pooled(mean(finite), stdev(finite) if len(finite) > 1 else None, len(finite))


def cell(name: str, found: Sequence[Mapping[str, Number]]) -> str:
    """Format a number of one run with its error, of several with their standard deviation."""
    if not all(name in one for one in found):
        return "-"
    if len(found) == 1:
        return str(found[0][name])
    return str(pooled([one[name].value for one in found]))


def names(found: Sequence[Mapping[str, Number]], *, decoded: bool = False) -> list[str]:
    """List the numbers of evaluations; only those of decoding, if ``decoded``."""
    every = {name: one for each in found for name, one in each.items()}
    return [
        name for name, one in every.items() if not decoded or one.kind == "answers" or name in COSTS
    ]


def together(done: Sequence[tuple[Command, Sequence[Evaluation]]]) -> list[str]:
    """Return the table of the runs of one command.

    Runs that differ in the seed alone are taken together, as mean and standard deviation.
    """
    every = [one for _, found in done for one in found]
    parts = dict.fromkeys(seen(one) for one in every if measured.is_part(one))
    marks = [f"  of a part of the test data: {part} examples" for part in parts]
    return [*_tables(done), *marks]


def _tables(done: Sequence[tuple[Command, Sequence[Evaluation]]]) -> list[str]:
    groups: dict[str, list[tuple[Command, Sequence[Evaluation]]]] = {}
    for command, found in done:
        groups.setdefault(", ".join(command.varied), []).append((command, found))
    if len(done[0][0].points) > 1:
        return [line for title, group in groups.items() for line in _by_point(title, group)]
    if len(groups) == 1:
        return _by_seed(done)
    return _by_group({title: [found[0] for _, found in group] for title, group in groups.items()})


def _over(count: int) -> str:
    return f"mean and standard deviation of {count} seeds" if count > 1 else "one seed"


def _by_seed(done: Sequence[tuple[Command, Sequence[Evaluation]]]) -> list[str]:
    """Return a row for each number: its mean, its deviation, and the seeds one by one."""
    every = [numbers(found[0]) for _, found in done]
    rows = []
    for name in names(every):
        values = [one[name].value if name in one else None for one in every]
        whole = pooled(values)
        each = [shown(value) for value in values]
        rows.append([name.replace("_", " "), shown(whole.mean), shown(whole.sd), *each])
    seeds = [f"seed {command.seed}" for command, _ in done]
    return [f"{_over(len(done))}:", *columns(["", "mean", "sd", *seeds], rows)]


def _by_group(groups: Mapping[str, Sequence[Evaluation]]) -> list[str]:
    """Return a row for each number, and a column for each group of runs."""
    every = {title: [numbers(one) for one in found] for title, found in groups.items()}
    rows = [
        [name.replace("_", " "), *(cell(name, found) for found in every.values())]
        for name in names([one for found in every.values() for one in found])
    ]
    size = len(next(iter(groups.values())))
    return [f"{_over(size)}:", *columns(["", *groups], rows)]


def _by_point(title: str, group: Sequence[tuple[Command, Sequence[Evaluation]]]) -> list[str]:
    """Return a row for each point of a sweep."""
    points = group[0][0].points
    every = [[numbers(found[at]) for _, found in group] for at in range(len(points))]
    kept = names([one for found in every for one in found], decoded=True)
    rows = [
        [*(option.partition("=")[2] for option in point), *(cell(name, found) for name in kept)]
        for point, found in zip(points, every, strict=True)
    ]
    head = [*map(path_of, points[0]), *(name.replace("_", " ") for name in kept)]
    where = f"{title}, " if title else ""
    return [f"{where}{_over(len(group))}:", *columns(head, rows)]

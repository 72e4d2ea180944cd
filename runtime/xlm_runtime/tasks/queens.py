"""n queens: one queen a row, none attacking another; some are given, the rest is to be placed.

The body is the column of the queen of each row. A problem is a solution, drawn uniformly from all
of them, of which some rows are given: any solution with these queens is right.

With ``--preset paper`` they are read from ``brozonoyer/gram-n-queens`` on the Hub, where boards of
all sizes are listed cell by cell (``input`` and ``target``: 1 an empty cell, 2 a queen); boards of
another size are left out. Tables of one's own (``--data``) have the same two columns.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import ClassVar

import numpy as np

from xlm_runtime.plug import Example
from xlm_runtime.tasks.base import tables
from xlm_runtime.tasks.base.made import MadeTask
from xlm_runtime.tasks.base.problem import Problem
from xlm_runtime.tasks.base.sources import Source
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.task import SMALL


def attacked(columns: Sequence[int]) -> bool:
    """Return whether two queens of rows 0, 1, ... share a column or a diagonal."""
    rows = range(len(columns))
    diagonals = ({c + sign * r for r, c in zip(rows, columns, strict=True)} for sign in (1, -1))
    return any(len(lines) < len(columns) for lines in (set(columns), *diagonals))


@cache
def solutions(n: int) -> tuple[tuple[int, ...], ...]:
    """Return every way to place n queens: 92 for 8, 724 for 10."""

    def placed(first: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(first) == n:
            yield first
            return
        for column in range(n):
            if not attacked((*first, column)):
                yield from placed((*first, column))

    return tuple(placed(()))


REPO = "brozonoyer/gram-n-queens"
FILES = {name: f"data/{name}-*.parquet" for name in ("train", "test")}
HELD_OUT: dict[Name, float] = {"validation": 0.05}
QUEEN = 2


class Queens(MadeTask):
    """n queens on a board of n by n."""

    layout = "infill"
    columns: ClassVar[Sequence[str]] = ("input", "target")
    train_size: ClassVar[Mapping[str, int]] = {"quick": 32_000, "paper": 100_000}
    held_out: ClassVar[Mapping[str, int]] = {"quick": 256, "paper": 1_000}
    quick: ClassVar[Mapping[str, float | int | str]] = SMALL

    def __init__(self, n: int) -> None:
        self.n = n
        self.name = f"n_queens_{n}"
        self.title = f"{n} queens, of which some are given"

    def published(self) -> Source:
        """Return the data set on the Hub."""
        return tables.published(REPO, FILES, self.columns, 10_000_000, held_out=HELD_OUT)

    def row(self, *texts: str) -> Problem | str:
        """Parse a board of which some queens are given, and the whole one."""
        rows: list[list[list[int]]] = []
        for name, text in zip(self.columns, texts, strict=True):
            cells = tables.numbers(text)
            if cells is None or len(cells) != self.n**2:
                return f"no board of {self.n} by {self.n} in '{name}'"
            if set(cells) - {1, QUEEN}:
                return f"a cell that is neither 1 nor {QUEEN} in '{name}'"
            starts = range(0, self.n**2, self.n)
            rows.append([[i for i in range(self.n) if cells[s + i] == QUEEN] for s in starts])
        given, whole = rows
        body = [queens[0] for queens in whole if len(queens) == 1]
        if len(body) < self.n or attacked(body):
            return "an answer that breaks the rules"
        if any(queens not in ([], [column]) for queens, column in zip(given, body, strict=True)):
            return "an answer that changes given values"
        return Problem(body, [bool(queens) for queens in given])

    def words(self, _: str) -> list[str]:
        """List the words: the columns."""
        return [str(column) for column in range(self.n)]

    def draw(self, _: str, rng: np.random.Generator) -> Problem:
        """Draw a solution of which 1 to n - 2 rows are given."""
        every = solutions(self.n)
        body = every[rng.integers(len(every))]
        kept = rng.permutation(self.n) < rng.integers(1, self.n - 1)
        return Problem(body, kept.tolist())

    def right(self, answer: Sequence[int], _: Example) -> bool:
        """Return whether no queen attacks another."""
        return max(answer, default=0) < self.n and not attacked(answer)

    def chance(self, example: Example) -> float:
        """Return the share of solutions among all ways to add the queens that are not given."""
        given = [i for i, kept in enumerate(example.given) if kept]
        fitting = sum(all(s[i] == example.body[i] for i in given) for s in solutions(self.n))
        return float(fitting / self.n ** (self.n - len(given)))


EIGHT, TEN = Queens(8), Queens(10)

"""n queens: one queen a row, none attacking another; some are given, the others are asked for.

The body is the column of the queen of each row. A problem is a solution, drawn uniformly from all
of them, of which some rows are given: any solution with these queens is right.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import ClassVar

import numpy as np

from xlm_runtime.plug import Example
from xlm_runtime.tasks.made import MadeTask, Problem
from xlm_runtime.tasks.task import SMALL


def attacked(columns: Sequence[int]) -> bool:
    """Whether two queens of rows 0, 1, ... share a column or a diagonal."""
    rows = range(len(columns))
    diagonals = ({c + sign * r for r, c in zip(rows, columns, strict=True)} for sign in (1, -1))
    return any(len(lines) < len(columns) for lines in (set(columns), *diagonals))


@cache
def solutions(n: int) -> tuple[tuple[int, ...], ...]:
    """Every way to place n queens: 92 for 8, 724 for 10."""

    def placed(first: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(first) == n:
            yield first
            return
        for column in range(n):
            if not attacked((*first, column)):
                yield from placed((*first, column))

    return tuple(placed(()))


class Queens(MadeTask):
    """n queens on a board of n by n."""

    layout = "infill"
    train_size: ClassVar[Mapping[str, int]] = {"quick": 32_000, "paper": 100_000}
    held_out: ClassVar[Mapping[str, int]] = {"quick": 256, "paper": 1_000}
    quick: ClassVar[Mapping[str, float | int | str]] = SMALL

    def __init__(self, n: int) -> None:
        self.n = n
        self.name = f"n_queens_{n}"
        self.title = f"{n} queens, of which some are given"

    def words(self, _: str) -> list[str]:
        """The columns."""
        return [str(column) for column in range(self.n)]

    def draw(self, _: str, rng: np.random.Generator) -> Problem:
        """A solution of which 1 to n - 2 rows are given."""
        every = solutions(self.n)
        body = every[rng.integers(len(every))]
        kept = rng.permutation(self.n) < rng.integers(1, self.n - 1)
        return Problem(body, kept.tolist())

    def right(self, answer: Sequence[int], _: Example) -> bool:
        """Whether no queen attacks another."""
        return max(answer, default=0) < self.n and not attacked(answer)

    def chance(self, example: Example) -> float:
        """Solutions with the given queens, over the ways to place the others."""
        given = [i for i, kept in enumerate(example.given) if kept]
        fitting = sum(all(s[i] == example.body[i] for i in given) for s in solutions(self.n))
        return float(fitting / self.n ** (self.n - len(given)))


EIGHT, TEN = Queens(8), Queens(10)

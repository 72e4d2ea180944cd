"""Sudoku: fill a square so that every row, column and box holds every digit once.

Made so that exactly one solution fits what is given: a solved square is drawn, then its cells are
emptied in random order as long as the solution stays the only one and more cells are given than
wanted. The body is the square, row by row; given cells stay. Puzzles of one's own are read from
``--data``: tables with columns ``question`` and ``answer``, 81 characters, ``.`` or ``0`` for an
empty cell.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from xlm_runtime.plug import Example
from xlm_runtime.tasks.base import puzzles
from xlm_runtime.tasks.base.made import MadeTask
from xlm_runtime.tasks.base.problem import Problem
from xlm_runtime.tasks.base.squares import SMALL_SQUARE, SQUARE
from xlm_runtime.tasks.base.task import SMALL

SQUARES = {"quick": SMALL_SQUARE, "paper": SQUARE}
LEAST = {"quick": 4, "paper": 26}  # cells given


class Sudoku(MadeTask):
    """Puzzles with one solution: nine by nine, or four by four with ``--preset quick``."""

    name = "sudoku"
    title = "Sudoku with exactly one solution (quick: 4 by 4)"
    layout = "infill"
    columns: ClassVar[Sequence[str]] = puzzles.COLUMNS
    train_size: ClassVar[Mapping[str, int]] = {"quick": 16_000, "paper": 48_000}
    held_out: ClassVar[Mapping[str, int]] = {"quick": 256, "paper": 1_000}
    quick: ClassVar[Mapping[str, float | int | str]] = SMALL

    def row(self, *texts: str) -> Problem | str:
        """Parse a puzzle and its solution, nine by nine."""
        return puzzles.read(*texts)

    def words(self, preset: str) -> list[str]:
        """List the words: the digits."""
        return [str(1 + digit) for digit in range(SQUARES[preset].side)]

    def draw(self, preset: str, rng: np.random.Generator) -> Problem:
        """Draw a solved square, and empty cells as long as it has one solution."""
        square = SQUARES[preset]
        body = next(square.solutions([-1] * square.side**2, rng))
        cells, left = list(body), square.side**2
        wanted = rng.integers(LEAST[preset], square.side**2 * 3 // 4)
        for i in rng.permutation(square.side**2).tolist():
            if left <= wanted:
                break
            if square.stays_unique(cells, i, body[i]):
                cells[i] = -1
                left -= 1
        return Problem(body, [cell >= 0 for cell in cells])

    def right(self, answer: Sequence[int], _: Example) -> bool:
        """Return whether every row, column and box holds every digit once."""
        square = next(one for one in SQUARES.values() if one.side**2 == len(answer))
        return square.solved(answer)

    def chance(self, example: Example) -> float:
        """Return 1 over the number of ways to fill the empty cells: one of them is right."""
        side = round(len(example.body) ** 0.5)
        return float(side) ** -(len(example.body) - sum(example.given))

    def _protocol(self) -> str:
        return (
            f"{super()._protocol()}; puzzles of a table: it is not checked that a solution is the "
            "only one, and any is right"
        )


SUDOKU = Sudoku()

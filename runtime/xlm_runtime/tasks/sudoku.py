"""Sudoku: fill a square so that every row, column and box holds every digit once.

Made so that exactly one solution fits what is given: a solved square is drawn, then its cells are
emptied in random order as long as the solution stays the only one and more are given than asked
for. The body is the square, row by row; given cells stay. Puzzles of one's own are read from
``--data``: tables with columns ``question`` and ``answer``, 81 characters, ``.`` or ``0`` for an
empty cell.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from xlm_runtime import store
from xlm_runtime.cache import cached
from xlm_runtime.data import DataOptions, Prepared
from xlm_runtime.errors import UsageError
from xlm_runtime.plug import Example
from xlm_runtime.store import Examples
from xlm_runtime.tasks import puzzles
from xlm_runtime.tasks.made import MadeTask, Problem
from xlm_runtime.tasks.pairs import Pairs
from xlm_runtime.tasks.squares import SMALL_SQUARE, SQUARE
from xlm_runtime.tasks.task import SMALL
from xlm_runtime.tokenizers import words

SQUARES = {"quick": SMALL_SQUARE, "paper": SQUARE}
_VERSION = 2  # of how tables are read
LEAST = {"quick": 4, "paper": 26}  # cells given


class Sudoku(MadeTask):
    """Puzzles with one solution: nine by nine, or four by four with ``--preset quick``."""

    name = "sudoku"
    title = "Sudoku with exactly one solution (quick: 4 by 4)"
    layout = "infill"
    train_size: ClassVar[Mapping[str, int]] = {"quick": 16_000, "paper": 48_000}
    held_out: ClassVar[Mapping[str, int]] = {"quick": 256, "paper": 1_000}
    quick: ClassVar[Mapping[str, float | int | str]] = SMALL

    def about(self, options: DataOptions) -> Mapping[str, Any]:
        """Source, kind and protocol."""
        if options.data:
            return {"source": str(options.data), "protocol": self._protocol()}
        return super().about(options)

    def prepare(self, options: DataOptions) -> Prepared:
        """The puzzles, made or read."""
        if options.data:
            return self.read(puzzles.own(options), options)
        return super().prepare(options)

    def read(self, pairs: Pairs, options: DataOptions) -> Prepared:
        """The puzzles of a table, nine by nine whatever the preset."""
        if options.tokenizer:
            raise UsageError(f"{self.name} has one id per digit: it takes no data.tokenizer")
        tokenizer = words(self.words("paper"), options.specials)
        size = tokenizer.vocabulary.size
        key = {"puzzles": [_VERSION, store.VERSION], **pairs.key, "vocabulary": size}

        def build(folder: Path) -> dict[str, Any]:
            facts = puzzles.written(pairs, folder, size)
            test = Examples(folder / "test")
            return {**facts, "guess": sum(map(self.chance, test)) / len(test)}

        built = cached(options.cache, self.name, key, build)
        facts = {"source": pairs.title, **built.facts}
        return self._prepared(built.folder, facts, options, tokenizer)

    def words(self, preset: str) -> list[str]:
        """The digits."""
        return [str(1 + digit) for digit in range(SQUARES[preset].side)]

    def draw(self, preset: str, rng: np.random.Generator) -> Problem:
        """A solved square, emptied as far as one solution is left, or as far as is wanted."""
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
        """Whether every row, column and box holds every digit once."""
        square = next(one for one in SQUARES.values() if one.side**2 == len(answer))
        return square.solved(answer)

    def chance(self, example: Example) -> float:
        """One right answer of all ways to fill the empty cells."""
        side = round(len(example.body) ** 0.5)
        return float(side) ** -(len(example.body) - sum(example.given))

    def _protocol(self) -> str:
        return (
            f"{super()._protocol()}; puzzles of a table: it is not checked that a solution is the "
            "only one, and any is right"
        )


SUDOKU = Sudoku()

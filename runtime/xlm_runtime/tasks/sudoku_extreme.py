"""Hard sudoku, and tables of puzzles.

Read from ``brozonoyer/sapientinc-sudoku-extreme-timvink-sudoku-solver`` on the Hub (columns
``question`` and ``answer``: 81 characters, ``.`` or ``0`` for an empty cell; the data of Wang et
al. 2025, arXiv:2506.21734), or from a table of one's own with ``--data``. With ``--preset quick``
squares of six by six are made, which naked singles alone (`Square.singles`) do not solve: of the
four by four of task `sudoku` they solve every one.

They are made as the published ones: a few hundred hard puzzles, each in random disguises (digits
renamed, rows and columns exchanged where the rules allow it). Splits share no disguise of a puzzle.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import ClassVar

import numpy as np

from xlm_runtime.plug import Example
from xlm_runtime.tasks.base import puzzles, tables
from xlm_runtime.tasks.base.problem import Problem, split_of
from xlm_runtime.tasks.base.sources import Source
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.squares import SQUARE, Square
from xlm_runtime.tasks.sudoku import Sudoku

REPO = "brozonoyer/sapientinc-sudoku-extreme-timvink-sudoku-solver"
FILES = {name: f"data/{name}-*.parquet" for name in ("train", "test")}
HELD_OUT: dict[Name, float] = {"validation": 1 / 3000}
HEIGHT, SIDE = 2, 6  # of the boxes and of the square of `quick`
MIDDLE = Square(SIDE, HEIGHT)
PUZZLES = 400  # of `quick`, before they are disguised


class SudokuExtreme(Sudoku):
    """Puzzles that singles do not solve."""

    makes = False  # of nine by nine
    name = "sudoku_extreme"
    title = "hard sudoku, and puzzles of your own with --data (quick: 6 by 6)"
    train_size: ClassVar[Mapping[str, int]] = {"quick": 16_000}
    held_out: ClassVar[Mapping[str, int]] = {"quick": 256}

    def published(self) -> Source:
        """Return the data set on the Hub."""
        where = (REPO, FILES, puzzles.COLUMNS, 700_000_000)
        return tables.published(*where, made="--preset quick", held_out=HELD_OUT)

    def words(self, preset: str) -> list[str]:
        """List the words: the digits."""
        side = SIDE if preset == "quick" else SQUARE.side
        return [str(1 + digit) for digit in range(side)]

    def draw(self, preset: str, rng: np.random.Generator) -> Problem:  # noqa: ARG002
        """Draw one of the hard puzzles in a random disguise."""
        body, cells = hard(int(rng.integers(PUZZLES)))
        places, digits = _places(rng), rng.permutation(SIDE).tolist()
        return Problem([digits[body[i]] for i in places], [cells[i] >= 0 for i in places])

    def split(self, problem: Problem) -> Name:
        """Return the split by what no disguise changes: all disguises of a puzzle share a split."""
        return split_of(Problem((), prompt=invariant(problem)))

    def right(self, answer: Sequence[int], _: Example) -> bool:
        """Return whether every row, column and box holds every digit once."""
        square = MIDDLE if len(answer) == SIDE**2 else SQUARE
        return square.solved(answer)

    def _protocol(self) -> str:
        return (
            f"{super()._protocol()}; quick: no puzzle is solved by naked singles alone, and splits "
            "share no disguise of a puzzle"
        )


@cache
def hard(number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return a solved square, and a puzzle (-1: empty) that needs each of its givens."""
    rng = np.random.default_rng([0, number])
    while True:
        body = next(MIDDLE.solutions([-1] * SIDE**2, rng))
        cells = list(body)
        for i in rng.permutation(SIDE**2).tolist():
            if MIDDLE.stays_unique(cells, i, body[i]):
                cells[i] = -1
        if not MIDDLE.singles(cells):
            return body, tuple(cells)


def _places(rng: np.random.Generator) -> list[int]:
    """Draw the origin of each cell of a disguise: rows move within bands, bands as a whole."""
    width = SIDE // HEIGHT
    rows = [HEIGHT * b + r for b in rng.permutation(width) for r in rng.permutation(HEIGHT)]
    columns = [width * s + c for s in rng.permutation(HEIGHT) for c in rng.permutation(width)]
    return [int(r * SIDE + c) for r in rows for c in columns]


def invariant(problem: Problem) -> list[int]:
    """Return numbers that are equal for every disguise of a puzzle: counts of its givens."""
    width = SIDE // HEIGHT
    pairs = zip(problem.body, problem.given, strict=True)
    square = np.array([digit if kept else -1 for digit, kept in pairs]).reshape(SIDE, SIDE)
    given = square >= 0
    counts = [
        sorted(np.bincount(square[given], minlength=SIDE).tolist()),
        *sorted(sorted(band) for band in given.sum(1).reshape(width, HEIGHT).tolist()),
        *sorted(sorted(stack) for stack in given.sum(0).reshape(HEIGHT, width).tolist()),
    ]
    digest = blake2b(repr(counts).encode(), digest_size=6).digest()
    return list(digest)


SUDOKU_EXTREME = SudokuExtreme()

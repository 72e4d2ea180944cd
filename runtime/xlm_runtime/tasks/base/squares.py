"""The squares of sudoku: their rules, their solutions, and how hard a puzzle is."""

from collections.abc import Iterator, Sequence

import numpy as np


class Square:
    """A square of ``side`` by ``side`` cells with boxes of ``height`` by ``side / height``."""

    def __init__(self, side: int, height: int) -> None:
        self.side = side
        width = side // height
        cells = [(r, c) for r in range(side) for c in range(side)]
        lines: dict[tuple[str, int], list[int]] = {}
        for i, (r, c) in enumerate(cells):
            box = r // height * height + c // width
            for unit in (("row", r), ("column", c), ("box", box)):
                lines.setdefault(unit, []).append(i)
        self.units = list(lines.values())
        self.peers = [
            {j for unit in self.units if i in unit for j in unit} - {i} for i in range(side**2)
        ]

    def solved(self, cells: Sequence[int]) -> bool:
        """Return whether every row, column and box holds every digit (counted from 0) once."""
        digits = set(range(self.side))
        return all({cells[i] for i in unit} == digits for unit in self.units)

    def solutions(
        self, cells: Sequence[int], rng: np.random.Generator | None = None
    ) -> Iterator[tuple[int, ...]]:
        """Yield the solutions that keep given cells (-1: empty), digits in order or at random."""
        yield from self._fill(list(cells), self._candidates(cells), rng)

    def unique(self, cells: Sequence[int]) -> bool:
        """Return whether exactly one solution keeps the given cells."""
        found = self.solutions(cells)
        return next(found, None) is not None and next(found, None) is None

    def stays_unique(self, cells: Sequence[int], cell: int, digit: int) -> bool:
        """Return whether a square with one solution still has one without one of its digits.

        It has if no other digit of the cell leads to a solution, which is faster to decide than
        `unique`.
        """
        values = [-1 if i == cell else value for i, value in enumerate(cells)]
        candidates = self._candidates(values)
        candidates[cell] &= ~(1 << digit)
        return next(self._fill(values, candidates, None), None) is None

    def singles(self, cells: Sequence[int]) -> bool:
        """Return whether filling cells that have one candidate left, repeatedly, solves it.

        These are the naked singles, the simplest of the rules by which people solve.
        """
        left = self._candidates(cells)
        while ready := [i for i, c in left.items() if c.bit_count() == 1]:
            bit, cell = left.pop(ready[0]), ready[0]
            left = {i: c & ~bit if i in self.peers[cell] else c for i, c in left.items()}
        return not left

    def _candidates(self, cells: Sequence[int]) -> dict[int, int]:
        """Return the candidates of each empty cell, a bit for each digit."""
        every = (1 << self.side) - 1
        return {
            i: every & ~sum({1 << cells[j] for j in self.peers[i] if cells[j] >= 0})
            for i, value in enumerate(cells)
            if value < 0
        }

    def _fill(
        self, values: list[int], candidates: dict[int, int], rng: np.random.Generator | None
    ) -> Iterator[tuple[int, ...]]:
        """Yield solutions; fill the cell with the fewest candidates first, to fail early."""
        if not candidates:
            yield tuple(values)
            return
        cell = min(candidates, key=lambda i: candidates[i].bit_count())
        digits = [d for d in range(self.side) if candidates[cell] >> d & 1]
        for digit in digits if rng is None else rng.permutation(digits).tolist():
            values[cell], bit = digit, 1 << digit
            peers = self.peers[cell]
            rest = {i: c & ~bit if i in peers else c for i, c in candidates.items() if i != cell}
            if all(rest.values()):
                yield from self._fill(values, rest, rng)
        values[cell] = -1


SMALL_SQUARE, SQUARE = Square(4, 2), Square(9, 3)

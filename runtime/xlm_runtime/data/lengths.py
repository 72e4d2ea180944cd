"""The distribution of the lengths of bodies: how often each occurs, without the rows themselves."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

from attrs import frozen

from xlm_runtime.system.errors import RunError


@frozen
class Law:
    """Lengths in rising order, and how many rows have each."""

    counts: tuple[tuple[int, int], ...]
    ends: tuple[int, ...]

    @staticmethod
    def of(lengths: "Iterable[int] | Law") -> "Law":
        """Build the distribution of some lengths, in any order."""
        return lengths if isinstance(lengths, Law) else _law(Counter(map(int, lengths)).items())

    @staticmethod
    def read(plain: object, where: str) -> "Law":
        """Parse the output of `plain`, or a list of lengths, the format of older runs.

        Raises RunError, which begins with ``where``, for anything else.
        """
        if isinstance(plain, list) and all(type(one) is int and one >= 0 for one in plain):
            return Law.of(plain)
        if isinstance(plain, list) and all(map(_is_count, plain)):
            return _law((length, count) for length, count in plain)
        raise RunError(f"{where}: `lengths` is no list of [length, rows]")

    def plain(self) -> list[list[int]]:
        """Return the distribution as plain values: ``[[length, rows], ...]``."""
        return [list(pair) for pair in self.counts]

    def beyond(self, length: int) -> "Law":
        """Return the distribution of the lengths above a number."""
        return _law(pair for pair in self.counts if pair[0] > length)

    def at(self, chance: float) -> int | None:
        """Return the quantile of the lengths at a chance; None without rows."""
        if not self.ends:
            return None
        return self.counts[bisect_right(self.ends, int(chance * self.ends[-1]))][0]


def _law(pairs: Iterable[tuple[int, int]]) -> Law:
    counts = tuple(sorted(pairs))
    return Law(counts, tuple(accumulate(count for _, count in counts)))


def _is_count(pair: object) -> bool:
    """Return whether a value is a pair ``[length, rows]``."""
    match pair:
        case [int(length), int(rows)]:
            return length >= 0 and rows > 0
    return False


Lengths = Sequence[int] | Law  # what generation draws an open length from

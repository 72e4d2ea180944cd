"""The law of the lengths of bodies: how often each occurs, and nothing of the rows themselves."""

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
        """The law of some lengths, in whatever order they come."""
        return lengths if isinstance(lengths, Law) else _law(Counter(map(int, lengths)).items())

    @staticmethod
    def read(plain: object, where: str) -> "Law":
        """The inverse of `plain`; a list of lengths, as older runs have it, will do.

        Raises RunError, which begins with ``where``, for anything else.
        """
        if isinstance(plain, list) and all(type(one) is int and one >= 0 for one in plain):
            return Law.of(plain)
        if isinstance(plain, list) and all(map(_is_count, plain)):
            return _law((length, count) for length, count in plain)
        raise RunError(f"{where}: `lengths` is no list of [length, rows]")

    def plain(self) -> list[list[int]]:
        """``[[length, rows], ...]``."""
        return [list(pair) for pair in self.counts]

    def beyond(self, length: int) -> "Law":
        """The law of those that are longer."""
        return _law(pair for pair in self.counts if pair[0] > length)

    def at(self, chance: float) -> int | None:
        """The length below which that share of the rows lies; None where there are no rows."""
        if not self.ends:
            return None
        return self.counts[bisect_right(self.ends, int(chance * self.ends[-1]))][0]


def _law(pairs: Iterable[tuple[int, int]]) -> Law:
    counts = tuple(sorted(pairs))
    return Law(counts, tuple(accumulate(count for _, count in counts)))


def _is_count(pair: object) -> bool:
    """``[length, rows]``."""
    match pair:
        case [int(length), int(rows)]:
            return length >= 0 and rows > 0
    return False


Lengths = Sequence[int] | Law  # what generation draws an open length from

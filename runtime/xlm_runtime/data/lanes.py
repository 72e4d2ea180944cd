"""Texts end to end in several lanes, of which full rows are cut, one lane after another."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

State = tuple[bytes | None, ...]
_Lane = npt.NDArray[np.int64]


class Lanes:
    """Lanes of tokens: the lane that the next row is cut of takes texts until it is long enough.

    In its lane a text is behind a separator, unless it is the first there, and a text that is
    longer than a row continues in the next row of that lane, as many rows later as there are lanes.
    So each token is in one row. With one lane, rows are the texts in their order.
    """

    def __init__(self, block: int, separator: int, lanes: int = 1) -> None:
        self.block, self.separator = block, separator
        self._lanes = deque[_Lane | None]([None] * lanes)  # from the one of the next row on

    def rows(self, texts: Iterable[Sequence[int]]) -> Iterator[list[int]]:
        """Add encoded texts, and yield each row as soon as it is full: ``block`` tokens."""
        for ids in texts:
            lane, new = self._lanes[0], np.array(ids, np.int64)
            self._lanes[0] = new if lane is None else np.concatenate([lane, [self.separator], new])
            while (lane := self._lanes[0]) is not None and len(lane) >= self.block:
                self._lanes[0] = lane[self.block :]  # a view: long texts are not copied
                self._lanes.rotate(-1)
                yield lane[: self.block].tolist()

    @property
    def left(self) -> int:
        """The number of tokens that are in no row yet."""
        return sum(len(lane) for lane in self._lanes if lane is not None)

    @property
    def state(self) -> State:
        """The tokens of each lane that are in no row yet; None for a lane without a text."""
        return tuple(None if x is None else x.astype("<i4").tobytes() for x in self._lanes)

    def load(self, state: State) -> None:
        """Continue from a `state`."""
        self._lanes.clear()
        self._lanes.extend(
            None if x is None else np.frombuffer(x, "<i4").astype(np.int64) for x in state
        )

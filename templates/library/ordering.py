"""Rows that remember in which order their tokens came."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch

from xlm_runtime.shapes import Bool, Int, Tensor

from .canvas import Answer, Canvas
from .permuted import LAST, known_first
from .ticks import Tick

C = TypeVar("C", bound="Ordering")


@dataclass(frozen=True)
class Ordering(Canvas):
    """A canvas whose tokens are read in the order in which they were written, as in training.

    rank: when each token came, given ones first, from left to right; None before any was written.
    """

    rank: Int[Tensor, "batch length"] | None = field(default=None, kw_only=True)

    @property
    def ranks(self) -> Int[Tensor, "batch length"]:
        """The rank of each token; that of masks, which are yet to come, is the highest."""
        masks = self.x == self.network.vocab["mask"]
        if self.rank is None:
            return known_first(masks, self.free)
        return self.rank.masked_fill(masks, LAST)

    def query(self: C, tick: Tick, rows: Bool[Tensor, " batch"] | None = None) -> C:
        """Query the network for some rows, at least one (None: for all), and keep its answer."""
        some = slice(None) if rows is None else rows
        attend = None if self.attend is None else self.attend[some]
        hidden = self.network.trunk(self.x[some], attend, self.ranks[some])
        calls = self.calls + (1 if rows is None else rows)
        return replace(self, answer=Answer(rows, slice(None), hidden), calls=calls)

    def write(self: C, places: Bool[Tensor, "batch length"], token: Int[Tensor, " places"]) -> C:
        """Put tokens in some places, as the last ones of the order; of several from the left."""
        ranks = self.ranks
        last = ranks.masked_fill(ranks == LAST, -1).amax(1, keepdim=True)
        now = torch.where(places, last + places.cumsum(1), ranks)
        return replace(super().write(places, token), rank=now)

"""Rows of which the network's answer is kept as long as they stay as they are."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch
from torch.nn import functional as F

from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .canvas import Answer, Canvas
from .rating import Moving
from .ticks import Tick

C = TypeVar("C", bound="Recalling")
G = TypeVar("G", bound="GuidedRecalling")


@dataclass(frozen=True)
class Kept:
    """The last answers to all rows, and the tokens that they are for.

    cut: how many columns on the left had been cut by then.
    """

    x: Int[Tensor, "batch length"]
    seen: Bool[Tensor, "batch length"]
    hidden: Float[Tensor, "batch length width"]
    cut: int

    def rows(self, rows: Tensor) -> "Kept":
        """Return those of some rows."""
        return Kept(self.x[rows], self.seen[rows], self.hidden[rows], self.cut)

    def at(self, cut: int, width: int) -> "Kept":
        """Return them on other columns; nothing was seen where there were none."""
        start = cut - self.cut
        more = max(0, width - (self.x.shape[1] - start))
        x, seen = (F.pad(one[:, start:], (0, more))[:, :width] for one in (self.x, self.seen))
        hidden = F.pad(self.hidden[:, start:], (0, 0, 0, more))[:, :width]
        return Kept(x, seen, hidden, cut)


@dataclass(frozen=True)
class Recalling(Canvas):
    """A canvas that queries the network for the rows alone that have changed."""

    kept: Kept | None = field(default=None, kw_only=True)

    def query(self: C, tick: Tick, rows: Bool[Tensor, " batch"] | None = None) -> C:
        """Run the network on the rows that changed; the hidden states of the others are kept."""
        if rows is not None or self.kept is None:
            made = super().query(tick, rows)
            return replace(made, kept=made.memory()) if rows is None else made
        kept = self.kept.at(self.cut, self.x.shape[1])
        same = (kept.seen == self.seen) & ((kept.x == self.x) | ~self.seen)
        changed = ~same.all(1)
        if not changed.any():
            return replace(self, answer=Answer(None, slice(None), kept.hidden), kept=kept)
        made = super().query(tick, changed)
        assert made.answer is not None
        wide = torch.zeros_like(kept.hidden[changed])
        wide[:, made.answer.columns] = made.answer.hidden
        hidden = kept.hidden.index_put((changed.nonzero()[:, 0],), wide)
        made = replace(made, answer=Answer(None, slice(None), hidden))
        return replace(made, kept=made.memory())

    def memory(self) -> Kept:
        """Return what an answer to all rows is for."""
        assert self.answer is not None
        return Kept(self.x, self.seen, self.answer.hidden, self.cut)

    def select(self: C, rows: Tensor) -> C:
        """Return some of the rows, with their answers."""
        kept = self.kept.rows(rows) if self.kept is not None else None
        return replace(super().select(rows), kept=kept)


@dataclass(frozen=True)
class RecallingMoving(Recalling, Moving):
    """A canvas that keeps answers, and on which the confidence of a token moves with it."""


@dataclass(frozen=True)
class GuidedRecalling(Recalling):
    """A canvas that keeps answers also to its rows without some tokens.

    less: the last answers to those.
    """

    less: Kept | None = field(default=None, kw_only=True)

    def beside(self: G, make: Callable[[], G]) -> G:
        """Return the rows without some tokens, with the answers to them."""
        return replace(make(), kept=self.less)

    def keep(self: G, other: G) -> G:
        """Keep the answers to the rows without some tokens."""
        return replace(self, less=other.kept)

    def select(self: G, rows: Tensor) -> G:
        """Return some of the rows, with the answers to them."""
        less = None if self.less is None else self.less.rows(rows)
        return replace(super().select(rows), less=less)


@dataclass(frozen=True)
class GuidedRecallingMoving(GuidedRecalling, Moving):
    """Such a canvas on which the confidence of a token moves with it."""

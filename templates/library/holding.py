"""Rows whose keys and values are kept while their block is open."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch

from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .blocks import block_of
from .canvas import Answer, Canvas
from .partial import Past
from .ticks import Tick

C = TypeVar("C", bound="Holding")


@dataclass(frozen=True)
class Holding(Canvas):
    """A canvas that computes all of a row when a block is opened, and then some places of it.

    past: the keys and values of all places.  held: the block for which each row has them, -1 at
    first.  block: the one that the next query is for.  places: what it computes of a row that has
    them; None for all of every row.
    """

    past: Past = field(default=(), kw_only=True)
    held: Int[Tensor, " batch"] | None = field(default=None, kw_only=True)
    block: Int[Tensor, " batch"] | None = field(default=None, kw_only=True)
    places: Bool[Tensor, "batch length"] | None = field(default=None, kw_only=True)

    def query(self: C, tick: Tick, rows: Bool[Tensor, " batch"] | None = None) -> C:
        """Query the network for some rows (None: for all) at the places that are to be computed."""
        if self.places is None or self.block is None:
            return super().query(tick, rows)
        asked = torch.ones_like(self.seen[:, 0]) if rows is None else rows
        past = self.past or self.network.nothing(*self.x.shape)
        held = torch.full_like(self.block, -1) if self.held is None else self.held
        opened = asked & (held != self.block)
        hidden: Tensor | None = None
        for some, places in ((opened, self.seen), (asked & ~opened, self.places)):
            if some.any():
                states, past = self._part(some, places[some], past)
                blank = states.new_zeros(*self.x.shape, states.shape[2])
                hidden = (blank if hidden is None else hidden).index_put((some,), states)
        assert hidden is not None, "a query is for one row at least"
        held, answer = torch.where(asked, self.block, held), Answer(None, slice(None), hidden)
        return replace(self, answer=answer, past=past, held=held, calls=self.calls + asked)

    def _part(
        self, some: Bool[Tensor, " batch"], places: Bool[Tensor, "rows length"], past: Past
    ) -> tuple[Float[Tensor, "rows length width"], Past]:
        """Return the states of some rows, 0 where they are not computed, and the past of all."""
        most = int(places.sum(1).max())
        place = (~places).long().argsort(dim=1, stable=True)[:, :most]
        there, x = places.gather(1, place), self.x[some].gather(1, place)
        attend = None if self.attend is None else self.attend[some]
        own: Past = tuple((k[some], v[some]) for k, v in past)
        states, own = self.network.part(x, place, there, attend, own)
        wide = states.new_zeros(*places.shape, states.shape[2])
        index = place[:, :, None].expand_as(states)
        wide = wide.scatter_add(1, index, states * there[:, :, None])
        pairs = zip(past, own, strict=True)
        made = (
            tuple(old.index_put((some,), new) for old, new in zip(*pair, strict=True))
            for pair in pairs
        )
        return wide, tuple((k, v) for k, v in made)

    def write(self: C, places: Bool[Tensor, "batch length"], token: Int[Tensor, " places"]) -> C:
        """Put tokens in some places; the next step determines what it computes."""
        return replace(super().write(places, token), places=None)

    def select(self: C, rows: Tensor) -> C:
        """Return some of the rows, with what is kept of them, and all columns."""
        chosen = self._each(lambda one: one[rows])
        return replace(chosen, past=tuple((k[rows], v[rows]) for k, v in self.past))


def at_block(
    canvas: Canvas, masked: Bool[Tensor, "batch length"], size: int, onward: bool
) -> Canvas:
    """Return a canvas that computes the open block of each row, ``onward``: and all behind it.

    Of the first block of which masks may be revealed to the last one.
    """
    assert isinstance(canvas, Holding), "this canvas keeps no keys and values"
    block = block_of(canvas.free, size)
    first = block.masked_fill(~masked, canvas.x.shape[1]).amin(1)
    last = block.masked_fill(~masked, -1).amax(1)
    within = (block >= first[:, None]) & canvas.seen
    if not onward:
        within = within & canvas.free & (block <= last[:, None])
    return replace(canvas, block=first, places=within)

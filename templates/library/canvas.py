"""Rows on the way from noise to text: their state, its edits, the decoding loop."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import torch
from torch.nn import functional as F

from xlm_runtime.plug import Batch, Decoded, History, Noise, Record
from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor

from .network import Network
from .places import filled
from .reading import read
from .ticks import Tick, endless

C = TypeVar("C", bound="Canvas")


@dataclass(frozen=True)
class Answer:
    """The hidden states that the network gave for some rows (None: all) at some columns."""

    rows: Bool[Tensor, " batch"] | None
    columns: slice
    hidden: Float[Tensor, "rows columns width"]


@dataclass(frozen=True)
class Canvas:
    """The state of rows that are being decoded.

    x: the token ids.  attend: the positions that hold one; None for all.  free: the positions that
    may change.  open: the gaps (right of each position) that may get tokens.  inside: the positions
    between the brackets.  room: the most tokens that fit there.  calls: of the network, per row.
    cut: how many columns on the left have been cut.  answer: of the last call; an edit drops it.
    """

    network: Network
    x: Int[Tensor, "batch length"]
    attend: Attend
    free: Bool[Tensor, "batch length"]
    open: Bool[Tensor, "batch length"]
    inside: Bool[Tensor, "batch length"]
    room: Int[Tensor, " batch"]
    calls: Int[Tensor, " batch"]
    cut: int = 0
    answer: Answer | None = None

    @classmethod
    def of(cls: type[C], network: Network, batch: Batch, limit: int) -> C:
        """Return the rows of a batch, unchanged, with room for ``limit`` tokens in each."""
        room = torch.full_like(batch.example, limit)
        calls = torch.zeros_like(batch.example)
        x, attend, free = batch.x0, batch.attend, batch.free
        return cls(network, x, attend, free, batch.open, batch.inside, room, calls)

    @cached_property
    def masked(self) -> Bool[Tensor, "batch length"]:
        """The free positions that hold a mask; none in a vocabulary without one."""
        return self.free & (self.x == self.network.vocab.specials.get("mask", -1))

    @cached_property
    def seen(self) -> Bool[Tensor, "batch length"]:
        """The positions that hold a token."""
        return torch.ones_like(self.open) if self.attend is None else self.attend.bool()

    @cached_property
    def position(self) -> Int[Tensor, "batch length"]:
        """The place of each token in its own row, which keys its noise."""
        if self.attend is None:
            return torch.arange(self.x.shape[1], device=self.x.device).expand_as(self.x)
        return self.seen.cumsum(1) - 1

    @property
    def vacant(self) -> Int[Tensor, " batch"]:
        """The number of tokens that still fit into each row."""
        return self.room - self.inside.sum(1)

    # Reading the network.

    def query(self: C, tick: Tick, rows: Bool[Tensor, " batch"] | None = None) -> C:
        """Query the network for some rows, at least one (None: for all), and keep its answer."""
        x, attend, free, t, columns = self.x, self.attend, self.free, tick.t, slice(None)
        if rows is not None:
            x, attend, free = x[rows], None if attend is None else attend[rows], free[rows]
            t, columns = t[rows] if t.ndim else t, filled(x, attend)
            x, attend = x[:, columns], None if attend is None else attend[:, columns]
            free = free[:, columns]
        hidden = read(self.network, x, attend, free, t)
        calls = self.calls + (1 if rows is None else rows)
        return replace(self, answer=Answer(rows, columns, hidden), calls=calls)

    def hidden(self, places: Bool[Tensor, "batch length"]) -> Float[Tensor, "places width"]:
        """Return the hidden states at some places of the rows that were queried."""
        assert self.answer is not None, "an edit came between the query and this read"
        rows, answer = self.answer.rows, self.answer
        return answer.hidden[places if rows is None else places[rows][:, answer.columns]]

    @property
    def last(self) -> Float[Tensor, "batch width"]:
        """The hidden states at the last column."""
        assert self.answer is not None, "an edit came between the query and this read"
        return self.answer.hidden[:, -1]

    # Rows without some of their tokens, which guidance reads, too.

    def beside(self: C, make: Callable[[], C]) -> C:
        """Return the rows that ``make`` makes, without some tokens."""
        return make()

    def keep(self: C, other: C) -> C:
        """Keep the network's answers to the rows without some tokens."""
        return self

    # Edits.

    def write(self: C, places: Bool[Tensor, "batch length"], token: Int[Tensor, " places"]) -> C:
        """Put tokens in some places."""
        return replace(self, x=self.x.masked_scatter(places, token), answer=None)

    def mask(self: C, places: Bool[Tensor, "batch length"]) -> C:
        """Put masks in some places."""
        x = self.x.masked_fill(places, self.network.vocab["mask"])
        return replace(self, x=x, answer=None)

    def close(self: C, rows: Bool[Tensor, " batch"]) -> C:
        """Close all gaps of some rows: they get no more tokens."""
        return replace(self, open=self.open & ~rows[:, None], answer=None)

    def close_full(self: C) -> C:
        """Close the gaps of the rows that have no room left."""
        return self.close(self.vacant <= 0)

    def remove(self: C, places: Bool[Tensor, "batch length"]) -> C:
        """Remove tokens; the others close up, in order, with padding after them."""
        gone = places | ~self.seen
        order = gone.long().argsort(dim=1, stable=True)
        stays = ~gone.gather(1, order)
        return self._moved(order, stays, torch.zeros_like(stays), 0).trim()

    def insert(self: C, number: Int[Tensor, "batch length"], token: int) -> C:
        """Insert a number of equal tokens, for which there is room, right of each position.

        New tokens are free and the gaps beside them open; the gaps of full rows close.
        """
        ends = number.cumsum(1) + torch.arange(1, number.shape[1] + 1, device=number.device)
        width = int(torch.where(self.seen, ends, 0).max())
        place = torch.arange(width, device=number.device).expand(len(number), -1).contiguous()
        source = torch.searchsorted(ends, place, right=True).clamp(max=number.shape[1] - 1)
        end = ends.gather(1, source)
        first = end - number.gather(1, source) - 1
        new = (place > first) & (place < end)
        return self._moved(source, place == first, new, token).close_full()

    def insert_each(self: C, gaps: Bool[Tensor, "batch length"], token: Int[Tensor, " gaps"]) -> C:
        """Insert a token, for which there is room, right of each of some positions."""
        made = self.insert(gaps.long(), self.network.vocab["pad"])
        row, gap = gaps.nonzero(as_tuple=True)
        place = gap + gaps.cumsum(1)[row, gap]  # behind those that come to its left
        return replace(made, x=made.x.index_put((row, place), token))

    def insert_one(
        self: C,
        gap: Int[Tensor, " batch"],
        token: Int[Tensor, " batch"],
        rows: Bool[Tensor, " batch"],
    ) -> C:
        """Insert a token to the right of one position of some rows; the gaps of full rows close."""
        width = self.x.shape[1]
        gap = torch.where(rows, gap, width)[:, None]
        place = torch.arange(width + 1, device=gap.device)
        source = place - (place > gap).long()
        new = place == gap + 1
        old = ~new & (source < width)
        return self._moved(source.clamp(max=width - 1), old, new, token[:, None]).close_full()

    def append_one(self: C, token: Int[Tensor, " batch"]) -> C:
        """Append a token to every row, aligned to the right; the gaps of full rows close."""
        new = torch.ones_like(self.open[:, :1])
        vacant = self.vacant[:, None] > 1
        return replace(
            self,
            x=torch.cat([self.x, token[:, None]], 1),
            attend=torch.cat([self.seen, new], 1),
            inside=torch.cat([self.inside, new], 1),
            free=torch.cat([self.free, new], 1),
            open=torch.cat([torch.zeros_like(self.open), vacant], 1),
            answer=None,
        )

    def append_masks(self: C, rows: Bool[Tensor, " batch"], most: int) -> C:
        """Append masks to some rows, up to ``most`` each while there is room.

        The rows are aligned to the right; the gaps of full rows close.
        """
        number = torch.where(rows, self.vacant.clamp(max=most), 0)
        new = torch.arange(int(number.max()), device=number.device) < number[:, None]
        mask, pad = (self.network.vocab[name] for name in ("mask", "pad"))
        last = torch.zeros_like(new)
        last[:, -1] = self.open.any(1)
        wide = replace(
            self,
            x=torch.cat([self.x, torch.where(new, mask, pad)], 1),
            attend=torch.cat([self.seen, new], 1),
            inside=torch.cat([self.inside, new], 1),
            free=torch.cat([self.free, new], 1),
            open=torch.cat([torch.zeros_like(self.open), last], 1),
            answer=None,
        )
        whole = wide if new.all() else replace(wide.align_right(), open=wide.open)
        return whole.close_full()

    def _moved(
        self: C,
        source: Int[Tensor, "batch width"],
        old: Bool[Tensor, "batch width"],
        new: Bool[Tensor, "batch width"],
        token: Int[Tensor, "batch one"] | int,
    ) -> C:
        """Take each ``old`` place from its source, and put a token in each ``new`` one."""
        x = self.x.gather(1, source).masked_fill(~old, self.network.vocab["pad"])
        x = torch.where(new, token, x)
        attend, free, opened, inside = (
            new | (old & one.gather(1, source))
            for one in (self.seen, self.free, self.open, self.inside)
        )
        return replace(self, x=x, attend=attend, free=free, open=opened, inside=inside, answer=None)

    # Rows and columns.

    def align_right(self: C) -> C:
        """Move the tokens of each row to the right end; only the last gap of a row stays open."""
        order = self.seen.long().argsort(dim=1, stable=True)
        old = self.seen.gather(1, order)
        moved = self._moved(order, old, torch.zeros_like(old), 0)
        last = torch.arange(self.x.shape[1], device=self.x.device) == self.x.shape[1] - 1
        return replace(moved, open=old & last)

    def select(self: C, rows: Tensor) -> C:
        """Return some of the rows, without the columns in which none of them holds a token."""
        return self._each(lambda one: one[rows]).trim()

    def trim(self: C) -> C:
        """Cut the columns on either side in which no row holds a token."""
        columns = filled(self.x, self.attend)
        if columns == slice(0, self.x.shape[1]):
            return self
        narrow = self._each(lambda one: one[:, columns] if one.ndim > 1 else one)
        return replace(narrow, cut=self.cut + columns.start)

    def part(self, index: Int[Tensor, " batch"], rows: Tensor | None = None) -> "Part":
        """Return the outcome of some rows (None: of all); ``index``: their places in the batch."""
        some = slice(None) if rows is None else rows
        return Part(index[some], self.cut, self.x[some], self.inside[some], self.calls[some])

    def _each(self: C, change: Callable[[Tensor], Tensor]) -> C:
        """Change every tensor of the state."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        changed: dict[str, Any] = {
            name: change(one) for name, one in values.items() if isinstance(one, Tensor)
        }
        return replace(self, **changed, answer=None)


@dataclass(frozen=True)
class Part:
    """The outcome of some rows of a batch; ``cut`` columns are missing on their left."""

    index: Int[Tensor, " rows"]
    cut: int
    x: Int[Tensor, "rows length"]
    inside: Bool[Tensor, "rows length"]
    calls: Int[Tensor, " rows"]


def joined(parts: Sequence[Part], column: Callable[[Part], Tensor], fill: int) -> Tensor:
    """Return one tensor of all parts of a batch, its rows in order, filled up on either side."""
    width = max(part.cut + column(part).shape[1] for part in parts)
    wide = [
        F.pad(one := column(p), (p.cut, width - p.cut - one.shape[1]), value=fill) for p in parts
    ]
    return torch.cat(wide)[torch.cat([part.index for part in parts]).argsort()]


def up_to_its_answer(canvas: C) -> C:
    """Leave room for as many tokens as the example's answer has."""
    return replace(canvas, room=torch.minimum(canvas.inside.sum(1), canvas.room))


def at_least_one(default: int) -> int:
    """Return the field of a param that is a number, at least 1."""
    return field(default=default, metadata={"least": 1})


@dataclass(frozen=True, kw_only=True)
class Decoding(ABC):
    """A decoder: its first state, its ticks (the times of its steps), a step.  The loop is here."""

    canvas: ClassVar[type[Canvas]] = Canvas

    def __post_init__(self) -> None:
        """Refuse a param below its least value."""
        for one in fields(self):
            least, value = one.metadata.get("least"), getattr(self, one.name)
            if least is not None and value < least:
                raise ValueError(f"{one.name} is at least {least}, not {value}")

    @abstractmethod
    def start(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Return the state before the first step."""

    def ticks(self, canvas: Canvas, noise: Noise) -> Iterable[Tick]:
        """Return the tick of each step, its time, given the state before the first."""
        return endless(canvas.x.device)

    def active(self, canvas: Canvas) -> Bool[Tensor, " batch"]:
        """Return the rows that can still change: they hold a mask or an open gap."""
        return (canvas.masked | canvas.open).any(1)

    @abstractmethod
    def step(self, canvas: Canvas, tick: Tick, noise: Noise) -> Canvas:
        """Take one reverse step with all rows of a canvas."""

    def advance(self, canvas: Canvas, tick: Tick, noise: Noise) -> Canvas:
        """Take one tick: here a reverse step."""
        return self.step(canvas, tick, noise)

    def stop(self, canvas: Canvas, before: Canvas) -> Canvas:
        """End rows by their text after a step from ``before``, so that they are active no more."""
        return canvas

    def finish(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Finish the rows that are still active after the last step; here they stay as they are."""
        return canvas

    @torch.no_grad()
    def __call__(
        self, network: Network, batch: Batch, noise: Noise, limit: int, record: Record = False
    ) -> Decoded:
        """Decode a batch; rows that have ended leave it, and so do columns without a token."""
        canvas = self.start(self.canvas.of(network, batch, limit), noise)
        index = torch.arange(len(canvas.x), device=canvas.x.device)
        history, ended = History(record), list[Part]()
        history.add(canvas.x)
        pad = network.vocab["pad"]
        for i, tick in enumerate(self.ticks(canvas, noise)):
            active = self.active(canvas)
            if not active.all():
                rows, others = active.nonzero()[:, 0], (~active).nonzero()[:, 0]
                ended.append(canvas.part(index, others))
                index, canvas, noise = index[rows], canvas.select(rows), noise.rows(rows)
            if not len(index):
                break
            tick = tick.select(index) if ended else tick
            canvas = self.stop(self.advance(canvas, tick, noise.at(i)), canvas)
            if record:
                history.add(joined([*ended, canvas.part(index)], lambda p: p.x, pad))
        final = self.finish(canvas, noise)
        parts = [*ended, final.part(index)]
        x = joined(parts, lambda p: p.x, pad)
        inside = joined(parts, lambda p: p.inside, False)
        calls = joined(parts, lambda p: p.calls[:, None], 0).amax(1)
        if final is not canvas:
            history.add(x)
        return Decoded(x, inside, calls, history.states)

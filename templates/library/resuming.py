"""Rows whose blocks that are done keep their keys and values."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .blockwise import Past
from .canvas import Answer, Canvas
from .ticks import Tick

C = TypeVar("C", bound="Resuming")


@dataclass(frozen=True)
class Resuming(Canvas):
    """A canvas that grows by blocks at its right end, and reads the network where it is not done.

    A block is run clean once, beside the masks of the next one. past: the keys and values of the
    first ``done`` columns, in which no row holds a mask any more.
    """

    past: Past = field(default=(), kw_only=True)
    done: int = field(default=0, kw_only=True)

    def query(self: C, tick: Tick, rows: Bool[Tensor, " batch"] | None = None) -> C:
        """Query the network for all rows (``rows`` are counted), and keep what is final."""
        block = self.network.blocks(self.free)
        new = self.x[:, self.done :]
        hidden, past = self.network.extend(new, self.attend, block, self.past)
        done = self._finished(block)
        return replace(
            self,
            answer=Answer(None, slice(self.done, None), hidden),
            past=tuple((k[:, :, :done], v[:, :, :done]) for k, v in past),
            done=done,
            calls=self.calls + (1 if rows is None else rows),
        )

    def hidden(self, places: Bool[Tensor, "batch length"]) -> Float[Tensor, "places width"]:
        """Return the hidden states at some places after those that are done."""
        assert self.answer is not None, "an edit came between the query and this read"
        return self.answer.hidden[places[:, self.answer.columns]]

    def _finished(self, block: Int[Tensor, "batch length"]) -> int:
        """Count the columns on the left in which every row is before its first block with masks."""
        width = block.shape[1]
        now = block.masked_fill(~self.masked, width).amin(1, keepdim=True)
        left = (self.seen & (block >= now)).any(0)
        return int(left.long().argmax()) if left.any() else width

    def _moved(
        self: C,
        source: Int[Tensor, "batch width"],
        old: Bool[Tensor, "batch width"],
        new: Bool[Tensor, "batch width"],
        token: Int[Tensor, "batch one"] | int,
    ) -> C:
        """Move old tokens to their new columns, and the kept keys and values with them."""
        moved = super()._moved(source, old, new, token)
        if not self.done:
            return moved
        place = source[:, : self.done].clamp(max=self.done - 1)[:, None, :, None]

        def taken(kept: Tensor) -> Tensor:
            return kept.gather(2, place.expand(-1, kept.shape[1], -1, kept.shape[3]))

        return replace(moved, past=tuple((taken(k), taken(v)) for k, v in self.past))

    def select(self: C, rows: Tensor) -> C:
        """Return some of the rows, with what is kept of them."""
        chosen = self._each(lambda one: one[rows])
        return replace(chosen, past=tuple((k[rows], v[rows]) for k, v in self.past))

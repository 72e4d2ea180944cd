"""Rows with the network's key/value cache."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

from xlm_runtime.shapes import Bool, Int, Tensor

from .appending import Appending
from .canvas import Answer, Canvas
from .causal import Past
from .ticks import Tick

C = TypeVar("C", bound="Keeping")


@dataclass(frozen=True)
class Keeping(Canvas):
    """A canvas that grows at its right end alone, so that a call computes the new tokens only.

    past: the keys and values of the first ``done`` columns; any other edit drops them.
    """

    past: Past = field(default=(), kw_only=True)
    done: int = field(default=0, kw_only=True)

    def query(self: C, tick: Tick, rows: Bool[Tensor, " batch"] | None = None) -> C:
        """Query the network for all rows, and keep its answer and its keys and values."""
        assert rows is None, "the cache holds all rows"
        new = self.x[:, self.done :]
        hidden, past = self.network.extend(new, self.seen, self.past)
        answer, calls = Answer(None, slice(self.done, None), hidden), self.calls + 1
        return replace(self, answer=answer, past=past, done=self.x.shape[1], calls=calls)

    def write(self: C, places: Bool[Tensor, "batch length"], token: Int[Tensor, " places"]) -> C:
        """Put tokens in some places."""
        return replace(super().write(places, token), past=(), done=0)

    def mask(self: C, places: Bool[Tensor, "batch length"]) -> C:
        """Put masks in some places."""
        return replace(super().mask(places), past=(), done=0)

    def _moved(
        self: C,
        source: Int[Tensor, "batch width"],
        old: Bool[Tensor, "batch width"],
        new: Bool[Tensor, "batch width"],
        token: Int[Tensor, "batch one"] | int,
    ) -> C:
        """Take each ``old`` place from its source, and put a token in each ``new`` one."""
        return replace(super()._moved(source, old, new, token), past=(), done=0)

    def select(self: C, rows: Tensor) -> C:
        """Return some of the rows, with what is kept of them."""
        chosen = self._each(lambda one: one[rows])
        return replace(chosen, past=tuple((k[rows], v[rows]) for k, v in self.past))


@dataclass(frozen=True, kw_only=True)
class Caching(Appending):
    """A decoder that appends one token a step and computes each token once."""

    canvas = Keeping

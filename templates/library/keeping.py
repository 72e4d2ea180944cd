"""Rows with the network's key/value cache."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from xlm_runtime.shapes import Bool, Int, Tensor

from .appending import Appending
from .canvas import Answer, Canvas
from .causal import Past
from .ticks import Tick

C = TypeVar("C", bound="Keeping")
G = TypeVar("G", bound="GuidedKeeping")


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
        return super().write(places, token).forget()

    def mask(self: C, places: Bool[Tensor, "batch length"]) -> C:
        """Put masks in some places."""
        return super().mask(places).forget()

    def _moved(
        self: C,
        source: Int[Tensor, "batch width"],
        old: Bool[Tensor, "batch width"],
        new: Bool[Tensor, "batch width"],
        token: Int[Tensor, "batch one"] | int,
    ) -> C:
        """Take each ``old`` place from its source, and put a token in each ``new`` one."""
        return super()._moved(source, old, new, token).forget()

    def forget(self: C) -> C:
        """Drop keys and values: they are of other tokens."""
        return replace(self, past=(), done=0)

    def select(self: C, rows: Tensor) -> C:
        """Return some of the rows, with what is kept of them."""
        chosen = self._each(lambda one: one[rows])
        return replace(chosen, past=tuple((k[rows], v[rows]) for k, v in self.past))


@dataclass(frozen=True)
class GuidedKeeping(Keeping):
    """A canvas that keeps keys and values also of its rows without some tokens.

    less: those rows, to which the same tokens are appended.
    """

    less: "Keeping | None" = field(default=None, kw_only=True)

    def beside(self: G, make: Callable[[], G]) -> G:
        """Return the rows without some tokens, those that are kept if there are any."""
        return make() if self.less is None else cast(G, self.less)

    def keep(self: G, other: G) -> G:
        """Keep the rows without some tokens, and what the network made of them."""
        return replace(self, less=other)

    def forget(self: G) -> G:
        """Drop keys and values: they are of other tokens."""
        return replace(super().forget(), less=None)

    def append_one(self: G, token: Int[Tensor, " batch"]) -> G:
        """Append a token to every row, aligned to the right; the gaps of full rows close."""
        less = None if self.less is None else self.less.append_one(token)
        return replace(super().append_one(token), less=less)

    def select(self: G, rows: Tensor) -> G:
        """Return some of the rows, with what is kept of them."""
        less = None if self.less is None else self.less.select(rows)
        return replace(super().select(rows), less=less)


@dataclass(frozen=True, kw_only=True)
class Caching(Appending):
    """A decoder that appends one token a step and computes each token once."""

    canvas = Keeping


@dataclass(frozen=True, kw_only=True)
class GuidedCaching(Appending):
    """A decoder that appends one token a step, with guidance, and computes each token once."""

    canvas = GuidedKeeping

"""A table as the network: a trainable row of hidden values for every state and position.

The heads are the package's own, read from the table's rows as they are read from a backbone's:
with wide enough rows they can express any answer, of any kind of head.
"""

import inspect
from collections.abc import Mapping
from copy import copy
from typing import Any

import torch
from torch import nn

from xlm_runtime.plug import ModelSize, Vocabulary
from xlm_runtime.shapes import Bool, Float, Int, Tensor
from xlm_runtime.verify.basis import KNOTS, Basis
from xlm_runtime.verify.mixture import Mixture
from xlm_runtime.verify.second import Second

_HEADS = 2
_WIDE, _STEP = 30.0, 1.0  # of answers before any data, and of their change from knot to knot
_BENDS = 3  # how many smooth functions of time the answers of wrong tables are made of


class Table(nn.Module):
    """A lookup table in place of a generated network, with its `trunk` and all of its heads.

    While `recording`, it first collects the states that occur; `settle` gives each a row of zeros.
    A state is the part of the ids of its row that a position sees, without padding, and its place
    among them. `asked` and `strange` count the positions looked up, and those of unknown states.
    """

    def __init__(self, network: Any, width: int, sees: Bool[Tensor, "columns columns"]):
        super().__init__()
        self.network = network.double().requires_grad_(False)
        straighten(self.network, width)
        self.width, self.sees = width, sees
        self._ids: int = network.vocab.size  # no head has such a name
        self.recording = True
        self.asked = self.strange = 0
        self._codes: list[Tensor] = []
        self._told: list[Tensor] = []
        self.basis = Basis(None)
        self.keeps = False
        self.carries = carries(network)
        self.permuted = permuted(network)
        self.heard: Tensor | None = None  # the times of the last call
        second = getattr(network, "clocks", None)
        self.second = None if second is None else Second(second)
        self._kept: dict[object, tuple[Tensor, Mixture]] = {}

    def __getattr__(self, name: str) -> Any:
        """Return a head, or another attribute of the network than its trunk."""
        if name == "clocks" and "second" in vars(self):
            return self.second
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("network"), name)

    def trunk(
        self,
        xt: Int[Tensor, "batch length"],
        attend: Bool[Tensor, "batch length"] | None,
        *more: Tensor | None,
    ) -> Float[Tensor, "batch length width"]:
        """Return the rows of a batch of states.

        ``more``: nothing, or the time that is the network's input, or the block of each place and
        the clean tokens, of which it sees the blocks before, or the states of the call before,
        which a table does not read, or the rank of each place, which sees those of lower ones.
        """
        inputs = [] if self.carries else [one for one in more if one is not None]
        told = inputs[0] if len(inputs) == 1 and not self.permuted else None
        view = inputs if self.permuted or len(inputs) > 1 else []
        self.heard = told
        if self.recording:
            codes = self.codes(xt, attend, *view)
            self._codes.append(codes[codes >= 0])
            self._told += [] if told is None else [told.detach()]
            return torch.zeros(*xt.shape, self.width, dtype=torch.float64)
        if self.keeps:
            return self._mixture(xt, attend, told, *view)(self.rows.view(-1, self.width)).view(
                *xt.shape, self.width
            )
        index = self._index(xt, attend, *view)
        scale = self.scale[index][..., None]
        if told is None or self.basis.parts == 1:
            return nn.functional.embedding(index, self.rows) * scale
        lower, share = self.basis(told)
        if bool((told == told[:1]).all()):
            rows = self.rows.view(len(self.rows), self.basis.parts, self.width)
            still = torch.lerp(rows[:, lower[0]], rows[:, lower[0] + 1], share[0])
            return nn.functional.embedding(index, still) * scale
        flat = self.rows.view(-1, self.width)
        place = index * self.basis.parts + lower[:, None]
        below = nn.functional.embedding(place, flat)
        above = nn.functional.embedding(place + 1, flat)
        return torch.lerp(below, above, share[:, None, None]) * scale

    def extend(
        self,
        new: Int[Tensor, "batch new"],
        attend: Bool[Tensor, "batch length"] | None,
        *more: Any,
    ) -> tuple[Float[Tensor, "batch new width"], tuple[tuple[Tensor, Tensor], ...]]:
        """Return `trunk` for the last tokens of a row; the tokens themselves are the past.

        ``more``: the past, and before it the block of each place where answers go by blocks.
        """
        xt, kept = continued(new, more)
        view = (more[0], xt) if isinstance(more[0], Tensor) else ()
        return self.trunk(xt, attend, *view)[:, -new.shape[1] :], kept

    def settle(self, knots: int = KNOTS) -> None:
        """Give every collected state a row of zeros; equalise steps of rare and common states."""
        self.recording = False
        self.known, counts = torch.unique(torch.cat(self._codes), return_counts=True)
        scale = (counts.max() / counts.double()).sqrt()
        self.scale = torch.cat([torch.zeros(1, dtype=torch.float64), scale])
        self.basis = Basis(torch.cat(self._told) if self._told else None, knots)
        width = self.basis.parts * self.width
        self.rows = nn.Parameter(torch.zeros(len(self.known) + 1, width, dtype=torch.float64))
        self._codes, self._told = [], []

    def surprise(self) -> Float[Tensor, ""]:
        """Return -log of the prior of the rows: wide normal laws, narrow ones for their change."""
        answers = (self.rows * self.scale[:, None]).view(-1, self.basis.parts, self.width)
        level = (answers.mean(1) / _WIDE).square().sum()
        return (level + (answers.diff(dim=1) / _STEP).square().sum()) / 2

    def copy(self) -> "Table":
        """Copy the table, to be fitted separately."""
        return self._answers(self.rows)

    def still(self) -> "Table":
        """Return a table with the part of the answers that does not depend on the time."""
        other = self._answers(torch.zeros_like(self.rows[:, : self.width]))
        other.basis = Basis(None)
        return other

    def moving(self, still: "Table") -> "Table":
        """Return this table with the answers of one that does not depend on the time."""
        return self._answers(still.rows.repeat(1, self.basis.parts))

    def coarse(self) -> "Table":
        """Return the same table with straight lines over every second knot."""
        rows = self.rows.detach().view(len(self.rows), self.basis.parts, self.width).clone()
        place = self.basis.knots
        for k in range(1, self.basis.parts - 1, 2):
            share = float((place[k] - place[k - 1]) / (place[k + 1] - place[k - 1]))
            rows[:, k] = torch.lerp(rows[:, k - 1], rows[:, k + 1], share)
        return self._answers(rows.flatten(1))

    def mean(self, other: "Table") -> "Table":
        """Return the table half-way between this and another one."""
        return self._answers((self.rows.detach() + other.rows.detach()) / 2)

    def wrong(self, seed: int, spread: float) -> "Table":
        """Return the same table with random answers."""
        return self._with(spread * self._random(torch.Generator().manual_seed(seed)))

    def uneven(self, seed: int) -> "Table":
        """Return the same table with random answers, sure ones at some states, vague at others."""
        generator = torch.Generator().manual_seed(seed)
        rows = self._random(generator)
        states = torch.rand(len(rows), 1, generator=generator, dtype=torch.float64)
        return self._with(3 * states**2 * rows)

    def _random(self, generator: torch.Generator) -> Float[Tensor, "states numbers"]:
        """Draw normal answers that change smoothly from knot to knot."""
        bends = _BENDS if self.basis.parts > 1 else 1
        shape = (len(self.rows), bends, self.width)
        drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
        along = torch.linspace(-1, 1, self.basis.parts, dtype=torch.float64)
        waves = torch.stack([along**k for k in range(bends)])  # bends parts
        return torch.einsum("sbw,bp->spw", drawn, waves).flatten(1)

    def _with(self, rows: Float[Tensor, "states numbers"]) -> "Table":
        """Return a copy that answers with these rows."""
        return self._answers(rows / self.scale.clamp(min=1e-9)[:, None])

    def _answers(self, rows: Float[Tensor, "states numbers"]) -> "Table":
        other = copy(self)
        other._parameters = dict(self._parameters)
        other.rows = nn.Parameter(rows.detach().clone())
        return other

    def codes(
        self,
        xt: Int[Tensor, "batch length"],
        attend: Bool[Tensor, "batch length"] | None,
        block: Int[Tensor, "batch length"] | None = None,
        x0: Int[Tensor, "batch length"] | None = None,
    ) -> Int[Tensor, "batch length"]:
        """Return a number for the part of the row that each position sees; -1 at padding.

        With blocks that is its own block, and the blocks before as they are in ``x0``. With ranks
        it is the places of lower ones, and a place sees itself as one that is to be filled.
        """
        seen = torch.ones_like(xt, dtype=torch.bool) if attend is None else attend
        rank = seen.long().cumsum(1) - 1
        base = self._ids + 1
        power = base ** rank.clamp(min=0)
        digits = torch.where(seen, (xt + 1) * power, 0)
        columns = xt.shape[1]
        if self.permuted and block is not None:
            before = block[:, None, :] < block[:, :, None]
            code = (before * digits[:, None, :]).sum(2)
        elif block is not None and x0 is not None:
            clean = torch.where(seen, (x0 + 1) * power, 0)[:, None, :]
            own = block[:, None, :] == block[:, :, None]
            before = block[:, None, :] < block[:, :, None]
            code = (own * digits[:, None, :] + before * clean).sum(2)
        elif self.sees.all():
            code = digits.sum(1, keepdim=True)
        else:
            code = (digits[:, None, :] * self.sees[:columns, :columns]).sum(2)
        return torch.where(seen, code * 32 + rank, -1)

    def remember(self, keep: bool) -> None:
        """Keep what is looked up for a tensor, or no longer: for batches that come many times."""
        self.keeps = keep
        self._kept.clear()

    def _index(self, xt: Tensor, attend: Tensor | None, *view: Tensor) -> Tensor:
        codes = self.codes(xt, attend, *view)
        place = torch.searchsorted(self.known, codes).clamp(max=len(self.known) - 1)
        found = self.known[place] == codes
        self.asked += int((codes >= 0).sum())
        self.strange += int(((codes >= 0) & ~found).sum())
        return torch.where(found, place + 1, 0)

    def _mixture(
        self, xt: Tensor, attend: Tensor | None, told: Tensor | None, *view: Tensor
    ) -> Mixture:
        """Return what to add up at each place; a tensor that is kept always has the same times."""
        key = (xt.data_ptr(), xt.shape, xt.stride())
        if key not in self._kept:
            index = self._index(xt, attend, *view)
            rows, scale = index[..., None], self.scale[index][..., None]
            if told is not None and self.basis.parts > 1:
                lower, share = (part[:, None, None] for part in self.basis(told))
                rows = rows * self.basis.parts + lower + torch.arange(2)
                scale = scale * torch.cat([1 - share, share], dim=2)
            places = xt.numel()
            made = Mixture(rows.view(places, -1), scale.view(places, -1), self._number())
            self._kept[key] = (xt, made)
        return self._kept[key][1]

    def _number(self) -> int:
        """Return how many rows there are, at all knots."""
        return len(self.rows) * self.basis.parts


def told(network: Any) -> int:
    """Return how many inputs a trunk has besides the tokens, their padding and their blocks."""
    needed = [one for one in _inputs(network).values() if one.default is one.empty]
    return len(needed) - 2 - 2 * blockwise(network) - permuted(network)


def carries(network: Any) -> bool:
    """Return whether the states of a call are an input of the next one."""
    return any(one.default is None for one in _inputs(network).values())


def permuted(network: Any) -> bool:
    """Return whether a place sees those of lower ranks alone, in an order of its row."""
    return "rank" in _inputs(network)


def blockwise(network: Any) -> bool:
    """Return whether a token sees its own noised block, and the blocks before it clean."""
    return "block" in _inputs(network)


def _inputs(network: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(network.trunk).parameters


def continued(new: Tensor, more: Any) -> tuple[Tensor, tuple[tuple[Tensor, Tensor], ...]]:
    """Append new tokens to those of the past, the last of ``more``; return also the longer past.

    The past of a network by blocks has the axes of keys: batch heads length axes.
    """
    past, columns = more[-1], isinstance(more[0], Tensor)
    if isinstance(past, Tensor) or not past:
        whole = new
    else:
        before = past[0][0]
        whole = torch.cat([before[:, 0, :, 0] if columns else before, new], 1)
    kept = whole[:, None, :, None] if columns else whole
    return whole, ((kept, kept),)


def outputs(network: Any) -> int:
    """Return how many numbers the heads of a network read from one row."""
    return sum(m.out_features for m in network.children() if isinstance(m, nn.Linear))


def straighten(network: Any, width: int) -> None:
    """Make the numbers that heads read from a row independent directions of equal size.

    A fit then needs few iterations and does not depend on random weights; it can express no less,
    as rows are wide enough for all heads.
    """
    heads = [m for m in network.children() if isinstance(m, nn.Linear) and m.in_features == width]
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(width, width, generator=generator, dtype=torch.float64)
    directions, used = torch.linalg.qr(drawn).Q, 0
    with torch.no_grad():
        for head in heads:
            head.weight.copy_(directions[used : used + head.out_features])
            used += head.out_features


def build(make: Any, vocab: Vocabulary, allowed: Tensor, seed: int, width: int = 0) -> Any:
    """Build a small network of a package with random weights everywhere."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = make(vocab, allowed, ModelSize(2, width or 8, _HEADS))
        with torch.no_grad():
            for weights in network.parameters():
                weights.copy_(0.4 * torch.randn(weights.shape))
    return network.eval()


def sight(network: Any, columns: int) -> Bool[Tensor, "columns columns"]:
    """Determine which columns influence a network's answer at each column, by changing tokens."""
    first = network.vocab.size - 3  # three letters at the end of the vocabulary
    letters = torch.arange(columns) % 3
    rows = (first + letters).repeat(columns + 1, 1)
    rows[1:].fill_diagonal_(0)
    rows[1:] += torch.diag(first + (letters + 1) % 3)
    if blockwise(network) or permuted(network):
        return torch.ones(columns, columns, dtype=torch.bool)  # blocks or ranks of a row decide it
    more = [torch.full((columns + 1,), 0.5)] * told(network)
    with torch.no_grad():
        hidden = network.trunk(rows, None, *more)
    changed: Tensor = (hidden[1:] - hidden[:1]).abs().amax(-1) > 1e-6
    return changed.T

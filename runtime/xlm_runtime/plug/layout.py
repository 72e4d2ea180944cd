"""Layouts: how a family puts an example into a row, and rows into a batch."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import ClassVar

import torch

from xlm_runtime.plug.batch import Batch, Draft, Example, Vocabulary
from xlm_runtime.shapes import Int, Tensor


@dataclass(frozen=True)
class Row:
    """One example laid out.

    The tokens from ``start`` up to ``stop`` are inside the brackets; of these, ``kept`` marks
    those that are given and stay as they are. The first ``left`` tokens are aligned to the right
    within the columns that the batch keeps for them.
    """

    ids: Sequence[int]
    start: int
    stop: int
    kept: Sequence[bool] = ()
    left: int = 0


def stack(rows: Sequence[Row], examples: Sequence[Example], pad: int, room: int) -> Batch:
    """Stack rows to a batch, padded on the left of their ``left`` tokens, else on the right.

    A gap is open if it lies inside the brackets, both ends included. ``room``: see `Batch`.
    """
    left = max(row.left for row in rows)
    width = left + max(len(row.ids) - row.left for row in rows)
    x0 = torch.full((len(rows), width), pad)
    inside, free, open_ = torch.zeros(3, len(rows), width, dtype=torch.bool)
    packed = any(example.document for example in examples)
    attend = torch.zeros(len(rows), width, dtype=torch.long if packed else torch.bool)
    for i, row in enumerate(rows):
        shift = left - row.left
        start, stop = shift + row.start, shift + row.stop
        x0[i, shift : shift + len(row.ids)] = torch.tensor(row.ids, dtype=torch.long)
        attend[i, shift : shift + len(row.ids)] = _documents(row, examples[i])
        inside[i, start:stop] = True
        free[i, start:stop] = True
        if row.kept:
            free[i, start : start + len(row.kept)] = ~torch.tensor(row.kept, dtype=torch.bool)
        open_[i, start - bool(row.start) : stop] = True
        if gaps := examples[i].gaps:
            open_[i, start - 1 : start - 1 + len(gaps)] = torch.tensor(gaps, dtype=torch.bool)
    example = torch.tensor([example.index for example in examples])
    cut = torch.tensor([example.cut for example in examples])
    seen = attend if packed or not attend.all() else None
    draft = _drafts(rows, examples, left, width, pad)
    return Batch(x0, inside, free, open_, seen, example, room, cut, draft)


def _drafts(
    rows: Sequence[Row], examples: Sequence[Example], left: int, width: int, pad: int
) -> Draft | None:
    """Return the drafts that examples bring, to be put between the given tokens of rows.

    None where they bring none.  Raises ValueError where only some do, or where a draft lacks a
    given token.
    """
    if all(example.draft is None for example in examples):
        return None
    parts = [_parts(row, one, left) for row, one in zip(rows, examples, strict=True)]
    size = max(map(len, parts))
    token, gap = torch.full((len(rows), size), pad), torch.full((len(rows), size), width)
    for i, part in enumerate(parts):
        for k, one in enumerate(part):
            token[i, k], gap[i, k] = one
    return Draft(token, gap)


def _parts(row: Row, example: Example, left: int) -> list[tuple[int, int]]:
    """Return each token of a draft that is not given, with the place of the given one before it."""
    if example.draft is None:
        raise ValueError(f"example {example.index} brings no draft, and others here do")
    kept = example.kept or [False] * len(example.draft)
    start = left - row.left + row.start
    places = [start - 1, *(start + place for place, one in enumerate(example.given) if one)]
    if sum(kept) != len(places) - 1:
        lacks = f"{sum(kept)} of the {len(places) - 1} given tokens"
        raise ValueError(f"the draft of example {example.index} has {lacks}")
    before = accumulate(kept, initial=0)
    pairs = zip(example.draft, kept, before, strict=False)
    return [(token, places[number]) for token, given, number in pairs if not given]


def _begun(example: Example) -> Example:
    """Return an example without gaps before or in its beginning, if it gives one."""
    known = sum(example.given)
    if not known or example.gaps:
        return example
    return replace(example, gaps=[*[False] * known, *[True] * (len(example.body) - known + 1)])


def _documents(row: Row, example: Example) -> Int[Tensor, " tokens"]:
    """Number the documents of a row's tokens, from 1.

    Tokens before the body belong to the first document, tokens behind it to the last.
    """
    numbers = torch.ones(len(row.ids), dtype=torch.long)
    if example.document:
        document = torch.tensor(example.document)
        numbers[row.start :] += document[-1] - document[0]
        numbers[row.start : row.start + len(document)] = 1 + document - document[0]
    return numbers


class Layout(ABC):
    """The layout of one kind of example (``text``, ``seq2seq``, ``infill``).

    A call with examples returns a batch. ``predicts`` names the specials inside the brackets,
    which heads may predict beside the body tokens. ``fills``: the brackets are filled up to the
    capacity of the body, so that its length is predicted rather than given. ``begins``: only the
    beginning of a body can be given. ``given``: what the family's likelihood is conditioned on, of
    ``prompt``, ``tokens`` (those that an example gives), ``length`` and ``end`` (the layout shows
    where a text is cut). ``body`` is its capacity.
    """

    predicts: ClassVar[tuple[str, ...]] = ()
    fills: ClassVar[bool] = False
    begins: ClassVar[bool] = False
    given: ClassVar[tuple[str, ...]] = ()

    def __init__(self, vocab: Vocabulary, body: int) -> None:
        self.vocab = vocab
        self.body = body

    @abstractmethod
    def row(self, example: Example) -> Row:
        """Lay out one example."""

    @cached_property
    def _room(self) -> int:
        full = self.row(Example(0, [self.vocab["pad"]] * self.body))
        return full.stop - full.start

    def __call__(self, examples: Sequence[Example]) -> Batch:
        """Lay out and stack examples.

        Raises:
            ValueError: if a body has more tokens than the capacity (nothing is cut off here; a
                draft may have more), or if tokens are given behind one that is not and only a
                beginning can be.
        """
        for example in examples:
            if len(example.body) > self.body and example.body != example.draft:
                size = f"{len(example.body)} tokens, and there is room for {self.body}"
                raise ValueError(f"the body of example {example.index} has {size}")
            if self.begins and any(b > a for a, b in pairwise(example.given)):
                raise ValueError(
                    f"example {example.index} gives tokens behind others that are not given, but "
                    "this layout can only be given a beginning"
                )
        if self.begins:
            examples = [_begun(example) for example in examples]
        rows = [self.row(example) for example in examples]
        return stack(rows, examples, self.vocab["pad"], self._room)

"""The difference of two states of a text that is being decoded, token by token."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Generic, Literal, TypeVar

from attrs import frozen

Kind = Literal["kept", "masked", "unmasked", "inserted", "remasked", "replaced", "deleted"]


T = TypeVar("T")  # an id, or a word


@frozen
class Piece(Generic[T]):
    """A token of a state, and what became of it; a ``deleted`` one is of the state before."""

    id: T
    kind: Kind


def changes(before: Sequence[T], after: Sequence[T], mask: T | None) -> list[Piece[T]]:
    """Return the tokens of a state with their changes, those that were deleted among them.

    States of one length are compared place by place; else the longest equal parts are aligned.
    """
    if len(before) == len(after):
        return [_changed(a, b, mask) for a, b in zip(before, after, strict=True)]
    found: list[Piece[T]] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for _, i, i_end, j, j_end in matcher.get_opcodes():
        found += _aligned(before[i:i_end], after[j:j_end], mask)
    return found


def _aligned(before: Sequence[T], after: Sequence[T], mask: T | None) -> Iterator[Piece[T]]:
    """Yield the pieces of two parts, paired from the left."""
    for a, b in zip_longest(before, after):
        if b is None:
            yield Piece(a, "deleted")
        elif a is None:
            yield Piece(b, "inserted")
        else:
            yield _changed(a, b, mask)


def _changed(before: T, after: T, mask: T | None) -> Piece[T]:
    if before == after:
        return Piece(after, "masked" if after == mask else "kept")
    if before == mask:
        return Piece(after, "unmasked")
    return Piece(after, "remasked" if after == mask else "replaced")

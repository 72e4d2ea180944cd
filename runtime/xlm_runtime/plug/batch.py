"""The data that the runtime hands to a package: examples, batches, and the ids of a vocabulary."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import torch

from xlm_runtime.shapes import Attend, Bool, Int, Tensor

M = TypeVar("M", bound="Movable")


class Movable:
    """Base of frozen dataclasses of tensors that travel between host and device."""

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """Return a copy whose tensors are on another device."""
        return self._each(lambda x: x.to(*args, **kwargs))

    def pin_memory(self: M) -> M:
        """Return a copy in page-locked memory, from which copies to a GPU are asynchronous."""
        return self._each(lambda x: x.pin_memory())

    def _each(self: M, f: Callable[[Tensor], Tensor]) -> M:
        named = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        moved = {k: f(v) for k, v in named.items() if isinstance(v, Tensor)}
        parts = {k: v._each(f) for k, v in named.items() if isinstance(v, Movable)}
        return replace(self, **moved, **parts)  # type: ignore[type-var]


@dataclass(frozen=True)
class Vocabulary:
    """The token ids that a package needs to know.

    ``specials`` maps the names of special tokens (``pad``, ``mask``, ``bos``, ``eos``, ``cls``) to
    their ids; every other id below ``size`` is a body token.
    """

    size: int
    specials: Mapping[str, int]

    def __getitem__(self, special: str) -> int:
        """Return the id of a special token.  Raises KeyError with the name of a missing one."""
        if special not in self.specials:
            raise KeyError(f"the tokenizer has no special token '{special}'")
        return self.specials[special]

    def allowed(self, specials: Iterable[str]) -> Bool[Tensor, " vocab"]:
        """Return a mark for each id that a head may predict: body tokens and the named specials."""
        allowed = torch.ones(self.size, dtype=torch.bool)
        allowed[list(self.specials.values())] = False
        allowed[[self[name] for name in specials]] = True
        return allowed


@dataclass(frozen=True)
class Example:
    """An example of a task: token ids without any layout.

    ``given`` marks the tokens of ``body`` that an infilling layout keeps; ``index`` is the stable
    place of the example in its data and keys all its randomness. ``gaps`` marks the gaps before
    and behind the tokens of ``body`` into which may be inserted; empty for all of them.
    ``document`` is the rising number of the document of each token, if ``body`` concatenates
    several; else empty. ``cut``: the text continues beyond ``body``, so that its end is not there.
    ``draft``: the row of which decoding makes the body, where the example brings its own; ``kept``
    marks the tokens of it that are the given ones, each of which is there.
    """

    index: int
    body: Sequence[int]
    prompt: Sequence[int] = ()
    given: Sequence[bool] = ()
    gaps: Sequence[bool] = ()
    document: Sequence[int] = ()
    cut: bool = False
    draft: Sequence[int] | None = None
    kept: Sequence[bool] = ()


@dataclass(frozen=True)
class Draft(Movable):
    """The tokens of drafts, between those that are given.

    token: their ids.  gap: the given token before each, in order; the width of the row for those
    that are not there, which come last.
    """

    token: Int[Tensor, "batch draft"]
    gap: Int[Tensor, "batch draft"]


@dataclass(frozen=True)
class Batch(Movable):
    """Examples laid out.

    x0: the clean ids, padding included.
    inside: the positions inside the layout's brackets.
    free: those of them that are not given: what noise, loss and decoder may touch.
    open: the gaps (the one to the right of each position) into which a decoder may insert.
    attend: the positions that are not padding, or None where there is no padding at all; where
        rows hold several documents, the number of each position's, from 1, and 0 at padding.
    example: the index of each example in its data.
    room: how many positions the brackets of a full row have, whatever the rows here are padded to.
    cut: the rows whose text continues beyond the body, so that it is unknown whether anything is
        missing.
    draft: the drafts that the examples bring, or None where they bring none.
    """

    x0: Int[Tensor, "batch length"]
    inside: Bool[Tensor, "batch length"]
    free: Bool[Tensor, "batch length"]
    open: Bool[Tensor, "batch length"]
    attend: Attend
    example: Int[Tensor, " batch"]
    room: int
    cut: Bool[Tensor, " batch"]
    draft: Draft | None = None

    @property
    def position(self) -> Int[Tensor, "batch length"]:
        """The place of each token in its own row: padding before it shifts nothing.

        It keys the noise of a token, so that a row's draws do not depend on its padding.
        """
        if self.attend is None:
            return torch.arange(self.x0.shape[1], device=self.x0.device).expand_as(self.x0)
        return self.attend.bool().cumsum(1) - 1

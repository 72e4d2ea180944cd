"""Drafts, and texts on their way to one."""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from xlm_runtime.plug import Batch, Draft, Movable
from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .alignment import Alignment, Packed, align


@dataclass(frozen=True)
class Mixed(Movable):
    """Texts that are in part those of their drafts.

    xt: the tokens that show, closed up; padding after them.
    attend: the positions of xt that hold a token.
    free: those of them that may change.
    open: the gaps of xt (right of each position) into which a token may go.
    clean: xt with the text's token in the place of each that is paired with one.
    extra: the tokens of xt that have to go.
    changed: those that have to become another one.
    gone: the tokens that are missing, by their place in x0.
    gap: the position in xt of each token of x0, or if it is missing, of the one to its left.
    """

    xt: Int[Tensor, "batch columns"]
    attend: Bool[Tensor, "batch columns"]
    free: Bool[Tensor, "batch columns"]
    open: Bool[Tensor, "batch columns"]
    clean: Int[Tensor, "batch columns"]
    extra: Bool[Tensor, "batch columns"]
    changed: Bool[Tensor, "batch columns"]
    gone: Bool[Tensor, "batch length"]
    gap: Int[Tensor, "batch length"]

    @property
    def missing(self) -> Int[Tensor, "batch columns"]:
        """The number of tokens that are missing from each gap of xt."""
        return torch.zeros_like(self.xt).scatter_add(1, self.gap, self.gone.long())


def any_gaps(
    open_: Bool[Tensor, "batch columns"], u: Float[Tensor, "batch draft"]
) -> Int[Tensor, "batch draft"]:
    """Draw an open gap for each token of a draft, any as likely; in order."""
    number = open_.sum(1, keepdim=True)
    order = F.pad((~open_).long().argsort(dim=1, stable=True), (0, 1), value=open_.shape[1])
    which = torch.where(number > 0, (u * number).long(), open_.shape[1])
    return order.gather(1, which.sort(1).values)


@dataclass(frozen=True)
class Pairs:
    """An alignment of texts with drafts, by places of the text.

    partner: the token of the draft that each of the text is paired with; -1 for none.
    extra: the tokens of the draft that are not paired.  before: the token of the text before each.
    """

    partner: Int[Tensor, "batch length"]
    extra: Bool[Tensor, "batch draft"]
    before: Int[Tensor, "batch draft"]


def stretches(
    batch: Batch,
) -> tuple[Bool[Tensor, "batch length"], Int[Tensor, "batch length"]]:
    """Mark the tokens that may change, and return the place of the given one before each."""
    free = batch.free if batch.attend is None else batch.free & batch.attend.bool()
    place = torch.arange(free.shape[1], device=free.device)
    return free, torch.where(free, -1, place).cummax(1).values


def copied(
    batch: Batch,
    rate: float,
    u: Float[Tensor, "batch length"],
    token: Int[Tensor, "batch length"],
) -> Draft:
    """Copy texts, in which free tokens are deleted, replaced or followed by others.

    Each of the three has the chance ``rate`` / 3, by u in [0, 1); ``token``: the other ones.
    """
    free, given = stretches(batch)
    stays, replaced, followed = (u >= rate / 3), (u < 2 * rate / 3), (u >= 2 * rate / 3)
    there = torch.stack([free & stays, free & followed & (u < rate)], 2).flatten(1)
    both = torch.stack([torch.where(replaced, token, batch.x0), token], 2).flatten(1)
    gap = given.repeat_interleave(2, 1).masked_fill(~there, free.shape[1])
    order = (~there).long().argsort(dim=1, stable=True)[:, : int(there.sum(1).max())]
    return Draft(both.gather(1, order), gap.gather(1, order))


def aligned(batch: Batch, draft: Draft, u: Float[Tensor, "batch columns"]) -> Pairs:
    """Draw an alignment of each text with its draft, of those with the fewest edits."""
    width = batch.x0.shape[1]
    seen, given = stretches(batch)
    order = (~seen).long().argsort(dim=1, stable=True)[:, : int(seen.sum(1).max())]
    free = seen.gather(1, order)
    stretch = given.gather(1, order).masked_fill(~free, width + 1)
    text = Packed(batch.x0.gather(1, order), stretch)
    found: Alignment = align(Packed(draft.token, draft.gap), text, u)
    partner = torch.full_like(batch.x0, -1)
    partner = partner.scatter(1, order, found.partner.masked_fill(~free, -1))
    last = F.pad(order, (1, 0), value=-1).gather(1, found.after)
    return Pairs(partner, found.extra & (draft.gap < width), last.maximum(draft.gap))


def mixed(
    batch: Batch,
    draft: Draft,
    pairs: Pairs,
    turned: Bool[Tensor, "batch length"],
    added: Bool[Tensor, "batch draft"],
    pad: int,
) -> Mixed:
    """Show the draft's side of the columns of some tokens of the text, and some of its extra ones.

    The gaps beside the tokens of a draft are open.
    """
    x0, size = batch.x0, draft.token.shape[1]
    other = F.pad(draft.token, (1, 0)).gather(1, pairs.partner + 1)
    paired = pairs.partner >= 0
    changed, gone = turned & paired & (other != x0), turned & ~paired
    here = ~gone if batch.attend is None else ~gone & batch.attend.bool()
    steps = torch.arange(1, size + 1, device=x0.device)
    place = torch.arange(x0.shape[1], device=x0.device) * (size + 1)
    column = torch.cat([place.expand_as(x0), pairs.before * (size + 1) + steps], 1).argsort(1)
    shown = torch.cat([here, added], 1).gather(1, column)
    width = int(shown.sum(1).max())
    order = column.gather(1, (~shown).long().argsort(dim=1, stable=True)[:, :width])
    stays = torch.arange(width, device=x0.device) < shown.sum(1, keepdim=True)
    at = torch.zeros_like(column).scatter(1, column, shown.cumsum(1) - 1)
    none = torch.zeros_like(added)

    def marked(text: Tensor, extra: Tensor) -> Tensor:
        return stays & torch.cat([text, extra], 1).gather(1, order)

    def written(text: Tensor) -> Tensor:
        return torch.cat([text, draft.token], 1).gather(1, order).masked_fill(~stays, pad)

    return Mixed(
        xt=written(torch.where(changed, other, x0)),
        attend=stays,
        free=marked(batch.free, added),
        open=marked(batch.open, added),
        clean=written(x0),
        extra=marked(torch.zeros_like(gone), added),
        changed=marked(changed, none),
        gone=gone,
        gap=at[:, : x0.shape[1]].clamp(min=0),
    )

"""Alignments of drafts with texts by as few edits as can be, any as likely.

Rows are packed: the tokens that may change, from left to right. The given tokens between them cut
a row into stretches; tokens of different stretches are never paired. A stretch is named by the
place of the given token before it.
"""

from dataclasses import dataclass

import torch

from xlm_runtime.shapes import Bool, Float, Int, Tensor

EDIT = 1e6  # what an edit costs beside the logarithm of a number of alignments

DELETE = 0  # the last column of an alignment is a token of the draft alone
INSERT = 1  # one of the text alone; 2: one of each


@dataclass(frozen=True)
class Packed:
    """The tokens of rows that may change.

    token: their ids.  stretch: where each is, in order; padding is beyond all of them.
    """

    token: Int[Tensor, "batch tokens"]
    stretch: Int[Tensor, "batch tokens"]


@dataclass(frozen=True)
class Alignment:
    """An alignment of each row: pairs of a token of the text and one of the draft, and the rest.

    partner: of each token of the text, that of the draft; -1 if it has none.
    extra: the tokens of the draft without one.  after: for each of these, how many tokens of the
    text come before it.
    """

    partner: Int[Tensor, "batch text"]
    extra: Bool[Tensor, "batch draft"]
    after: Int[Tensor, "batch draft"]


def align(draft: Packed, text: Packed, u: Float[Tensor, "batch columns"]) -> Alignment:
    """Draw one of the alignments with the fewest insertions, deletions and substitutions.

    ``u``: draws from [0, 1), one for each number of tokens that both have together, from 0 on.
    """
    moves = last_columns(draft, text, u)
    size, length = draft.token.shape[1], text.token.shape[1]
    place = torch.arange(length + 1, device=u.device)
    partner = torch.full_like(text.token, -1)
    extra = torch.zeros_like(draft.token, dtype=torch.bool)
    after = torch.zeros_like(draft.token)
    j = torch.full((len(u), 1), length, device=u.device)  # how many tokens of the text are left
    for i in range(size, 0, -1):
        move = moves[:, i]
        stop = torch.where(move == INSERT, -1, place).cummax(1).values  # left of missing tokens
        j = stop.gather(1, j)
        extra[:, i - 1] = (gone := move.gather(1, j) == DELETE)[:, 0]
        after[:, i - 1] = j[:, 0]
        j = j - (~gone).long()
        row = (~gone)[:, 0].nonzero()[:, 0]
        partner[row, j[row, 0]] = i - 1
    return Alignment(partner, extra, after)


def last_columns(
    draft: Packed, text: Packed, u: Float[Tensor, "batch columns"]
) -> Int[Tensor, "batch drafted written"]:
    """Draw, at [i, j], the last column of an alignment of i tokens of a draft with j of a text.

    Each of the alignments with the fewest edits is as likely. They are counted, all at a time, as
    logarithms of numbers, from which each edit takes so much that no others count.
    """
    length = text.token.shape[1]
    end = torch.full_like(u[:, :1], torch.iinfo(torch.long).max, dtype=torch.long)
    of_draft, of_text = torch.cat([draft.stretch, end], 1), torch.cat([text.stretch, end], 1)
    cost = EDIT * torch.arange(length + 1, dtype=torch.float64, device=u.device)
    never = torch.full((len(u), length + 1), -torch.inf, dtype=torch.float64, device=u.device)
    total, moves = never, []
    for i in range(draft.token.shape[1] + 1):
        gone, pair = never, never
        if i == 0:
            pair = torch.where(cost == 0, 0, never)  # the one alignment of nothing with nothing
        else:
            token, stretch = draft.token[:, i - 1, None], draft.stretch[:, i - 1, None]
            gone = torch.where(stretch <= of_text, total - EDIT, never)
            same = torch.where(text.token == token, total[:, :-1], total[:, :-1] - EDIT)
            same = torch.where(text.stretch == stretch, same, -torch.inf)
            pair = torch.cat([never[:, :1], same], 1)
        total = (torch.logaddexp(gone, pair) + cost).logcumsumexp(1) - cost
        far = text.stretch > of_draft[:, i, None]  # the next token of the draft has to come first
        total[:, 1:] = total[:, 1:].masked_fill(far, -torch.inf)
        new = torch.cat([never[:, :1], total[:, :-1] - EDIT], 1)
        moves.append(drawn_move(torch.stack([gone, new, pair]) - total, u[:, i : i + length + 1]))
    return torch.stack(moves, 1)


def drawn_move(
    share: Float[Tensor, "moves batch written"], u: Float[Tensor, "batch written"]
) -> Int[Tensor, "batch written"]:
    """Draw one of three moves by the logarithms of their shares."""
    upto = share.exp().cumsum(0)
    target = torch.minimum(u * upto[2], upto[2].nextafter(torch.zeros_like(u)))
    return (target >= upto[0]).to(torch.int8) + (target >= upto[1]).to(torch.int8)

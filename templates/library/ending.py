"""Rows whose text has ended before all of it is there, and what becomes of them.

Edits that follow a step. Only rows into which tokens came are read, in one copy from the device.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from xlm_runtime.plug import Ended
from xlm_runtime.shapes import Bool, Int, Tensor

from .canvas import Canvas

OUTSIDE = -1  # is read where there is no text
MASKED = -2  # is read where there is a mask
Text = tuple[int, list[int], list[int], int]  # a row, the columns of its text, its ids, see `read`


def fill_up(canvas: Canvas, before: Canvas, ended: Ended | None) -> Canvas:
    """Put padding in place of the masks of the rows whose text has ended.

    The text is the part inside the brackets before the first mask: nothing changes it later. It
    ends behind the last given token.
    """
    if ended is None:
        return canvas
    text, given, masked = begun(canvas), canvas.inside & ~canvas.free, canvas.masked
    grown = (text != begun(before)).any(1)
    settled = ~(masked & up_to(given)).any(1)  # no mask is before a given token
    rows = grown & settled & masked.any(1)
    rows = over(canvas.x, text, given, rows, ended).to(rows.device)
    x = canvas.x.masked_fill(rows[:, None] & masked, canvas.network.vocab["pad"])
    return replace(canvas, x=x, answer=None)


def begun(canvas: Canvas) -> Bool[Tensor, "batch length"]:
    """Return the places inside the brackets before the first mask."""
    return canvas.inside & (canvas.masked.cumsum(1) == 0)


def go_no_further(canvas: Canvas, before: Canvas, ended: Ended | None) -> Canvas:
    """Close the rows whose text has ended with the last token, which is new.

    The whole text is read only if its last tokens alone hold a string that ends it.
    """
    del before
    if ended is None:
        return canvas
    rows, given, reach = canvas.open[:, -1], canvas.inside & ~canvas.free, ended.reach
    last = (one[:, -reach:] for one in (canvas.x, canvas.inside, given))
    found = over(*last, rows, ended)
    if canvas.x.shape[1] > reach and found.any():
        found = over(canvas.x, canvas.inside, given, found.to(rows.device), ended)
    return canvas.close(found.to(rows.device))


def over(
    x: Int[Tensor, "batch length"],
    text: Bool[Tensor, "batch length"],
    given: Bool[Tensor, "batch length"],
    rows: Bool[Tensor, " batch"],
    ended: Ended,
) -> Bool[Tensor, " batch"]:
    """Return those of some rows whose text has ended, on the host."""
    found = torch.zeros(len(x), dtype=torch.bool)
    for row, _, ids, known in read(x, text, given, rows):
        found[row] = ended(ids, known)
    return found


def read(
    x: Int[Tensor, "batch length"],
    text: Bool[Tensor, "batch length"],
    given: Bool[Tensor, "batch length"],
    rows: Bool[Tensor, " batch"],
) -> Iterator[Text]:
    """Yield the text of each chosen row, and the number of its tokens up to the last given one."""
    known = (text & up_to(given)).sum(1)
    ids = x.masked_fill(~text, OUTSIDE)
    table = torch.cat([rows[:, None], known[:, None], ids], 1).cpu()
    for row in table[:, 0].nonzero()[:, 0].tolist():
        number, *values = table[row, 1:].tolist()
        columns = [i for i, one in enumerate(values) if one != OUTSIDE]
        yield row, columns, [values[i] for i in columns], number


def up_to(given: Bool[Tensor, "batch length"]) -> Bool[Tensor, "batch length"]:
    """Return the places up to the last one that is given."""
    return given.flip(1).cumsum(1).flip(1) > 0


def cut_off(canvas: Canvas, before: Canvas, ended: Ended | None) -> Canvas:
    """Take out what follows the first string that ends a text, and close its gaps for good.

    Tokens still come before the string, none between its own and none behind it. It has no mask in
    it and is behind the last token that is given. Those that are taken out leave no
    room for others: a row ends, whatever comes into it.
    """
    if ended is None:
        return canvas
    inside, masked = canvas.inside, canvas.masked
    grown = (inside.sum(1) != before.inside.sum(1)) | (masked.sum(1) != before.masked.sum(1))
    x, given = canvas.x.masked_fill(masked, MASKED), inside & ~canvas.free
    width = x.shape[1]
    edges, longer = torch.full((len(x), 2), width), False  # columns of a string: first, behind last
    for row, columns, ids, known in read(x, inside, given, grown):
        first, end = first_string(ids, known, ended)
        if first < end:
            edges[row] = torch.tensor([columns[first], [*columns, width][end]])
            longer |= end < len(ids)
    column = torch.arange(width, device=x.device)
    closed, behind = (inside & (column >= one[:, None]) for one in edges.to(x.device).unbind(1))
    canvas = replace(canvas, open=canvas.open & ~closed, answer=None)
    if not longer:
        return canvas
    gone = behind & canvas.free
    return replace(canvas.remove(gone), room=canvas.room - gone.sum(1)).close_full()


def first_string(ids: Sequence[int], given: int, ended: Ended) -> tuple[int, int]:
    """Return where the first string that ends a text begins and ends; (0, 0) if there is none."""
    masks = [i for i, one in enumerate(ids) if one == MASKED]
    for start, stop in zip([0, *(i + 1 for i in masks)], [*masks, len(ids)], strict=True):
        known = max(0, given - start)
        if known < stop - start and ended(ids[start:stop], known):
            first, end = narrowed(ids[start:stop], known, ended)
            return start + first, start + end
    return 0, 0


def narrowed(ids: Sequence[int], known: int, ended: Ended) -> tuple[int, int]:
    """Return where the first string that ends a text begins, and where it stops.

    A text that ends does so with more tokens on either side, too.
    """

    def whole(end: int) -> bool:
        return ended(ids[:end], min(known, end))

    end = 1 + bisect_left(range(1, len(ids)), True, key=whole)

    def split(first: int) -> bool:
        return not ended(ids[first:end], max(0, known - first))

    return bisect_left(range(1, end), True, key=split), end

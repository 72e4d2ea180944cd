"""Rows whose text has ended before all of it is there, and what becomes of them."""

from dataclasses import replace

import torch

from xlm_runtime.plug import Ended
from xlm_runtime.shapes import Bool, Int, Tensor

from .canvas import Canvas


def fill_up(canvas: Canvas, ended: Ended | None) -> Canvas:
    """Put padding in place of the masks of the rows whose text has ended."""
    if ended is None:
        return canvas
    places = over(canvas, ended)[:, None] & canvas.masked
    return replace(canvas, x=canvas.x.masked_fill(places, canvas.network.vocab["pad"]))


def go_no_further(canvas: Canvas, ended: Ended | None) -> Canvas:
    """Close the rows whose text has ended."""
    return canvas if ended is None else canvas.close(over(canvas, ended))


def over(canvas: Canvas, ended: Ended) -> Bool[Tensor, " batch"]:
    """Return the active rows whose text has ended.

    The text is the part inside the brackets before the first mask: nothing changes it later. It
    ends behind the last given token.
    """
    found = torch.zeros_like(canvas.calls, dtype=torch.bool)
    masked, given = canvas.masked, canvas.inside & ~canvas.free
    upto = given.flip(1).cumsum(1).flip(1) > 0  # the places up to the last one that is given
    active = (masked | canvas.open).any(1)
    for row in (active & ~(masked & upto).any(1)).nonzero()[:, 0].tolist():
        known = canvas.inside[row] & (masked[row].cumsum(0) == 0)
        found[row] = ended(canvas.x[row, known].tolist(), int((known & upto[row]).sum()))
    return found


def cut_off(canvas: Canvas, ended: Ended | None) -> Canvas:
    """Take out what follows the first string that ends a text, and close its gaps for good.

    Tokens still come before the string, none between its own and none behind it. It has no mask in
    it and is behind the last token that is given.
    """
    if ended is None:
        return canvas
    behind, closed = torch.zeros_like(canvas.open), torch.zeros_like(canvas.open)
    for row in range(len(canvas.x)):
        places = canvas.inside[row].nonzero()[:, 0]
        first, end = first_string(canvas, row, places, ended)
        if first < end:
            closed[row, places[first] :] = True
            behind[row, places[end:]] = True
    canvas = replace(canvas, open=canvas.open & ~closed, answer=None)
    gone = behind & canvas.free
    return canvas.remove(gone) if gone.any() else canvas


def first_string(
    canvas: Canvas, row: int, places: Int[Tensor, " places"], ended: Ended
) -> tuple[int, int]:
    """Return where the first string that ends a text begins and ends, counted in places of a row.

    An empty range, (0, 0), where there is none.
    """
    ids, free = canvas.x[row, places].tolist(), canvas.free[row, places].tolist()
    given = len(free) - next((i for i, one in enumerate(reversed(free)) if not one), len(free))
    masks = canvas.masked[row, places].nonzero()[:, 0].tolist()
    for start, stop in zip([0, *(i + 1 for i in masks)], [*masks, len(ids)], strict=True):
        known = max(0, given - start)
        if known < stop - start and ended(ids[start:stop], known):
            first, end = narrowed(ids[start:stop], known, ended)
            return start + first, start + end
    return 0, 0


def narrowed(ids: list[int], known: int, ended: Ended) -> tuple[int, int]:
    """Return the first string that ends a text: its first token, and the one behind its last."""
    end = len(ids)
    while end > 1 and ended(ids[: end - 1], min(known, end - 1)):
        end -= 1
    first = end - 1
    while first > 0 and not ended(ids[first:end], max(0, known - first)):
        first -= 1
    return first, end

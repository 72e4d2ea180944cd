"""Rows whose text has ended before all of it is there."""

import torch

from xlm_runtime.plug import Ended
from xlm_runtime.shapes import Bool, Tensor

from .canvas import Canvas


def over(canvas: Canvas, ended: Ended) -> Bool[Tensor, " batch"]:
    """Return the rows whose text has ended.

    The text is what stands inside the brackets before the first mask: nothing changes it later. It
    ends behind the last token that is given.
    """
    found = torch.zeros_like(canvas.calls, dtype=torch.bool)
    masked, given = canvas.masked, canvas.inside & ~canvas.free
    upto = given.flip(1).cumsum(1).flip(1) > 0  # the places up to the last one that is given
    for row in (masked.any(1) & ~(masked & upto).any(1)).nonzero()[:, 0].tolist():
        known = canvas.inside[row] & (masked[row].cumsum(0) == 0)
        found[row] = ended(canvas.x[row, known].tolist(), int((known & upto[row]).sum()))
    return found

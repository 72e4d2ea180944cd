"""Rows whose text has ended before all of it is there."""

import torch

from xlm_runtime.plug import Batch, Ended
from xlm_runtime.shapes import Bool, Int, Tensor


def cut(
    x: Int[Tensor, "batch length"],
    masked: Bool[Tensor, "batch length"],
    batch: Batch,
    ended: Ended | None,
    pad: int,
) -> Int[Tensor, "batch length"]:
    """Padding in the place of the masks of every row whose text has ended, so that it is done.

    The text is what stands inside the brackets before the first mask: nothing changes it later. It
    ends behind the last token that is given. Without ``ended`` no text does.
    """
    if ended is None:
        return x
    over = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    given = batch.inside & ~batch.free
    upto = given.flip(1).cumsum(1).flip(1) > 0  # the places up to the last one that is given
    for row in (masked.any(1) & ~(masked & upto).any(1)).nonzero()[:, 0].tolist():
        known = batch.inside[row] & (masked[row].cumsum(0) == 0)
        over[row] = ended(x[row, known].tolist(), int((known & upto[row]).sum()))
    return x.masked_fill(over[:, None] & masked, pad)

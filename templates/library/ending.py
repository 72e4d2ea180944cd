"""Rows whose text has ended before all of it is there."""

import torch

from xlm_runtime.plug import Ended
from xlm_runtime.shapes import Bool, Int, Tensor


def cut(
    x: Int[Tensor, "batch length"],
    masked: Bool[Tensor, "batch length"],
    inside: Bool[Tensor, "batch length"],
    ended: Ended | None,
    pad: int,
) -> Int[Tensor, "batch length"]:
    """Padding in the place of the masks of every row whose text has ended, so that it is done.

    The text is what stands inside the brackets before the first mask: nothing changes it later.
    Without ``ended`` no text has.
    """
    if ended is None:
        return x
    over = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    for row in masked.any(1).nonzero()[:, 0].tolist():
        known = inside[row] & (masked[row].cumsum(0) == 0)
        over[row] = ended(x[row, known].tolist())
    return x.masked_fill(over[:, None] & masked, pad)

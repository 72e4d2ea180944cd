"""Rows whose length changes: tokens leave them, and others go into their gaps."""

from dataclasses import replace

import torch
from torch.nn import functional as F

from xlm_runtime.plug import Batch
from xlm_runtime.shapes import Bool, Int, Tensor


def take_out(batch: Batch, gone: Bool[Tensor, "batch length"], pad: int) -> Batch:
    """The batch without some of its tokens: the others close up, in order, padding after them.

    The gaps of what is left stay open or closed as they were.
    """
    order = gone.long().argsort(dim=1, stable=True)
    stays = ~gone.gather(1, order)
    return replace(
        batch,
        x0=batch.x0.gather(1, order).masked_fill(~stays, pad),
        inside=stays & batch.inside.gather(1, order),
        free=stays & batch.free.gather(1, order),
        open=stays & batch.open.gather(1, order),
        attend=stays if batch.attend is None else stays & batch.attend.gather(1, order),
    )


def grow(batch: Batch, number: Int[Tensor, "batch length"], token: int, pad: int) -> Batch:
    """Put a number of equal tokens to the right of each position; what stands there moves on.

    The new tokens are free, and their gaps are open.
    """
    seen = torch.ones_like(batch.open) if batch.attend is None else batch.attend
    ends = number.cumsum(1) + torch.arange(1, number.shape[1] + 1, device=number.device)
    width = int(torch.where(seen, ends, 0).max())
    place = torch.arange(width, device=number.device).expand(len(number), -1).contiguous()
    source = torch.searchsorted(ends, place, right=True).clamp(max=number.shape[1] - 1)
    first = ends.gather(1, source) - number.gather(1, source) - 1
    new = (place > first) & (place < ends.gather(1, source))
    old = place == first
    return replace(
        batch,
        x0=torch.where(old, batch.x0.gather(1, source), torch.where(new, token, pad)),
        inside=new | (old & batch.inside.gather(1, source)),
        free=new | (old & batch.free.gather(1, source)),
        open=new | (old & batch.open.gather(1, source)),
        attend=new | (old & seen.gather(1, source)),
    )


def skip_row(
    number: Int[Tensor, "batch length"], room: Int[Tensor, " batch"]
) -> Int[Tensor, "batch length"]:
    """No insertion at all in a row in which they do not all find room."""
    return number * (number.sum(1) <= room)[:, None]


def drop_right(
    number: Int[Tensor, "batch length"], room: Int[Tensor, " batch"]
) -> Int[Tensor, "batch length"]:
    """As many insertions as find room, from the left."""
    taken = number.cumsum(1).minimum(room.clamp(min=0)[:, None])
    return taken - F.pad(taken, (1, 0))[:, :-1]

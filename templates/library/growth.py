"""Rows that tokens leave."""

from dataclasses import replace

from xlm_runtime.plug import Batch
from xlm_runtime.shapes import Bool, Tensor


def take_out(batch: Batch, gone: Bool[Tensor, "batch length"], pad: int) -> Batch:
    """Remove some tokens of a batch: the others close up, in order, with padding after them.

    The gaps beside the remaining tokens stay open or closed as they were.
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

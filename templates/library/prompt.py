"""What is given of a row, and where decoding begins."""

from xlm_runtime.plug import Batch
from xlm_runtime.shapes import Bool, Int, Tensor


def given(
    batch: Batch, pad: int
) -> tuple[Int[Tensor, "batch width"], Bool[Tensor, "batch width"], Bool[Tensor, "batch width"]]:
    """The tokens that are not free, aligned to the right: ids, what is no padding, what is inside.

    What stood at the free positions is not looked at.
    """
    known = ~batch.free if batch.attend is None else batch.attend & ~batch.free
    order = known.long().argsort(dim=1, stable=True)[:, -int(known.sum(1).max()) :]
    attend = known.gather(1, order)
    x = batch.x0.gather(1, order).masked_fill(~attend, pad)
    return x, attend, attend & batch.inside.gather(1, order)

"""The visible tokens around a masked one, weighted by a kernel of their distance."""

from collections.abc import Callable

import torch

from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor

from .backbone import attention_mask

Kernel = Callable[[Int[Tensor, "length length"]], Float[Tensor, "length length"]]


def geometric(p: float) -> Kernel:
    """Return the kernel p (1 - p)^(d - 1) of a distance d of at least 1; at p = 0 it is 0.

    Raises ValueError unless 0 <= p <= 1.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"the chance of a geometric kernel is from 0 to 1, not {p}")
    return lambda distance: p * (1 - p) ** (distance - 1)


def visible(
    kernel: Kernel,
    masked: Bool[Tensor, "batch length"],
    attend: Attend,
) -> Float[Tensor, "batch length"]:
    """Return, for each mask, the sum of a kernel over the unmasked positions of its document.

    Tokens outside the brackets, such as a prompt, are visible. At most 2 for a kernel that
    sums to 1 on either side.
    """
    place = torch.arange(masked.shape[1], device=masked.device)
    distance = (place[:, None] - place).abs()
    near = kernel(distance.clamp(min=1)).double()  # in which autocast leaves products alone
    sight = attention_mask(attend)
    if sight is None:
        return ((~masked).double() @ near).float()
    seen = (sight[:, 0] & ~masked[:, None]).double()  # batch queries length
    near = (seen @ near)[:, 0] if seen.shape[1] == 1 else (seen * near).sum(2)
    return near.float()

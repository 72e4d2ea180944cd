"""What can be seen around a token, and how much of it counts by its distance."""

from collections.abc import Callable

import torch

from xlm_runtime.shapes import Bool, Float, Int, Tensor

Kernel = Callable[[Int[Tensor, "length length"]], Float[Tensor, "length length"]]


def geometric(p: float) -> Kernel:
    """The kernel p (1 - p)^(d - 1) of a distance d of at least 1.

    Raises ValueError unless 0 < p <= 1.
    """
    if not 0 < p <= 1:
        raise ValueError(f"the chance of a geometric kernel is above 0 and at most 1, not {p}")
    return lambda distance: p * (1 - p) ** (distance - 1)


def visible(
    kernel: Kernel,
    masked: Bool[Tensor, "batch length"],
    attend: Bool[Tensor, "batch length"] | None,
) -> Float[Tensor, "batch length"]:
    """For each mask the sum of a kernel over the positions that hold no mask and no padding.

    What stands outside the brackets, a prompt for one, can be seen. At most 2 for a kernel that
    sums to 1 on either side.
    """
    place = torch.arange(masked.shape[1], device=masked.device)
    distance = (place[:, None] - place).abs()
    near = kernel(distance.clamp(min=1))
    seen = ~masked if attend is None else attend & ~masked
    return seen.to(near.dtype) @ near

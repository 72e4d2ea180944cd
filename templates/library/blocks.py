"""Blocks: the free places of a row, so many at a time from left to right."""

import torch

from xlm_runtime.shapes import Bool, Float, Int, Tensor


def block_of(free: Bool[Tensor, "batch length"], size: int) -> Int[Tensor, "batch length"]:
    """Return the block of each free place: a row's first ``size`` ones are block 0."""
    return (free.long().cumsum(1) - 1) // size


def block_count(free: Bool[Tensor, "batch length"], size: int) -> Int[Tensor, " batch"]:
    """Count the blocks of each row, at least 1; the last one may be shorter than ``size``."""
    return ((free.sum(1) + size - 1) // size).clamp(min=1)


def opened(
    free: Bool[Tensor, "batch length"], size: int, block: Int[Tensor, " batch"]
) -> Bool[Tensor, "batch length"]:
    """Return the free places of each row in its blocks up to ``block``."""
    return free & (block_of(free, size) <= block[:, None])


def leading(
    masked: Bool[Tensor, "batch length"], free: Bool[Tensor, "batch length"], size: int
) -> Bool[Tensor, "batch length"]:
    """Return the masks of each row in its first block that has masks."""
    block = block_of(free, size).masked_fill(~masked, masked.shape[1])
    return masked & (block == block.amin(1, keepdim=True))


def turn(
    step: int, steps: Int[Tensor, " batch"], blocks: Int[Tensor, " batch"]
) -> tuple[Int[Tensor, " batch"], Int[Tensor, " batch"], Int[Tensor, " batch"]]:
    """Return the block of each row at a step, its steps left, and its number of steps.

    The steps are shared evenly: block k begins at step ceil(k steps / blocks). A row whose steps
    are over is at block -1.
    """
    block = step * blocks // steps
    start, end = (-(-edge * steps // blocks) for edge in (block, block + 1))
    return torch.where(step < steps, block, -1), end - step, end - start


def of_block(
    values: Bool[Tensor, "batch length"], block: Int[Tensor, "batch length"]
) -> Int[Tensor, "batch length"]:
    """Return at each place the number of marked places of its block."""
    index = block + 1
    counts = torch.zeros(len(block), block.shape[1] + 1, dtype=torch.long, device=block.device)
    return counts.scatter_add(1, index, values.long()).gather(1, index)


def subset_of_each(
    u: Float[Tensor, "batch length"],
    free: Bool[Tensor, "batch length"],
    count: Int[Tensor, "batch length"],
    size: int,
) -> Bool[Tensor, "batch length"]:
    """Draw ``count`` free places of each block uniformly: those with the smallest u.

    All blocks but a row's last one have ``size`` places.
    """
    key = torch.where(free, block_of(free, size) + u, torch.inf)
    rank = key.argsort(1).argsort(1)
    return free & (rank % size < count)

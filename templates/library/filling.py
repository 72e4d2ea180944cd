"""Decoders that fill fixed places: their start, blocks and clocks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

import torch

from xlm_runtime.plug import Noise
from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .blocks import block_count, leading, opened, turn
from .canvas import Canvas, Decoding
from .ticks import Tick


@dataclass(frozen=True, kw_only=True)
class Filling(Decoding):
    """A decoder that fills the free places of a batch, whose number is given."""

    def start(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Mask all free places, whatever they hold; no gap gets a token."""
        return replace(canvas.mask(canvas.free), open=torch.zeros_like(canvas.open))

    def active(self, canvas: Canvas) -> Bool[Tensor, " batch"]:
        """Return the rows that hold a mask; no gap is open."""
        return canvas.masked.any(1)

    def candidates(self, canvas: Canvas, tick: Tick) -> Bool[Tensor, "batch length"]:
        """Return the masks that a step may reveal."""
        return canvas.masked


@dataclass(frozen=True, kw_only=True)
class Revising(Filling):
    """A decoder that masks tokens again."""

    def active(self, canvas: Canvas) -> Bool[Tensor, " batch"]:
        """Return all rows: up to the last step a token can become a mask again."""
        return torch.ones_like(canvas.calls, dtype=torch.bool)


@dataclass(frozen=True, kw_only=True)
class BlockTick(Tick):
    """The clock of a step in blocks: for each row its block, and the steps that this has left."""

    block: Int[Tensor, " batch"]
    rest: Int[Tensor, " batch"]

    def select(self, rows: Tensor) -> "BlockTick":
        """Return the tick of some rows."""
        named = {name: getattr(self, name)[rows] for name in ("t", "s", "block", "rest")}
        return replace(self, **named)


def uniform_blocks(canvas: Canvas, steps: int, size: int) -> Iterator[BlockTick]:
    """Return the ticks of a grid in each block; a row's steps are divided among its blocks.

    Each block has at least one step.
    """
    blocks = block_count(canvas.free, size)
    total = blocks.clamp(min=steps)
    for i in range(int(total.max())):
        block, left, share = turn(i, total, blocks)
        t, s = left.double() / share, (left - 1).double() / share
        yield BlockTick(t, s, block=block, rest=left)


def in_block(canvas: Canvas, tick: Tick, size: int) -> Bool[Tensor, "batch length"]:
    """Return the masks in each row's blocks up to the one that this step decodes."""
    return canvas.masked & blocks_so_far(canvas, tick, size)


def blocks_so_far(canvas: Canvas, tick: Tick, size: int) -> Bool[Tensor, "batch length"]:
    """Return the free places in each row's blocks up to the one that this step decodes."""
    assert isinstance(tick, BlockTick), "the ticks tell no blocks"
    return opened(canvas.free, size, tick.block)


def steps_left(tick: Tick) -> Int[Tensor, " batch"]:
    """Return how many steps the block of each row has left, this one included."""
    assert isinstance(tick, BlockTick), "the ticks tell no blocks"
    return tick.rest


def in_first_block(canvas: Canvas, size: int) -> Bool[Tensor, "batch length"]:
    """Return the masks in the first block of each row that has some."""
    return leading(canvas.masked, canvas.free, size)


Clock = Callable[[Tensor], Tensor]  # a function of the schedule


def events(canvas: Canvas, noise: Noise, corrupted: Clock, inverse: Clock) -> Iterator[Tick]:
    """Return the times at which the chain reveals the masks of each row, one after the other.

    Each is the latest of as many times as masks are left, below the one before.
    """
    t = torch.ones_like(canvas.calls, dtype=torch.float64)
    masked = canvas.masked.sum(1)
    for i in count():
        power = 1 / (masked - i).clamp(min=1)
        t = inverse(1 - corrupted(t) * noise.at(i).uniform("clock")[:, 0] ** power)
        yield Tick(t, t)


def mean_time(
    canvas: Canvas, masked: Bool[Tensor, "batch length"], inverse: Clock
) -> Float[Tensor, " batch"]:
    """Return the time at which as many tokens of each row are masked on average."""
    return inverse(1 - masked.sum(1) / canvas.free.sum(1).clamp(min=1))

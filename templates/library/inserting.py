"""Decoders that insert one token a step into every row."""

from abc import abstractmethod
from dataclasses import dataclass

import torch

from xlm_runtime.plug import Noise
from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .canvas import Canvas, Decoding, up_to_its_answer
from .ticks import Tick

Drawn = tuple[Int[Tensor, " batch"], Int[Tensor, " batch"]]  # a gap of each row, a token for it


@dataclass(frozen=True, kw_only=True)
class Inserting(Decoding):
    """A decoder that inserts one token a step, until a row stops or is full."""

    def start(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Take out all that is free between the brackets."""
        return canvas.remove(canvas.free).close_full()

    def step(self, canvas: Canvas, tick: Tick, noise: Noise) -> Canvas:
        """Insert one token into each row, unless it stops."""
        canvas, logits = self.logits(canvas, tick)
        stops = self.stops(canvas, noise)
        gap, token = self.pick(canvas, logits, noise)
        return canvas.insert_one(gap, token, ~stops).close(stops)

    @abstractmethod
    def logits(self, canvas: Canvas, tick: Tick) -> tuple[Canvas, Float[Tensor, "gaps vocab"]]:
        """Query the network; the logits at a row's open gaps are one joint distribution."""

    def stops(self, canvas: Canvas, noise: Noise) -> Bool[Tensor, " batch"]:
        """Return the rows that end before this step."""
        return torch.zeros_like(canvas.calls, dtype=torch.bool)

    @abstractmethod
    def pick(self, canvas: Canvas, logits: Float[Tensor, "gaps vocab"], noise: Noise) -> Drawn:
        """Return a gap of each row, and a token for it, by the logits of the open gaps."""


@dataclass(frozen=True, kw_only=True)
class Oracle(Inserting):
    """A decoder that inserts until a row is as long as its own answer."""

    def start(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Leave room for as many tokens as the example's answer has."""
        return super().start(up_to_its_answer(canvas), noise)

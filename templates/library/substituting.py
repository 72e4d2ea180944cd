"""Decoders that resample the tokens of fixed places."""

from dataclasses import dataclass, replace

import torch

from xlm_runtime.plug import Noise
from xlm_runtime.shapes import Bool, Tensor

from .canvas import Canvas, Decoding
from .randoms import random_tokens


@dataclass(frozen=True, kw_only=True)
class Substituting(Decoding):
    """A decoder that begins with random tokens, and may change each of them at every step."""

    def start(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Put random tokens in all free places; no gap gets a token."""
        u = noise.uniform("start", canvas.position)[canvas.free]
        begun = canvas.write(canvas.free, random_tokens(canvas.network.vocab, u))
        return replace(begun, open=torch.zeros_like(canvas.open))

    def active(self, canvas: Canvas) -> Bool[Tensor, " batch"]:
        """Return all rows with a free place: up to the last step a token can change."""
        return canvas.free.any(1)


@dataclass(frozen=True, kw_only=True)
class Restoring(Substituting):
    """A decoder that begins with masks, and may change each token at every step."""

    def start(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Mask all free places, whatever they hold; no gap gets a token."""
        return replace(canvas.mask(canvas.free), open=torch.zeros_like(canvas.open))

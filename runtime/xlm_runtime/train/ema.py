"""The exponential moving average of the weights: what is validated, evaluated and sampled from."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor, nn


class Ema(Callback):
    r"""Averages the weights after every step, with a warm-up.

    .. math:: a \leftarrow d\,a + (1-d)\,w, \qquad d = \min(\mathrm{decay}, (1+n)/(10+n))

    where n counts the updates before this one. Without the warm-up the average would be mostly the
    initial weights for the first 1 / (1 - decay) steps. It is kept in float32, whatever the weights
    are in: a step of 1e-4 of the way is lost to the rounding of bfloat16.
    """

    def __init__(self, decay: float, network: nn.Module) -> None:
        self.decay = decay
        self.updates = 0
        self.weights: list[Tensor] = list(network.parameters())
        self.average = [w.detach().float().clone() for w in self.weights]

    def on_train_start(self, *_: Any) -> None:
        """Follows the weights to their device."""
        self.average = [a.to(w.device) for a, w in zip(self.average, self.weights, strict=True)]

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """One update after each step (not after each accumulated part)."""
        if trainer.global_step > self.updates:
            self.update()

    @torch.no_grad()
    def update(self) -> None:
        """One update, as a single fused call for all weights."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.average, [w.float() for w in self.weights], 1 - decay)
        self.updates += 1

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network has the average in place of its weights within this context."""
        raw = [weight.data for weight in self.weights]
        for weight, average in zip(self.weights, self.average, strict=True):
            weight.data = average.to(weight.dtype)
        try:
            yield
        finally:
            for weight, data in zip(self.weights, raw, strict=True):
                weight.data = data

    def state_dict(self) -> dict[str, Any]:
        """The average and the number of updates."""
        return {"average": self.average, "updates": self.updates}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        self.average, self.updates = state_dict["average"], state_dict["updates"]

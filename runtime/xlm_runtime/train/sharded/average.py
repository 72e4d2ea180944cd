"""The moving average of sharded weights, in the same shards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor

from xlm_runtime.train.ema import Ema
from xlm_runtime.train.sharded.weights import gather, release
from xlm_runtime.train.shards import local


class ShardedEma(Ema):
    """`Ema` without Lightning's copy of the whole model, and whose state the strategy saves.

    It changes places with the weights in place, as they are gathered from where they lie.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(decay)
        self.named: dict[str, Tensor] = {}

    def setup(self, _: Trainer, pl_module: Any, stage: str) -> None:  # noqa: ARG002
        """Create the shards of the weights, and the average with the present ones."""
        pl_module.configure_model()
        self.network: Any = pl_module.network
        named = dict(self.network.named_parameters())
        self.weights = [*named.values()]
        self.named = {name: weight.detach().clone().float() for name, weight in named.items()}
        self.average = [local(one) for one in self.named.values()]

    @torch.no_grad()
    def update(self, before: int) -> None:
        """Update once, after ``before`` updates."""
        weights = [local(weight).float() for weight in self.weights]
        torch._foreach_lerp_(self.average, weights, 1 - self.share(before))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Replace the weights of the network by the average within this context."""
        release(self.network)
        raw = [local(weight).clone() for weight in self.weights]
        self._put(self.average)
        gather(self.network)
        try:
            yield
        finally:
            release(self.network)
            self._put(raw)

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        for weight, value in zip(self.weights, values, strict=True):
            local(weight).copy_(value)

    def on_train_end(self, *_: Any) -> None:
        """Leave the weights as they are: the average is saved."""

    def on_save_checkpoint(self, *_: Any) -> None:
        """Leave the average to the strategy, which saves shards."""

    def on_load_checkpoint(self, *_: Any) -> None:
        """Leave the average to the strategy, which has loaded it."""

"""The training step as Lightning runs it."""

import random
from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
import torch
from attrs import evolve
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.optim import Optimizer

from xlm_runtime.config import Train
from xlm_runtime.errors import RunError
from xlm_runtime.model import Model
from xlm_runtime.optim import optimizer, schedule
from xlm_runtime.plug import Batch, Noise


class Training(LightningModule):
    """The loss of a model at a step; its recent values wait in ``window`` for whoever logs them.

    All randomness is a function of (seed, step): corruption through `Noise`, and dropout since
    every step begins by seeding torch's generator (numpy's and Python's too, for foreign code).
    So a run that was interrupted goes on as if it had not been.
    """

    def __init__(self, model: Model, train: Train) -> None:
        super().__init__()
        self.network = model.network
        if train.compile:  # the loss alone: hashing the noise is no matter of speed
            model = evolve(model, objective=torch.compile(model.objective))
        self.model, self.train_config = model, train
        self.window = Window()

    def on_train_batch_start(self, _: Batch, batch_idx: int) -> None:
        """Seeds what `Noise` does not reach: a function of seed, part of a step, and rank."""
        reseed(self.train_config.seed, batch_idx * self.trainer.world_size + self.global_rank)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Corrupts the batch and returns its loss."""
        step = self.trainer.global_step
        losses = self.model.loss(batch, Noise(self.train_config.seed, batch.example, step))
        self.window.add(step, {"loss": losses.total, **losses.terms})
        return losses.total

    def configure_optimizers(self) -> Any:
        """AdamW and its schedule, advanced once per step."""
        made = optimizer(self.network, self.train_config)
        rate = {"scheduler": schedule(made, self.train_config), "interval": "step"}
        return {"optimizer": made, "lr_scheduler": rate}

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,  # noqa: ARG002
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,  # noqa: ARG002
    ) -> None:
        """Clips the norm of the gradient; Lightning's own way refuses fused optimisers in bf16."""
        if gradient_clip_val:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), gradient_clip_val)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, _: int) -> Batch:
        """Nothing to do where the batch is there already."""
        return batch if batch.x0.device == device else batch.to(device, non_blocking=True)

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute.  Lightning notes the name of each hook, 46 times per step, in one.

        `nn.Module` would look each time whether it is a parameter: 0.1 ms per step.
        """
        if name == "_current_fx_name":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def healthy(self) -> bool:
        """Whether every weight is finite (one synchronisation with the device)."""
        norms = torch._foreach_norm(list(self.network.parameters()))
        return bool(torch.stack(norms).isfinite().all())


def reseed(seed: int, counter: int) -> None:
    """Seeds every global generator from two numbers."""
    value = (seed * 0x9E3779B97F4A7C15 + counter * 0xD1342543DE82EF95) % (1 << 63)
    torch.default_generator.manual_seed(value)  # torch.manual_seed takes 0.2 ms
    if torch.cuda.is_available():
        torch.cuda.manual_seed(value)
    random.seed(value)
    np.random.seed(value % (1 << 32))


class Window:
    """The losses since the last report, left on their device until then."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._losses: list[Mapping[str, Tensor]] = []

    def add(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Remembers the losses of a step."""
        self._steps.append(step)
        self._losses.append({name: loss.detach() for name, loss in losses.items()})

    def means(self) -> dict[str, float]:
        """The mean of each term, and forgets them (one synchronisation with the device).

        Raises RunError at the first step with a loss that is not finite, naming step and terms.
        """
        steps, losses = self._steps, self._losses
        self._steps, self._losses = [], []
        if not losses:
            return {}
        names = list(losses[0])
        values = torch.stack(
            [torch.stack([terms[n].float() for n in names]) for terms in losses]
        ).cpu()
        for step, row in zip(steps, values.tolist(), strict=True):
            if not all(map(isfinite, row)):
                raise RunError(_not_finite(step, dict(zip(names, row, strict=True))))
        return dict(zip(names, values.double().mean(0).tolist(), strict=True))


def _not_finite(step: int, terms: Mapping[str, float]) -> str:
    named = ", ".join(f"{name}={value:.4g}" for name, value in terms.items())
    return (
        f"the loss is not finite at step {step} ({named}); the last good checkpoint is kept. "
        "Try a smaller train.learning_rate, a longer train.warmup or a smaller train.clip"
    )

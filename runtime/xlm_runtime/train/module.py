"""The training step as Lightning runs it."""

import random
from collections.abc import Mapping
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import evolve
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.optim import Optimizer

from xlm_runtime.config.config import Train
from xlm_runtime.model.evaluate import Total
from xlm_runtime.model.model import Model, save_weights
from xlm_runtime.plug import Batch, Losses, Noise
from xlm_runtime.system.errors import RunError
from xlm_runtime.train.accumulation import Parts
from xlm_runtime.train.lora import merged
from xlm_runtime.train.optim import optimizer, schedule
from xlm_runtime.train.recompute import recompute
from xlm_runtime.train.shards import local


class Training(LightningModule):
    """The loss of a model at a step; its recent values are collected in ``window`` for logs.

    All randomness is a function of (seed, step): corruption through `Noise`, and dropout since
    every step begins by seeding torch's generator (numpy's and Python's too, for foreign code). So
    an interrupted run resumes as if it had never stopped.
    """

    def __init__(self, model: Model, train: Train) -> None:
        super().__init__()
        self.network = model.network
        self.validated, self.held = model, Total()
        if train.recompute:
            recompute(self.network)
        if train.compile:  # the loss alone: hashing the noise is no matter of speed
            model = evolve(model, objective=torch.compile(model.objective))
        self.model, self.train_config = model, train
        self.window = Window()
        self.parts = Parts(train.accumulate * train.processes)

    def on_train_batch_start(self, _: Batch, batch_idx: int) -> None:
        """Seed all generators but `Noise`: by the seed, the part of a step, and the rank."""
        reseed(self.train_config.seed, batch_idx * self.trainer.world_size + self.global_rank)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Corrupt a part of a batch and return its loss, weighted as `Parts` does."""
        step, train = self.trainer.global_step, self.train_config
        part = batch_idx % train.accumulate * train.processes + self.global_rank
        noise = Noise(train.seed, batch.example, step, part, self.parts.number)
        losses = self.model.loss(batch, noise)
        self.window.add(step, losses)
        return self.parts.weighted(losses, batch)

    def on_validation_epoch_start(self) -> None:
        """Forget the losses of the validation before."""
        self.held = Total()

    def validation_step(self, batch: Batch) -> None:
        """Add the losses of a batch, in the precision in which the model is evaluated."""
        with torch.autocast(batch.x0.device.type, enabled=False):
            self.held.add(self.validated, batch)

    def on_before_optimizer_step(self, _: Optimizer) -> None:
        """Correct the weights of the parts of the batch, here and on other devices."""
        reduce = self.trainer.strategy.reduce
        self.parts.mend(self.network.parameters(), lambda x: reduce(x, reduce_op="sum"))

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Convert progress to the present number of parts of a step, which may have changed."""
        done = checkpoint["global_step"] * self.train_config.accumulate
        progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        for counts in (progress["total"], progress["current"]):
            counts.update(dict.fromkeys(counts, done))

    def configure_optimizers(self) -> Any:
        """Return the optimiser and its schedule, advanced once per step."""
        made = optimizer(self.network, self.train_config)
        rate = {"scheduler": schedule(made, self.train_config), "interval": "step"}
        return {"optimizer": made, "lr_scheduler": rate}

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,  # noqa: ARG002
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,  # noqa: ARG002
    ) -> None:
        """Clip the norm of the gradient; Lightning's own method fails for fused AdamW in bf16."""
        if gradient_clip_val:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), gradient_clip_val)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, _: int) -> Batch:
        """Move a batch without waiting for the device, unlike Lightning."""
        return batch if batch.x0.device == device else batch.to(device, non_blocking=True)

    def write(self, path: Path) -> None:
        """Write the weights by the first process, without adapters."""
        if self.global_rank == 0:
            save_weights(merged(self.network, self.train_config), path)

    def healthy(self) -> bool:
        """Return whether every weight is finite (one synchronisation with the device)."""
        norms = torch._foreach_norm([local(weight) for weight in self.network.parameters()])
        return bool(torch.stack(norms).isfinite().all())


def reseed(seed: int, counter: int) -> None:
    """Seed every global generator from two numbers."""
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
        self._names: list[str] = []
        self._rows: list[Tensor] = []

    def add(self, step: int, losses: Losses) -> None:
        """Keep the losses of a step, or of a part of it, and the number they are divided by."""
        values = {"loss": losses.total, **losses.terms}
        over = torch.as_tensor(losses.over).to(losses.total)
        self._steps.append(step)
        self._names = list(values)
        self._rows.append(torch.stack([over, *values.values()]).detach().float())

    def means(self) -> dict[str, float]:
        """Return the mean of each term over steps, and forget them (one synchronisation).

        The parts of a step are weighted as in the loss of the whole batch.

        Raises RunError at the first step with a loss that is not finite, naming step and terms.
        """
        steps, rows = torch.tensor(self._steps), self._rows
        self._steps, self._rows = [], []
        if not rows:
            return {}
        found = torch.stack(rows).cpu().double()
        over, values = found[:, :1], found[:, 1:]
        for step, row in zip(steps.tolist(), values.tolist(), strict=True):
            if not all(map(isfinite, row)):
                raise RunError(_not_finite(step, dict(zip(self._names, row, strict=True))))
        which = steps - steps[0]
        sums = torch.zeros(int(which[-1]) + 1, 1 + len(self._names), dtype=torch.float64)
        sums.index_add_(0, which, torch.cat([over, over * values], 1))
        means = (sums[:, 1:] / sums[:, :1].clamp(min=1)).mean(0)
        return dict(zip(self._names, means.tolist(), strict=True))


def _not_finite(step: int, terms: Mapping[str, float]) -> str:
    named = ", ".join(f"{name}={value:.4g}" for name, value in terms.items())
    return (
        f"the loss is not finite at step {step} ({named}); the last good checkpoint is kept. "
        f"{_remedy(terms)}"
    )


def _remedy(terms: Mapping[str, float]) -> str:
    """Suggest a remedy: inf means a token of chance 0 in the data, nan a divergence."""
    slower = "a smaller train.learning_rate, a longer train.warmup or a smaller train.clip"
    if inf in terms.values():
        return (
            "A loss of inf means a token whose chance is 0: look for special tokens in the "
            f"texts of the data. If there are none, try {slower}"
        )
    return f"Try {slower}"

"""The exponential moving average of the weights: what is validated, evaluated and sampled from."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from torch.optim import Optimizer

from xlm_runtime.system.env import device
from xlm_runtime.system.errors import UsageError
from xlm_runtime.train.optim import averaged, averages


class Ema(WeightAveraging):
    r"""Lightning's average of the weights after every step, with a warm-up.

    .. math:: a \leftarrow d\,a + (1-d)\,w, \qquad d = \min(\mathrm{decay}, (1+n)/(10+n))

    where n counts the steps before this one. Without the warm-up the average would be mostly the
    initial weights for the first 1 / (1 - decay) steps.

    Lightning makes it, saves it and loads it. It would round the average of bfloat16 weights to
    bfloat16, to which a step of 1e-4 of the way is lost, whenever it validates: here it is float32
    and changes places with them as it is. And it would wait for the GPU in every step, to look at a
    counter there: here one fused call updates all weights.

    Where the optimiser averages the weights itself, its average takes the place of this one.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(device(), use_buffers=False)
        self.decay = decay
        self.weights: list[Tensor] = []
        self.average: list[Tensor] = []
        self._validation = ExitStack()
        self._own: Optimizer | None = None  # an optimiser that averages

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Create the average, with the present weights."""
        super().setup(trainer, pl_module, stage)
        assert self._average_model is not None
        self._average_model.module.float()
        self.weights = list(pl_module.parameters())
        self.average = list(self._average_model.module.parameters())

    def on_train_start(self, trainer: Trainer, *_: Any) -> None:
        """Let an optimiser that averages begin to train."""
        (optimizer,) = trainer.optimizers
        averaged(optimizer, on=False)
        self._own = optimizer if averages(optimizer) else None

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Update after each step (not after each accumulated part)."""
        if self._own is None and trainer.global_step > self._latest_update_step:
            self.update(trainer.global_step - 1)
            self._latest_update_step = trainer.global_step

    @torch.no_grad()
    def update(self, before: int) -> None:
        """Update once, after ``before`` updates."""
        weights = [weight.float() for weight in self.weights]
        torch._foreach_lerp_(self.average, weights, 1 - self.share(before))

    def share(self, before: int) -> float:
        """Return what stays of the average at an update, after ``before`` of them."""
        return min(self.decay, (1 + before) / (10 + before))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Replace the weights of the network by the average within this context."""
        raw = [weight.data for weight in self.weights]
        if self._own is not None:  # it computes both in place, with roundings
            raw = [data.clone() for data in raw]
            averaged(self._own, on=True)
        else:
            for weight, average in zip(self.weights, self.average, strict=True):
                weight.data = average.detach().to(weight.dtype)
        try:
            yield
        finally:
            if self._own is not None:
                averaged(self._own, on=False)
            for weight, data in zip(self.weights, raw, strict=True):
                weight.data = data

    def on_validation_epoch_start(self, *_: Any) -> None:
        """Replace the weights by the average."""
        self._validation.enter_context(self.applied())

    def on_validation_epoch_end(self, *_: Any) -> None:
        """Leave the average in place for samples, which are drawn at the end of a validation."""

    def on_validation_end(self, *_: Any) -> None:
        """Restore the weights."""
        self._validation.close()

    def on_exception(self, *_: Any) -> None:
        """Restore the weights if a validation has failed."""
        self._validation.close()

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Load weights and average.  Raises UsageError for a state of an older version."""
        if "averaging_state" not in checkpoint:
            raise UsageError(
                f"{trainer.ckpt_path} is of an older version: training cannot resume from it. "
                f"Its weights can be evaluated and sampled from; to train, choose another --name"
            )
        super().on_load_checkpoint(trainer, pl_module, checkpoint)

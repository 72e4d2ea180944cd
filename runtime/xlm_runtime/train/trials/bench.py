"""A fit of a trial: Lightning's trainer without logs, checkpoints and validation."""

import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from attrs import evolve
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from xlm_runtime.config.config import Train
from xlm_runtime.plug import Batch
from xlm_runtime.system.env import device, quiet
from xlm_runtime.train.engine import engine, too_large


def alone(train: Train, steps: int) -> Train:
    """Return the settings of one device's share of a step, for so many steps."""
    share = train.batch // train.processes
    return evolve(train, devices=1, nodes=1, strategy="ddp", batch=share, steps=steps)


def trainer(train: Train, callbacks: Sequence[Callback]) -> Trainer:
    """Return a trainer that writes nothing of its own."""
    quiet()
    return Trainer(
        **engine(train),
        callbacks=[*callbacks],
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        default_root_dir=tempfile.gettempdir(),
    )


def fit(
    module: LightningModule, read: DataLoader[Batch], train: Train, callbacks: Sequence[Callback]
) -> None:
    """Take the steps.  Raises RunError where they do not fit the memory."""
    made: Any = trainer(train, callbacks)
    module.train()
    try:
        made.fit(module, read)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        raise too_large(error, train) from error


class Same(torch.utils.data.Sampler[list[int]]):
    """The same examples in every step: the first ``size`` of them, in parts."""

    def __init__(self, size: int, part: int, steps: int) -> None:
        self.size, self.part, self.steps = size, part, steps

    def __len__(self) -> int:
        """Return the number of parts of all steps."""
        return self.steps * (self.size // self.part)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the parts of each step, one after another."""
        for _ in range(self.steps):
            for first in range(0, self.size - self.part + 1, self.part):
                yield list(range(first, first + self.part))


def wait() -> None:
    """Wait until the device is idle."""
    if device().type == "cuda":
        torch.cuda.synchronize()

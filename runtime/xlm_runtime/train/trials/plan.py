"""The time and memory of a step, measured on the data and at the settings of a run."""

import resource
import sys
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import Any

import torch
from attrs import frozen
from lightning.pytorch import Callback, Trainer

from xlm_runtime.config.config import Config
from xlm_runtime.model.model import Model, first
from xlm_runtime.plug import Noise
from xlm_runtime.system.env import device
from xlm_runtime.tasks.base.prepared import Split
from xlm_runtime.train.ema import Ema
from xlm_runtime.train.fit import loader
from xlm_runtime.train.module import Training
from xlm_runtime.train.trials import bench

WARM, TIMED = 2, 5  # steps


@frozen
class Measured:
    """The cost of a training on one device.

    step, validation: seconds of a step (a median) and of the validation of a batch. memory: bytes
    at the peak, of the GPU or of the whole process. columns: of the rows of a batch, on average.
    """

    step: float
    validation: float
    memory: int
    columns: float


class Clock(Callback):
    """The time of each step, and the widths of its batches."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.widths: list[int] = []

    def on_train_batch_start(self, _: Trainer, __: Any, batch: Any, *___: Any) -> None:
        """Note the width of a batch."""
        self.widths.append(batch.x0.shape[1])

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Note the time at the end of a step."""
        if trainer.global_step == len(self.at):
            return
        bench.wait()
        self.at.append(perf_counter())

    @property
    def seconds(self) -> float:
        """Return the median time of the steps after the warm-up."""
        times = self.at[WARM - 1 :]
        return median(b - a for a, b in pairwise(times))


def measure(model: Model, data: Split, held: Split, config: Config) -> Measured:
    """Take a few steps as training would, on one device, and validate one batch.

    The model has other weights afterwards. Raises RunError where a step does not fit the memory.
    """
    train = bench.alone(config.train, WARM + TIMED)
    if device().type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    clock = Clock()
    parts = (Training(model, train), loader(model, data, train, 0, 0), train)
    bench.fit(*parts, [Ema(train.ema), clock])
    columns = sum(clock.widths) / len(clock.widths)
    return Measured(clock.seconds, _validation(model, held, config), peak(), columns)


@torch.no_grad()
def _validation(model: Model, held: Split, config: Config) -> float:
    """Return the seconds of the loss of a batch, the second of two."""
    model.network.to(device()).eval()
    batch = model.layout([*first(held, config.eval.batch)]).to(device())
    times = []
    for _ in range(3):
        bench.wait()
        times.append(perf_counter())
        model.loss(batch, Noise(1, batch.example))
    return times[2] - times[1]


def peak() -> int:
    """Return the largest memory so far in bytes: of the GPU, or of the process."""
    if device().type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

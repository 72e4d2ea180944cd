"""Training: one Lightning fit, from the beginning or from the last checkpoint."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.strategies import Strategy
from torch.utils.data import DataLoader

from xlm_runtime.config.config import Config, Train
from xlm_runtime.model.model import Model, first
from xlm_runtime.plug import Batch, Example
from xlm_runtime.system import failures
from xlm_runtime.system.env import device, quiet, rank
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import Watch, say
from xlm_runtime.tasks.base.prepared import Split
from xlm_runtime.tasks.base.streaming import Stream
from xlm_runtime.train import wanted
from xlm_runtime.train.checkpoints import Checkpoints
from xlm_runtime.train.ema import Ema
from xlm_runtime.train.engine import engine, too_large
from xlm_runtime.train.logs import Judge, Report, Show, loggers
from xlm_runtime.train.module import Training
from xlm_runtime.train.order import Order
from xlm_runtime.train.saved import Index, state
from xlm_runtime.train.stream import Parts, Streaming


@frozen(eq=False)
class Held:
    """The examples of a validation, and the functions that show samples and judge answers."""

    examples: Split
    batch: int
    show: Show
    judge: Judge = dict  # no metrics


def fit(model: Model, data: Split | Stream, held: Held, config: Config, folder: Path) -> None:
    """Train a model to the end of its configuration, resuming from ``folder`` if it can.

    Raises RunError if a loss is not finite, `Stopped` after a request to stop.
    """
    quiet()
    if device().type == "cuda":  # products of float32, where any are left, on tensor cores
        torch.set_float32_matmul_precision("high")
    train, index = config.train, Index.read(folder / "checkpoints")
    begun = index.last
    module, ema, strategy = _parts(model, train)
    with Watch("train", train.steps) as watch:
        report = Report(watch, train, held.show, held.judge)
        saving = Checkpoints(folder / "checkpoints", module, ema)
        callbacks = [ema, report, *wanted.callbacks(train), saving]
        trainer = _trainer(config, callbacks, strategy, folder, begun)
        try:
            read = loader(model, data, train, begun, index.examples(train.batch))
            start = state(folder / "checkpoints", begun) if begun else None
            trainer.fit(module, read, _held(model, held, train), ckpt_path=start, weights_only=True)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            raise too_large(error, train) from error
        finally:
            if torch.distributed.is_initialized():  # what follows is the first process's alone
                torch.distributed.destroy_process_group()
    if trainer.global_step < train.steps:
        index = saving.index
        if index.waited(train):
            say(f"stopped after step {index.last} of {train.steps}: step {index.best} is the best")
            return
        say(f"stopped by a callback after step {trainer.global_step} of {train.steps}")


def _parts(model: Model, train: Train) -> tuple[Training, Ema, Strategy | str]:
    """Return the parts of a training that depend on the strategy, and this itself."""
    if train.strategy == "fsdp":
        from xlm_runtime.train.sharded.average import ShardedEma
        from xlm_runtime.train.sharded.module import ShardedTraining
        from xlm_runtime.train.sharded.strategy import Sharded

        average = ShardedEma(train.ema)
        return ShardedTraining(model, train), average, Sharded(train.processes, average)
    return Training(model, train), Ema(train.ema), "ddp" if train.processes > 1 else "auto"


def loader(
    model: Model, data: Split | Stream, train: Train, begun: int, read: int
) -> DataLoader[Batch]:
    """Return the batches of the steps from ``begun`` on, after ``read`` examples."""
    if isinstance(data, Stream):
        parts = Parts(data, train, begun * train.accumulate, read)
        return Streaming(parts, model.layout, train.workers)
    order = Order(
        len(data), train.seed, train.part, train.steps * train.accumulate, rank(), train.processes
    )
    order.begin(begun * train.accumulate, read)
    return batches(model, data, batch_sampler=order, num_workers=train.workers)


def _held(model: Model, held: Held, train: Train) -> DataLoader[Batch]:
    """Return the batches of a validation, which each process reads as a whole."""
    examples = list(first(held.examples, train.validate_examples))
    return batches(model, examples, batch_size=held.batch)


def batches(model: Model, data: Split | Sequence[Example], **how: Any) -> DataLoader[Batch]:
    """Return a loader with a generator of its own, which leaves the global one alone."""
    return DataLoader(
        data,  # type: ignore[arg-type]  # a sequence is a dataset
        collate_fn=model.layout,
        pin_memory=device().type == "cuda",
        generator=torch.Generator(),
        **how,
    )


class Watched(Callback):
    """A watch on the processes of other GPUs, whose loss would be a silent wait."""

    def on_train_start(self, trainer: Trainer, *_: Any) -> None:
        """Begin to watch the processes that this one has launched."""
        launched = getattr(trainer.strategy.launcher, "procs", ())
        if launched and trainer.strategy.root_device.type == "cuda":
            failures.Siblings(launched, RunError.code).start()


def _trainer(
    config: Config, callbacks: list[Callback], strategy: Strategy | str, folder: Path, begun: int
) -> Trainer:
    """Return Lightning's trainer, which begins or resumes after so many steps."""
    train = config.train
    callbacks = [*callbacks, Watched()] if train.processes > 1 else callbacks
    own = wanted.loggers(train, folder)
    for logger in own:
        logger.log_hyperparams(config.to_json())
    return Trainer(
        **engine(train),
        val_check_interval=train.validate_every * train.accumulate,
        check_val_every_n_epoch=None,
        log_every_n_steps=train.log_every,
        callbacks=callbacks,
        default_root_dir=folder,
        logger=[*loggers(folder / "logs", begun), *own],
        profiler=wanted.profiler(train, folder),
        strategy=strategy,
    )

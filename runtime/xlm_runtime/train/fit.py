"""Training: one Lightning fit, from the beginning or from the last checkpoint."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.profilers import Profiler
from torch.utils.data import DataLoader

from xlm_runtime.config.config import Config, Train
from xlm_runtime.model import evaluate
from xlm_runtime.model.model import Model, first
from xlm_runtime.plug import Batch
from xlm_runtime.system import failures
from xlm_runtime.system.env import device, precision, quiet, rank
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import Watch, say
from xlm_runtime.tasks.base.prepared import Split
from xlm_runtime.train.checkpoints import Checkpoints
from xlm_runtime.train.ema import Ema
from xlm_runtime.train.logs import Logs, Report
from xlm_runtime.train.module import Training
from xlm_runtime.train.order import Order
from xlm_runtime.train.saved import Index, state

Show = Callable[[], Sequence[str]]


@frozen(eq=False)
class Held:
    """What a validation reads, and how it shows samples."""

    examples: Split
    batch: int
    show: Show


def fit(model: Model, data: Split, held: Held, config: Config, folder: Path) -> None:
    """Trains a model to the end of its configuration, going on from ``folder`` if it can.

    Raises RunError where a loss is not finite, `Stopped` where it is asked to stop.
    """
    quiet()
    if device().type == "cuda":  # products of float32, where any are left, on tensor cores
        torch.set_float32_matmul_precision("high")
    train, index = config.train, Index.read(folder / "checkpoints")
    begun = index.last
    module = Training(model, train)
    ema = Ema(train.ema, model.network)
    logs = Logs(folder / "logs", begun) if rank() == 0 else None
    with Watch("train", train.steps) as watch:
        report = Report(logs, watch, train)
        validate = _validation(model, held, train, ema, logs, report)
        saving = Checkpoints(folder / "checkpoints", module, ema, validate)
        trainer = _trainer(train, [ema, report, saving], folder)
        try:
            read = loader(model, data, train, begun, index.examples(train.batch))
            start = state(folder / "checkpoints", begun) if begun else None
            trainer.fit(module, read, ckpt_path=start, weights_only=True)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not failures.out_of_memory(error):
                raise
            raise RunError(
                f"out of memory with {train.part} examples at once; "
                f"try --set train.device_batch={max(1, train.part // 2)}: the same loss, in parts"
            ) from error
        finally:
            if logs:
                logs.close()
            if torch.distributed.is_initialized():  # what follows is the first process's alone
                torch.distributed.destroy_process_group()


def loader(model: Model, data: Split, train: Train, begun: int, read: int) -> DataLoader[Batch]:
    """The batches of the steps from ``begun`` on, after ``read`` examples.

    A loader with a generator of its own leaves the global one alone.
    """
    order = Order(
        len(data), train.seed, train.part, train.steps * train.accumulate, rank(), train.devices
    )
    order.begin(begun * train.accumulate, read)
    return DataLoader(
        data,  # type: ignore[arg-type]  # a sequence is a dataset
        batch_sampler=order,
        collate_fn=model.layout,
        num_workers=train.workers,
        pin_memory=device().type == "cuda",
        generator=torch.Generator(),
    )


class _Silent(Profiler):
    """Measures nothing, at no cost: Lightning's own such makes 37 generators in each step."""

    _nothing = nullcontext()

    def profile(self, _: str) -> nullcontext[None]:  # type: ignore[override]
        """Nothing to enter and nothing to leave."""
        return self._nothing

    def start(self, _: str) -> None:
        """Starts nothing."""

    def stop(self, _: str) -> None:
        """Stops nothing."""


class Watched(Callback):
    """Looks after the processes on other GPUs: waiting for one that is gone is silent."""

    def on_train_start(self, trainer: Trainer, *_: Any) -> None:
        """Begins to watch those that this process has launched."""
        launched = getattr(trainer.strategy.launcher, "procs", ())
        if launched and trainer.strategy.root_device.type == "cuda":
            failures.Siblings(launched, RunError.code).start()


def _trainer(train: Train, callbacks: list[Callback], folder: Path) -> Trainer:
    """Lightning without the parts that cost time in each step."""
    callbacks = [*callbacks, Watched()] if train.devices > 1 else callbacks
    settings: dict[str, Any] = {"strategy": "ddp"} if train.devices > 1 else {}
    return Trainer(
        accelerator="gpu" if device().type == "cuda" else "cpu",
        devices=train.devices,
        max_steps=train.steps,
        max_epochs=-1,
        precision=precision(train.precision),
        gradient_clip_val=train.clip or None,
        accumulate_grad_batches=train.accumulate,
        callbacks=callbacks,
        default_root_dir=folder,
        logger=False,
        profiler=_Silent(),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        **settings,
    )


def _validation(
    model: Model, held: Held, train: Train, ema: Ema, logs: Logs | None, report: Report
) -> Callable[[int], Mapping[str, float]]:
    """Losses and samples under the averaged weights, shown and logged."""

    def validate(step: int) -> Mapping[str, float]:
        if logs is None:  # the first process validates for all
            return {}
        model.network.eval()
        with ema.applied():
            examples = first(held.examples, train.validate_examples)
            losses = evaluate.losses(model, examples, held.batch)
            lines = held.show()
        model.network.train()
        say(f"step {step}  validation {evaluate.said(losses)}")
        for text in lines:
            say(text)
            logs.text(step, text)
        logs.add("validation", step, losses)
        report.pause()
        return losses

    return validate

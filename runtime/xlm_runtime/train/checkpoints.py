"""Checkpoints: what of a training run is saved, and when.

A folder (see `saved`) is written under another name and takes its own in one step, the index after
it: whenever a run is killed, the index names a complete checkpoint.
"""

import shutil
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from attrs import asdict, evolve
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Checkpoint
from safetensors import SafetensorError

from xlm_runtime.system import hashes
from xlm_runtime.system.atomic import on_disk, write_json
from xlm_runtime.system.errors import RunError, Stopped
from xlm_runtime.train import saved
from xlm_runtime.train.ema import Ema
from xlm_runtime.train.module import Training
from xlm_runtime.train.saved import AVERAGE, INDEX, RAW, SHARDS, STATE, Index, step_folder


class Checkpoints(Checkpoint):
    """Keeps the last two, the best and every ``keep_every``-th state of a run.

    Signals are served between two steps, so that what is saved is a whole step. `ModelCheckpoint`
    would write a state once for each of those reasons to keep it, under its name before it is whole
    or on the disk, and after a failure in the middle of a step.
    """

    def __init__(self, folder: Path, module: Training, ema: Ema) -> None:
        self.folder, self.module, self.ema = folder, module, ema
        self.train = module.train_config
        self.index = Index.read(folder)
        self._begun = self.index
        self._done = self.index.last
        self._signal: int | None = None
        self._handlers: dict[int, Any] = {}

    def on_train_start(self, *_: Any) -> None:
        """Take over Ctrl-C and SIGTERM; a second one takes effect at once."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._asked)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Save if it is time to, unless a validation comes first."""
        step = trainer.global_step
        if step == self._done:
            return
        self._done = step
        if step == self.train.steps:
            trainer.should_stop = True  # the end has a validation, as every stop has
        if sum(trainer.num_val_batches) and (
            trainer.should_stop or step % self.train.validate_every == 0
        ):
            return
        stops = self._stops(trainer)
        if stops or trainer.should_stop or step % self.train.checkpoint_every == 0:
            self.save(trainer, None)
        if stops and step < self.train.steps:
            raise Stopped

    def on_validation_end(self, trainer: Trainer, *_: Any) -> None:
        """Save the state that was validated."""
        self.save(trainer, self._watched(trainer))
        if self.index.waited(self.train):
            trainer.should_stop = True
        if self._stops(trainer) and trainer.global_step < self.train.steps:
            raise Stopped

    def _watched(self, trainer: Trainer) -> float:
        """Return the number of a validation that is the least for the best checkpoint.

        Raises RunError where there is none of this name.
        """
        most, name = self.train.best.startswith("max:"), self.train.best.removeprefix("max:")
        logged = {key.removeprefix("validation/"): v for key, v in trainer.callback_metrics.items()}
        known = {name: float(v) for name, v in logged.items() if "/" not in name}
        found = known | self.module.held.means()  # in full precision
        value: float | None = trainer.strategy.broadcast(found.get(name))  # the first one decodes
        if value is None:
            raise RunError(f"train.best={self.train.best}: a validation has {', '.join(found)}")
        return -value if most else value

    def _stops(self, trainer: Trainer) -> bool:
        """Return whether some process has a request to stop: all of them save together."""
        asked = bool(self._signal)
        if trainer.world_size == 1:
            return asked
        return trainer.strategy.reduce_boolean_decision(asked, all=False)

    def on_exception(self, trainer: Trainer, _: Any, exception: BaseException) -> None:
        """Save a state that a failure left complete, unless the failure may concern it."""
        done = trainer.fit_loop.epoch_loop.batch_progress.current.completed
        new = trainer.global_step > self.index.last  # else there is nothing to save, or no state
        whole = new and done == trainer.global_step * trainer.accumulate_grad_batches
        expected = isinstance(exception, (RunError, Stopped))
        if not expected and whole and trainer.world_size == 1 and self.module.healthy():
            self.save(trainer, None)
        self.teardown()

    def teardown(self, *_: Any, **__: Any) -> None:
        """Restore the handlers of signals."""
        while self._handlers:
            signal.signal(*self._handlers.popitem())

    def save(self, trainer: Trainer, loss: float | None) -> None:
        """Write the state after a step, unless it exists, and move the index to it.

        Raises RunError if a weight is not finite.
        """
        step = trainer.global_step
        target = step_folder(self.folder, step)
        if not self.module.healthy():
            raise RunError(
                f"a weight is not finite after step {step}; the last good checkpoint is kept. "
                "Try a smaller train.learning_rate or train.clip"
            )
        if step != self.index.last or not target.exists():
            self._write(trainer, target)
        new = (step - self._begun.last) * self.train.batch
        index = evolve(self.index, last=step, seen=self._begun.examples(self.train.batch) + new)
        if loss is not None and (index.loss is None or loss < index.loss):
            index = evolve(index, best=step, loss=loss)
        self.index = index
        if trainer.is_global_zero:
            write_json(self.folder / INDEX, asdict(index))
            self._thin()

    def _write(self, trainer: Trainer, target: Path) -> None:
        """Write a checkpoint.  Raises RunError if the disk is full."""
        beside = self.folder / f".{target.name}.tmp"
        try:
            self._fill(trainer, beside)
        except (OSError, SafetensorError) as error:
            shutil.rmtree(beside, ignore_errors=True)
            reason = getattr(error, "strerror", None) or str(error).rpartition("error: ")[2]
            raise RunError(
                f"{target} cannot be written: {reason}. Free some space, or raise the limit; "
                f"{f'step {self.index.last} is kept' if self.index.last else 'no step is saved'}, "
                "and the same command resumes from there"
            ) from error
        if trainer.is_global_zero:
            if target.exists():  # left by a run that was killed before it moved the index
                saved.delete(target)
            beside.rename(target)
            on_disk(self.folder)

    def _fill(self, trainer: Trainer, beside: Path) -> None:
        sharded = self.train.strategy == "fsdp"
        state = beside / (SHARDS if sharded else STATE)
        trainer.save_checkpoint(state)  # by all processes: it waits for them
        self.module.write(beside / RAW)
        with self.ema.applied():
            self.module.write(beside / AVERAGE)
        if trainer.is_global_zero:
            if sharded:
                hashes.seal(state)
            hashes.seal(beside)

    def _thin(self) -> None:
        """Delete all checkpoints but the last, the one before it, the best, and every n-th."""
        steps, every = saved.every(self.folder), self.train.keep_every
        before = [step for step in steps if step < self.index.last]
        kept = {self.index.last, self.index.best, *before[-1:]}
        for step in steps:
            if step not in kept and not (every and step % every == 0):
                saved.delete(step_folder(self.folder, step))

    def _asked(self, number: int, _: FrameType | None) -> None:
        if self._signal:
            raise KeyboardInterrupt
        self._signal = number

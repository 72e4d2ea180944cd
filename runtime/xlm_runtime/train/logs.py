"""Numbers of a training run: Lightning's loggers, and a line for the person watching.

The table grows while a run trains; at the end of the job, unless it is killed, its content is
sealed with a hash, which is checked before training resumes.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import StringIO
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter

from xlm_runtime.config.config import Train
from xlm_runtime.model.evaluate import said
from xlm_runtime.system import hashes
from xlm_runtime.system.atomic import on_disk, write_json, write_text
from xlm_runtime.system.progress import Watch, say
from xlm_runtime.system.reader import damaged, read_as, read_table
from xlm_runtime.train.optim import factor

Show = Callable[[], Sequence[str]]
Judge = Callable[[], Mapping[str, float]]
SEAL = "sealed.json"


class _Rows(ExperimentWriter):
    """The rows of a file; rows after the step at which training resumes are dropped.

    Lightning's own class begins an empty file, so that a resumed run would lose its earlier rows.
    """

    def __init__(self, folder: str, after: int) -> None:
        self._after = after
        super().__init__(folder)

    def _check_log_dir_exists(self) -> None:
        path = Path(self.metrics_file_path)
        if path.exists():
            head, *rows = read_table(path) or [[]]
            kept = [row for row in rows if len(row) == len(head)]
            kept = [row for row in kept if _step(row, head, path) <= self._after]
            text = StringIO(newline="")
            csv.writer(text).writerows([head, *kept])
            write_text(path, text.getvalue())
            self.metrics_keys = head


def _step(row: list[str], head: list[str], path: Path) -> int:
    found = dict(zip(head, row, strict=True)).get("step", "")
    if not (found.isascii() and found.isdecimal()):
        raise damaged(path, f"a row begins with {row[:1]}, which is no step")
    return int(found[:18])


class Table(CSVLogger):
    """``metrics.csv``, one for all commands that train a run."""

    def __init__(self, folder: Path, after: int) -> None:
        super().__init__(folder, name="", version="", flush_logs_every_n_steps=1)
        self._after = after

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The file, whose seal is taken off.  Raises RunError where it is not what was sealed."""
        if self._experiment is None:
            _unseal(Path(self.log_dir))
            self._experiment = _Rows(self.log_dir, self._after)
        return self._experiment

    def finalize(self, status: str) -> None:
        """Seal the file."""
        if self._experiment is not None:
            with suppress(OSError):  # a full disk has its own message; without a seal it is read
                super().finalize(status)
                _seal(Path(self.log_dir))


def _seal(folder: Path) -> None:
    """Write the hash of the table next to it."""
    file = folder / ExperimentWriter.NAME_METRICS_FILE
    if file.exists():
        on_disk(file)
        write_json(folder / SEAL, {"files": {file.name: hashes.of(file)}})


def _unseal(folder: Path) -> None:
    """Take the seal off a table that is as it was sealed.  Raises RunError where it is not."""
    if not (folder / SEAL).exists():
        return
    file, known = folder / ExperimentWriter.NAME_METRICS_FILE, read_as(folder / SEAL, hashes.Hashes)
    if file.exists() and hashes.of(file) != known.files.get(file.name):
        raise damaged(file, f"its hash is not the one in {SEAL}")
    (folder / SEAL).unlink()


def loggers(folder: Path, after: int) -> list[Logger]:
    """Return the loggers of every run; what was logged after a step is dropped."""
    board = TensorBoardLogger(
        folder, "tensorboard", "", default_hp_metric=False, purge_step=after + 1
    )
    return [Table(folder, after), board]


class Report(Callback):
    """Every ``log_every`` steps, and before anything is saved: the means since the last report.

    Raises RunError where a loss was not finite, so that no checkpoint of such a run is written.
    Numbers are given to the loggers as they are: `LightningModule.log` would make them float32,
    count steps from 0 and take a millisecond for each. Lightning's bars have no plain form where
    there is no terminal, and jobs other than training have no trainer to show them.
    """

    def __init__(self, watch: Watch, train: Train, show: Show, judge: Judge) -> None:
        self.watch, self.train, self.show, self.judge = watch, train, show, judge
        self._at, self._since = 0, 0.0

    def on_train_start(self, trainer: Trainer, *_: Any) -> None:
        """Start the clock."""
        self._at, self._since = trainer.global_step, monotonic()

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Report if it is time to."""
        step = trainer.global_step
        if step == self._at or not reports(step, self.train):
            return
        rate = self.train.learning_rate * factor(self.train)(step - 1)
        values = {**pl_module.window.means(), "learning_rate": rate}
        now = monotonic()
        values["steps_per_second"] = (step - self._at) / max(now - self._since, 1e-9)
        self._at, self._since = step, now
        _log(trainer, "train", values)
        self.watch.at(step, line(values))

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Report the losses, metrics and samples of the averaged weights."""
        losses = pl_module.held.means()
        _log(trainer, "validation", losses)
        first = trainer.is_global_zero
        if not first and self.train.strategy != "fsdp":  # whose processes gather weights together
            return
        judged = self.judge()
        if first:
            if judged:
                _log(trainer, "validation", judged)
            numbers = "".join(f"  {name} {value:.4f}" for name, value in judged.items())
            say(f"step {trainer.global_step}  validation {said(losses)}{numbers}")
        texts = self.show()
        if first:
            _show(trainer, texts)

    def on_validation_end(self, *_: Any) -> None:
        """Leave the time of a validation out of the speed."""
        self._since = monotonic()


def _show(trainer: Trainer, texts: Sequence[str]) -> None:
    """Print samples, and give them to the loggers that take texts."""
    for text in texts:
        say(text)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_text("samples", text, trainer.global_step)


def _log(trainer: Trainer, kind: str, values: Mapping[str, float]) -> None:
    """Give numbers to all loggers, and to callbacks that watch them."""
    named = {f"{kind}/{name}": value for name, value in values.items()}
    trainer.callback_metrics.update({name: torch.tensor(v) for name, v in named.items()})
    for logger in trainer.loggers:
        logger.log_metrics(named, trainer.global_step)


def reports(step: int, train: Train) -> bool:
    """Return whether a report is due after so many steps."""
    return any(
        step % every == 0
        for every in (train.log_every, train.validate_every, train.checkpoint_every, train.steps)
    )


def line(values: Mapping[str, float]) -> str:
    """Format values: ``loss 1.234  rate 0.003  12.3 steps/s``."""
    losses = {k: v for k, v in values.items() if k not in ("learning_rate", "steps_per_second")}
    speed = f"rate {values['learning_rate']:.2g}  {values['steps_per_second']:.1f} steps/s"
    return f"{said(losses)}  {speed}"

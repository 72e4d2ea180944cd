"""Numbers of a training run: CSV and TensorBoard files, and a line for the person watching.

A table grows while a run trains; at the end of the job, however it ends short of a kill, a seal
says what it holds, and that is checked before training goes on from it.
"""

import csv
from collections.abc import Mapping
from contextlib import suppress
from io import StringIO
from pathlib import Path
from time import monotonic
from typing import Any

from lightning.pytorch import Callback, Trainer
from torch.utils.tensorboard import SummaryWriter

from xlm_runtime.config.config import Train
from xlm_runtime.model.evaluate import said
from xlm_runtime.system import hashes
from xlm_runtime.system.atomic import on_disk, write_json, write_text
from xlm_runtime.system.progress import Watch
from xlm_runtime.system.reader import damaged, read_as, read_table
from xlm_runtime.train.optim import factor

SEAL = "sealed.json"
_TABLES = ("train", "validation")


class Table:
    """A CSV file with one row per step; rows after the step of a resumption are dropped."""

    def __init__(self, path: Path, after: int) -> None:
        self.path = path
        if path.exists():
            head, *rows = read_table(path) or [[]]
            kept = [row for row in rows if len(row) == len(head) and _step(row, path) <= after]
            text = StringIO(newline="")
            csv.writer(text).writerows([head, *kept])
            write_text(path, text.getvalue())

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Writes one row; the first one of a file writes the names."""
        fresh = not self.path.exists() or not self.path.stat().st_size
        with self.path.open("a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(["step", *values])
            writer.writerow([step, *(f"{value:.6g}" for value in values.values())])


def _step(row: list[str], path: Path) -> int:
    if not (row and row[0].isascii() and row[0].isdecimal()):
        raise damaged(path, f"a row begins with {row[:1]}, which is no step")
    return int(row[0][:18])


class Logs:
    """Where numbers and texts of a run go."""

    def __init__(self, folder: Path, after: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _unseal(folder)
        self._folder = folder
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=after + 1)
        self._tables = {n: Table(folder / f"{n}.csv", after) for n in _TABLES}

    def add(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """``kind`` is ``train`` or ``validation``."""
        self._tables[kind].add(step, values)
        for name, value in values.items():
            self._board.add_scalar(f"{kind}/{name}", value, step)

    def text(self, step: int, text: str) -> None:
        """A sample."""
        self._board.add_text("samples", text, step)

    def close(self) -> None:
        """Flushes what is still in memory, and seals the tables."""
        self._board.close()
        with suppress(OSError):  # a full disk has its own message; tables without a seal are read
            _seal(self._folder)


def _seal(folder: Path) -> None:
    """Writes the hash of each table beside them."""
    files = [file for name in _TABLES if (file := folder / f"{name}.csv").exists()]
    for file in files:
        on_disk(file)
    write_json(folder / SEAL, {"files": {file.name: hashes.of(file) for file in files}})


def _unseal(folder: Path) -> None:
    """Takes the seal off tables that are as they were sealed.  Raises RunError where one is not."""
    if not (folder / SEAL).exists():
        return
    known = read_as(folder / SEAL, hashes.Hashes).files
    for file in (folder / f"{name}.csv" for name in _TABLES):
        if file.exists() and hashes.of(file) != known.get(file.name):
            raise damaged(file, f"its content is not what {SEAL} says")
    (folder / SEAL).unlink()


class Report(Callback):
    """Every ``log_every`` steps, and before anything is saved: the means since the last report.

    Raises RunError where a loss was not finite, so that no checkpoint of such a run is written.
    """

    def __init__(self, logs: Logs | None, watch: Watch, train: Train) -> None:
        self.logs, self.watch, self.train = logs, watch, train
        self._at, self._since = 0, 0.0

    def on_train_start(self, trainer: Trainer, *_: Any) -> None:
        """Starts the clock."""
        self._at, self._since = trainer.global_step, monotonic()

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Reports if it is time to."""
        step = trainer.global_step
        if step == self._at or not reports(step, self.train):
            return
        rate = self.train.learning_rate * factor(self.train)(step - 1)
        values = {**pl_module.window.means(), "learning_rate": rate}
        now = monotonic()
        values["steps_per_second"] = (step - self._at) / max(now - self._since, 1e-9)
        self._at, self._since = step, now
        if self.logs:
            self.logs.add("train", step, values)
        self.watch.at(step, line(values))

    def pause(self) -> None:
        """Leaves the time since the last report out of the speed."""
        self._since = monotonic()


def reports(step: int, train: Train) -> bool:
    """Whether a report is due after so many steps."""
    return any(
        step % every == 0
        for every in (train.log_every, train.validate_every, train.checkpoint_every, train.steps)
    )


def line(values: Mapping[str, float]) -> str:
    """``loss 1.234  rate 0.003  12.3 steps/s``."""
    losses = {k: v for k, v in values.items() if k not in ("learning_rate", "steps_per_second")}
    speed = f"rate {values['learning_rate']:.2g}  {values['steps_per_second']:.1f} steps/s"
    return f"{said(losses)}  {speed}"

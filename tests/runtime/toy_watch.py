"""Callbacks and a logger of a user's own, by a dotted path."""

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.loggers.logger import DummyLogger


class Steps(Callback):
    """Counts steps and validations, and goes on counting where a run goes on."""

    def __init__(self) -> None:
        self.steps = self.validations = 0
        self.validated: dict[int, float] = {}

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        self.steps = trainer.global_step

    def on_validation_end(self, trainer: Trainer, *_: Any) -> None:
        self.validations += 1
        self.validated[trainer.global_step] = float(trainer.callback_metrics["validation/loss"])

    def on_train_end(self, *_: Any) -> None:
        Path("steps.txt").write_text(f"{self.steps} {self.validations}")

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "validations": self.validations}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.steps, self.validations = state_dict["steps"], state_dict["validations"]


class Kept(DummyLogger):
    """A logger that remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int | None, dict[str, float]]] = []
        self.settings: dict[str, Any] = {}

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.rows.append((step, metrics))

    def log_hyperparams(self, params: dict[str, Any]) -> None:  # type: ignore[override]
        self.settings = params


STEPS, KEPT = Steps(), Kept()
HASTY = EarlyStopping("validation/loss", patience=1, min_delta=100.0)

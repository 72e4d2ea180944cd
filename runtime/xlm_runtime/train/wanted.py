"""Loggers, callbacks and a profiler that the settings of a run name."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.loggers import Logger, MLFlowLogger, WandbLogger
from lightning.pytorch.profilers import (
    AdvancedProfiler,
    Profiler,
    PyTorchProfiler,
    SimpleProfiler,
)

from xlm_runtime.config.config import Train
from xlm_runtime.system import dotted
from xlm_runtime.system.errors import UsageError


def _wandb(folder: Path) -> Logger:
    return WandbLogger(folder.name, folder / "logs", project="xlmc", group=_pair(folder))


def _mlflow(folder: Path) -> Logger:
    return MLFlowLogger(_pair(folder), folder.name, save_dir=str(folder / "logs/mlruns"))


def _pair(folder: Path) -> str:
    """Return family and task of a run's folder."""
    return "-".join(folder.parts[-3:-1]) or "xlmc"


_LOGGERS: dict[str, Callable[[Path], Logger]] = {"wandb": _wandb, "mlflow": _mlflow}
_KIND: Any = Logger  # `type[Logger]` is that of classes which are not abstract
_PROFILERS: dict[str, Callable[[Path, str], Profiler]] = {
    "simple": SimpleProfiler,
    "advanced": AdvancedProfiler,
    "pytorch": PyTorchProfiler,
}


def check(train: Train) -> None:
    """Refuse loggers and callbacks that cannot be had (UsageError)."""
    for name in train.listed("loggers"):
        if name not in _LOGGERS:
            _own(name)
        elif find_spec(name) is None:
            raise UsageError(f"train.loggers={name}: {name} is not installed: pip install {name}")
    callbacks(train)


def _own(name: str) -> Logger:
    found: Logger = dotted.load(name, _KIND, "train.loggers")
    return found


def loggers(train: Train, folder: Path) -> list[Logger]:
    """Return the loggers of a run in addition to its own.  Raises UsageError."""
    check(train)
    return [
        _LOGGERS[name](folder) if name in _LOGGERS else _own(name)
        for name in train.listed("loggers")
    ]


def callbacks(train: Train) -> list[Callback]:
    """Return the callbacks of the user.  Raises UsageError."""
    return [dotted.load(name, Callback, "train.callbacks") for name in train.listed("callbacks")]


def profiler(train: Train, folder: Path) -> Profiler | None:
    """Return the profiler, which writes ``logs/fit-profile*``, if there is to be one."""
    made = _PROFILERS.get(train.profiler)
    return made(folder / "logs", "profile") if made else None

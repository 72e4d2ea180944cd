"""The surroundings of a run: devices, versions, revision, and warnings to silence."""

import logging
import os
import platform
import subprocess
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import torch

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
Wanted = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]

_LIBRARIES = (
    "torch",
    "lightning",
    "numpy",
    "safetensors",
    "datasets",
    "tokenizers",
    "torchmetrics",
)
_NOISE = (
    ".*does not have many workers.*",  # collation is cheap here; workers cost more than they give
    ".*your dataloader is not resumable.*",  # it is: see `order`
    ".*is smaller than the logging interval.*",  # the runtime logs by itself
    ".*Checkpoint directory .* exists and is not empty.*",
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",  # within Lightning
    ".*The `srun` command is available.*",
    ".*GPU available but not used.*",
    ".*but have no `val_dataloader`.*",  # trials do not validate
    ".*No device id is provided via `init_process_group`.*",
)


def quiet() -> None:
    """Silence messages of Lightning that a user cannot act on, once it is imported."""
    for message in _NOISE:
        warnings.filterwarnings("ignore", message)
    for name in ("lightning.pytorch", "lightning.fabric", "pytorch_lightning"):
        logging.getLogger(name).setLevel(logging.WARNING)


def device() -> torch.device:
    """Return the accelerator if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision(wanted: Wanted) -> Precision:
    """Return the precision of training: ``auto`` is bf16-mixed on a GPU that has bfloat16."""
    if wanted != "auto":
        return wanted
    has = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16-mixed" if has else "32-true"


def describe() -> dict[str, object]:
    """Describe the machine and the libraries, for the record of a run."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "threads": torch.get_num_threads(),
        "revision": revision(),
        "versions": {name: found for name in _LIBRARIES if (found := _version(name))},
    }


def revision() -> str | None:
    """Return the git revision of the working directory, marked if changed; None outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path.cwd(), check=False)
    except FileNotFoundError:  # git is not installed
        return None
    return done.stdout.strip() or None


def rank() -> int:
    """Return the number of this process in a distributed run, on all machines."""
    if started() is not None:
        return int(os.environ.get("RANK") or os.environ["SLURM_PROCID"])
    return int(os.environ.get("LOCAL_RANK", "0"))


def started() -> int | None:
    """Return how many processes torchrun or srun started; None if they did not start this one."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return int(os.environ["WORLD_SIZE"])
    tasks = int(os.environ.get("SLURM_NTASKS", "1"))
    inside = "SLURM_STEP_ID" in os.environ and "SLURM_PROCID" in os.environ
    return tasks if tasks > 1 and inside else None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

"""The runtime of xlmc: data, training, evaluation and generation for any generated package.

From Python: ``xlm_runtime.load("runs/ilm/star_easy/quick-seed1").generate(["..."])``.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlm_runtime.trained import Loaded

__all__ = ["load"]


def load(run: str | Path, ckpt: str = "best") -> "Loaded":
    """A run folder, or the folder of one of its checkpoints → the model with averaged weights.

    Raises UsageError where there is no such run or checkpoint.
    """
    from xlm_runtime import trained  # not before it is needed: packages import the plug alone

    return trained.load(run, ckpt)

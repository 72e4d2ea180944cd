"""The runtime of xlmc: data, training, evaluation and generation for any generated package.

From Python: ``xlm_runtime.load("runs/ilm/star_easy/quick-seed1").generate(["..."])``, and with
weights that others have published ``xlm_runtime.pretrained("out/NAME", "OWNER/NAME")``.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlm_runtime.run.trained import Loaded

__all__ = ["load", "pretrained"]


def load(run: str | Path, ckpt: str = "best", *, trust: bool = False) -> "Loaded":
    """A run folder, or the folder of one of its checkpoints → the model with averaged weights.

    The package in it is code. It is refused, before any of it runs, where it is not what the run
    was trained with, or came by `xlmc pull` and is neither what xlmc makes of its spec nor agreed
    to; ``trust=True`` is the word of the caller that it may run. Raises UsageError where there is
    no such run or checkpoint.
    """
    from xlm_runtime.run import trained  # not before it is needed: packages import the plug alone

    return trained.load(run, ckpt, trust=trust)


def pretrained(package: str | Path, weights: str | Path = "published", **options: Any) -> "Loaded":
    """A package and published weights, as they are; see `trained.pretrained` for the options.

    Raises UsageError and RunError where they cannot be had or do not fit.
    """
    from xlm_runtime.run import trained

    return trained.pretrained(package, weights, **options)

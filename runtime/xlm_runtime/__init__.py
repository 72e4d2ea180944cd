"""The runtime of xlmc: data, training, evaluation and generation for any generated package.

From Python: ``xlm_runtime.load("runs/ilm/star_easy/quick-seed1").generate(["..."])``, and with
weights that others have published ``xlm_runtime.pretrained("out/NAME", "OWNER/NAME")``.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlm_runtime.use.loaded import Loaded

__all__ = ["load", "pretrained"]


def load(run: str | Path, ckpt: str = "best", *, trust: bool = False) -> "Loaded":
    """Return the model of a run folder, or of one of its checkpoints, with averaged weights.

    The package in it is code. It is refused, before any of it is executed, if it differs from the
    package that the run was trained with, or if it came by `xlmc pull` and is neither the package
    that xlmc builds from its spec nor trusted by the user; with ``trust=True`` the caller trusts
    it. Raises UsageError where there is no such run or checkpoint.
    """
    from xlm_runtime.use import trained  # not before it is needed: packages import the plug alone

    return trained.load(run, ckpt, trust=trust)


def pretrained(package: str | Path, weights: str | Path = "published", **options: Any) -> "Loaded":
    """Return a package with published weights; see `trained.pretrained` for the options.

    Raises UsageError and RunError if the weights cannot be read or do not fit.
    """
    from xlm_runtime.use import trained

    return trained.pretrained(package, weights, **options)

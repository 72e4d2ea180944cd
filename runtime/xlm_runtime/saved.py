"""What is saved of a training run, and where.

checkpoints/index.json       which step is the last, which the best, and its validation loss
checkpoints/step-00000500/   state.ckpt (the whole trainer), ema.safetensors, raw.safetensors
"""

from pathlib import Path
from zipfile import is_zipfile

from attrs import frozen

from xlm_runtime.errors import RunError, UsageError
from xlm_runtime.reader import read_as
from xlm_runtime.strict import Count

INDEX = "index.json"
STATE, AVERAGE, RAW = "state.ckpt", "ema.safetensors", "raw.safetensors"


@frozen
class Index:
    """The steps of the last and the best checkpoint, and the best validation loss.

    seen: how many examples the steps up to the last have read; None in older files.
    """

    last: Count = 0
    best: Count = 0
    loss: float | None = None
    seen: int | None = None

    def examples(self, batch: int) -> int:
        """How many examples have been read; by steps of ``batch`` where that was not noted."""
        return self.last * batch if self.seen is None else self.seen

    @staticmethod
    def read(folder: Path) -> "Index":
        """The index of a folder; all zeros where there is none."""
        return read_as(folder / INDEX, Index)


def step_folder(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step is."""
    return folder / f"step-{step:08d}"


def state(folder: Path, step: int) -> Path:
    """The state of the trainer after a step, from which training goes on.

    Raises UsageError where there is none, RunError where it is damaged.
    """
    found = step_folder(folder, step) / STATE
    if not found.is_file():
        raise UsageError(
            f"{found.parent} has weights, but no state to go on training from: it was pulled. "
            "Train anew, under another --name"
        )
    if not is_zipfile(found):  # which ends with its table of contents
        raise RunError(
            f"{found} is cut off or damaged: training cannot go on from it. The weights beside it "
            "are kept; train anew, under another --name"
        )
    return found


def resolve(folder: Path, which: str) -> Path:
    """``last``, ``best`` or a path → the folder of a checkpoint.

    Raises UsageError naming what there is, if it is not there.
    """
    index = Index.read(folder)
    steps = {"last": index.last, "best": index.best or index.last}
    found = step_folder(folder, steps[which]) if which in steps else Path(which)
    found = found if found.is_dir() else found.parent
    other = found.absolute().parent
    if (other.parent / "run.json").is_file() and other != folder.absolute():
        raise UsageError(f"{which} is a checkpoint of {other.parent}: name that with --run")
    if (found / AVERAGE).is_file():
        return found
    there = ", ".join(sorted(path.name for path in folder.glob("step-*"))) or "none"
    raise UsageError(f"there is no checkpoint '{which}' (of this run in {folder}: {there})")

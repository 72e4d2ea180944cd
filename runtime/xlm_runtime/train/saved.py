"""The saved files of a training run.

checkpoints/index.json       which step is the last, which the best, and its validation loss
checkpoints/step-00000500/   state.ckpt (the whole trainer; of shards the folder state, with a file
                             of each device), ema.safetensors, raw.safetensors, and hashes.json,
                             which is checked whenever one of them is read
"""

import shutil
from pathlib import Path
from zipfile import is_zipfile

from attrs import asdict, frozen

from xlm_runtime.config.config import Train
from xlm_runtime.system import hashes
from xlm_runtime.system.atomic import write_json
from xlm_runtime.system.bounds import Often
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.reader import damaged, read_as

INDEX = "index.json"
_GONE = ".gone"
STATE, SHARDS, AVERAGE, RAW = "state.ckpt", "state", "ema.safetensors", "raw.safetensors"


@frozen
class Index:
    """The steps of the last and the best checkpoint, and the loss by which that is the best.

    seen: how many examples the steps up to the last have read; None in older files.
    """

    last: Often = 0
    best: Often = 0
    loss: float | None = None
    seen: int | None = None

    def examples(self, batch: int) -> int:
        """Return the number of examples read; by steps of ``batch`` if that was not recorded."""
        return self.last * batch if self.seen is None else self.seen

    def waited(self, train: Train) -> bool:
        """Return whether the last ``patience`` validations were none of them the best."""
        over = self.last - self.best >= train.patience * train.validate_every
        return bool(train.patience) and self.loss is not None and over

    @staticmethod
    def read(folder: Path) -> "Index":
        """Read the index of a folder; all zeros if there is none.

        Raises RunError if it does not fit the checkpoints that are there.
        """
        found = read_as(folder / INDEX, Index)
        why = _misfit(found, folder)
        if why and found == read_as(folder / INDEX, Index):  # else training went on meanwhile
            raise damaged(folder / INDEX, why)
        return found


def _misfit(index: Index, folder: Path) -> str:
    """Return the reason why an index is not that of a folder; empty if it is."""
    for step in (index.last, index.best):
        if step and not step_folder(folder, step).is_dir():
            return f"it names step {step}, of which there is no checkpoint"
    if index.best > index.last:
        return f"its best step, {index.best}, is behind its last, {index.last}"
    steps = every(folder)
    if not index.last and len(steps) > 1:  # one may be there before the first index is written
        return f"it names no checkpoint, and there are those of steps {', '.join(map(str, steps))}"
    return ""


def every(folder: Path) -> list[int]:
    """List the steps of all checkpoints in a folder, the first first."""
    names = (path.name.removeprefix("step-") for path in folder.glob("step-*"))
    return sorted(int(name) for name in names if name.isdecimal())


def step_folder(folder: Path, step: int) -> Path:
    """Return the folder of the checkpoint of a step."""
    return folder / f"step-{step:08d}"


def delete(checkpoint: Path) -> None:
    """Delete a checkpoint, hidden first, so that no part of it is ever taken for one."""
    gone = checkpoint.with_name(f".{checkpoint.name}{_GONE}")
    shutil.rmtree(gone, ignore_errors=True)
    checkpoint.rename(gone)
    shutil.rmtree(gone)


def sweep(folder: Path) -> None:
    """Delete the remains of checkpoints that a killed process wrote or deleted."""
    for left in (*folder.glob(f".step-*{_GONE}"), *folder.glob(".step-*.tmp")):
        shutil.rmtree(left)


def state(folder: Path, step: int) -> Path:
    """Return the state of the trainer after a step, from which training resumes.

    Raises UsageError if there is none, RunError if it is damaged.
    """
    if (shards := step_folder(folder, step) / SHARDS).is_dir():
        return _whole(shards)
    found = step_folder(folder, step) / STATE
    why = hashes.fault(found) if (found.parent / hashes.HASHES).exists() or found.is_file() else ""
    if not found.is_file() and why in ("", f"{hashes.HASHES} does not list it"):
        raise UsageError(
            f"{found.parent} has weights, but no state to resume training from: it was pulled. "
            "Train anew, under another --name"
        )
    if not why and not is_zipfile(found):  # which ends with its table of contents
        why = "it is cut off"
    if why:
        raise RunError(
            f"{found} is damaged: {why}: training cannot resume from it. {_go_on(found)}"
        )
    return found


def _whole(shards: Path) -> Path:
    """Return the folder of a sharded state.  Raises RunError if a part of it is damaged."""
    hashes.check(shards, f"training cannot resume from it. {_go_on(shards.with_name(STATE))}")
    return shards


def average(folder: Path) -> Path:
    """Return the averaged weights in the folder of a checkpoint.

    Raises RunError if they are damaged, with the newest intact ones.
    """
    file = folder / AVERAGE
    if why := hashes.fault(file):
        other = _intact(file)
        remedy = (
            f"--ckpt {other} is intact" if other else "no other checkpoint of the run is intact"
        )
        raise RunError(f"{file} is damaged: {why}; {remedy}")
    return file


def _intact(file: Path) -> Path | None:
    """Return the newest other checkpoint whose file of the same name is intact."""
    for step in reversed(every(file.parent.parent)):
        other = step_folder(file.parent.parent, step)
        if other == file.parent or not (other / file.name).is_file():
            continue
        try:
            if not hashes.fault(other / file.name):
                return other
        except RunError:
            continue
    return None


def _go_on(file: Path) -> str:
    """Return the remedy for a damaged state."""
    other = _intact(file)
    if other is None:
        return "The weights beside it are kept; train anew, under another --name"
    return f"The state before is intact: --job train --ckpt {other} resumes from there"


def go_back(folder: Path, chosen: Path) -> None:
    """Make an earlier checkpoint the last, if the last one is damaged or unknown.

    Those behind it stay until training reaches its next checkpoint. Raises UsageError if the last
    checkpoint is intact, so that no training is lost by mistake, or if ``chosen`` is no checkpoint
    of the folder; RunError if its state is damaged as well.
    """
    step = _step(folder, chosen)
    state(folder, step)
    if not _lost(folder):
        last = Index.read(folder).last
        if last > step:
            raise UsageError(
                f"--ckpt {chosen}: the last checkpoint, of step {last}, is intact, and training "
                f"resumes from there; leave --ckpt out"
            )
        return
    index = _known(folder)
    best, loss = (index.best, index.loss) if 0 < index.best <= step else (step, None)
    write_json(folder / INDEX, asdict(Index(step, best, loss)))


def _step(folder: Path, chosen: Path) -> int:
    """Return the step of a checkpoint in a folder.  Raises UsageError if it is not there."""
    target = chosen if chosen.is_dir() else chosen.parent
    name = target.name.removeprefix("step-")
    if target.absolute().parent != folder.absolute() or not name.isdecimal():
        raise UsageError(
            f"--ckpt {chosen}: it is no checkpoint in {folder}, to which training could go back; "
            f"to start from its weights, write --init {chosen}"
        )
    return int(name)


def _lost(folder: Path) -> bool:
    """Return whether training cannot resume from the last checkpoint, or it is unknown."""
    try:
        last = Index.read(folder).last
        return bool(last) and not state(folder, last)
    except UsageError:
        raise
    except RunError:
        return True


def _known(folder: Path) -> Index:
    """Return the usable part of an index."""
    try:
        found = read_as(folder / INDEX, Index)
    except RunError:
        return Index()
    return found if step_folder(folder, found.best).is_dir() else Index()


def resolve(folder: Path, which: str) -> Path:
    """Return the folder of a checkpoint: ``last``, ``best`` or a path.

    Raises UsageError with the existing ones if there is no such checkpoint.
    """
    found = _named(folder, which)
    found = found if found.is_dir() else found.parent
    other = found.absolute().parent
    if (other.parent / "run.json").is_file() and other != folder.absolute():
        raise UsageError(f"{which} is a checkpoint of {other.parent}: name that with --run")
    if (found / AVERAGE).is_file():
        return found
    there = ", ".join(sorted(path.name for path in folder.glob("step-*"))) or "none"
    raise UsageError(f"there is no checkpoint '{which}' (of this run in {folder}: {there})")


def _named(folder: Path, which: str) -> Path:
    """Return the folder that a word or path means; a path needs no index."""
    if which not in ("last", "best"):
        return Path(which)
    index = Index.read(folder)
    return step_folder(folder, index.last if which == "last" else index.best or index.last)

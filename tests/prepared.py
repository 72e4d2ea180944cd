"""Tasks prepared in a folder of their own, and what is in them."""

from pathlib import Path

from xlm_runtime import tasks
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.task import Task

SPECIALS = ("pad", "mask", "bos", "eos", "cls")


def prepare(task: str | Task, cache: Path, preset: str = "quick", **more: object) -> Prepared:
    options = DataOptions(preset=preset, cache=cache, specials=SPECIALS, **more)  # type: ignore[arg-type]
    return (tasks.get(task) if isinstance(task, str) else task).prepare(options)


def texts(made: Prepared, name: str) -> list[str]:
    """The bodies of a split."""
    split = getattr(made, name)
    return [made.tokenizer.decode(split[i].body) for i in range(len(split))]

"""Folders that are written next to their final path, and renamed to it once complete."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from xlm_runtime.system.atomic import on_disk
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.failures import remedy


@contextmanager
def replacing(folder: Path, replaced: Callable[[str], bool]) -> Iterator[Path]:
    """Provide an empty folder whose files take their place in ``folder`` when the block ends well.

    Existing files that ``replaced`` accepts by name, or that have a new version, are gone then;
    all others stay. Raises RunError if the disk refuses: then nothing has changed.
    """
    target = folder.resolve()
    beside, old = (target.with_name(f".{target.name}.{end}") for end in ("new", "old"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _settle(target, old, replaced)  # what a process that was killed has left
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        yield beside
        for path in (*beside.iterdir(), beside):
            on_disk(path)
        if target.exists():
            target.rename(old)
        beside.rename(target)
        _settle(target, old, replaced)
        on_disk(target.parent)
    except (OSError, SafetensorError) as error:
        why = getattr(error, "strerror", None) or str(error).rpartition("error: ")[2]
        what = remedy(error) if isinstance(error, OSError) else ""
        raise RunError(
            f"{folder} cannot be written: {why}{what and f': {what}'}; it is as it was before"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if old.exists() and not target.exists():
            old.rename(target)


def _settle(target: Path, old: Path, replaced: Callable[[str], bool]) -> None:
    """Complete an interrupted replacement: restore the old folder, or move its own files over."""
    if not old.exists():
        return
    if not target.exists():
        old.rename(target)
        return
    for path in old.iterdir():
        if not replaced(path.name) and not (target / path.name).exists():
            path.rename(target / path.name)
    shutil.rmtree(old)

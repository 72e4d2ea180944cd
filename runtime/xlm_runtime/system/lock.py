"""The lock of a run folder: whoever writes to it holds it, and the system releases it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from xlm_runtime.system.atomic import saving
from xlm_runtime.system.errors import UsageError

LOCK = ".lock"


class Busy(UsageError):
    """A run on which another process works."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the run in a folder for this process.  Raises Busy if another one works on it.

    A run that does not exist yet gets a folder with only the lock, which is deleted if nothing
    else has been added.
    """
    fresh = not folder.exists()
    lock = FileLock(folder / LOCK)
    with saving(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _take(lock, folder)
    try:
        yield
    finally:
        if fresh and [path.name for path in folder.iterdir()] == [LOCK]:
            shutil.rmtree(folder)
        lock.release()


def _take(lock: FileLock, folder: Path) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Busy(
            f"another process works on {folder}: wait for it; a new run needs another --name"
        ) from error

"""Folders that are built once: keyed by all that shapes them, complete or absent.

A folder is built under a hidden name and renamed when it is complete and sealed, so that neither a
kill nor a full disk leaves anything that later passes for complete. Processes that need the same
folder wait for each other.
"""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import attrs
from filelock import FileLock, Timeout

from xlm_runtime.system import hashes
from xlm_runtime.system.atomic import on_disk, write_json
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import Watch, say
from xlm_runtime.system.reader import read_as

SEAL = "COMPLETE.json"
_USERS = (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST)
_LARGE = 1 << 30  # bytes of a file whose check takes long enough to be shown


def home() -> Path:
    """Return the folder of prepared data: ``XLM_CACHE``, else the user's cache folder."""
    folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("XLM_CACHE") or Path(folder) / "xlmc")


@attrs.frozen
class _Seal:
    """The last file written into a folder: its key, a hash of each file, the builder's facts."""

    key: dict[str, Any]
    files: dict[str, Any]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Built:
    """A complete folder and its builder's facts (plain JSON values)."""

    folder: Path
    facts: Mapping[str, Any]


def cached(
    root: Path, name: str, key: Mapping[str, Any], build: Callable[[Path], Mapping[str, Any]]
) -> Built:
    """Return the folder of ``key`` below ``root/name``; ``build(folder)`` fills a missing one.

    ``key`` holds plain JSON values: everything that the content depends on. Raises RunError if the
    disk is full or the folder cannot be written.
    """
    digest = blake2b(_canonical(key).encode(), digest_size=10).hexdigest()
    home = root / name
    folder = home / digest
    with _said(home):
        found = _open(folder, key)
        if found:
            return found
        home.mkdir(parents=True, exist_ok=True)
        with _turn(home / f".{digest}.lock", folder):
            return _open(folder, key) or _build(folder, key, build)


def fingerprint(path: Path) -> str:
    """Return a digest of a file's whole content."""
    sum_ = blake2b(digest_size=16)
    with path.open("rb") as file:
        size = path.stat().st_size
        with Watch(f"reading {path.name}", size) as watch:
            while piece := file.read(1 << 22):
                sum_.update(piece)
                watch.at(file.tell())
    return sum_.hexdigest()


def _build(
    folder: Path, key: Mapping[str, Any], build: Callable[[Path], Mapping[str, Any]]
) -> Built:
    """Build aside, seal, rename.  The caller holds the lock of the folder."""
    for left in folder.parent.glob(f".{folder.name}.build-*"):  # of a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.build-", dir=folder.parent))
    try:
        facts = build(aside)
        _seal(aside, key, facts)
        if folder.exists():
            say(f"{folder} is damaged: prepared again")
            shutil.rmtree(folder)
        aside.replace(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Built(folder, facts)


def _seal(folder: Path, key: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = {path.relative_to(folder).as_posix(): hashes.of(path) for path in files}
    for path in files:
        on_disk(path)
    write_json(folder / SEAL, {"key": key, "files": sums, "facts": facts})
    on_disk(folder)


def _open(folder: Path, key: Mapping[str, Any]) -> Built | None:
    """Return the folder if it exists, is complete, and has this key; else None."""
    try:
        seal = read_as(folder / SEAL, _Seal)
    except RunError:
        return None
    if _canonical(seal.key) != _canonical(key):
        return None
    whole = all(_same(folder / name, sum_) for name, sum_ in seal.files.items())
    return Built(folder, seal.facts) if whole else None


def _same(path: Path, known: str | list[Any]) -> bool:
    """Return whether a file is unchanged; an older seal has a size and a sum of another kind."""
    if not isinstance(known, str) or not path.is_file():
        return False
    size = path.stat().st_size
    if size < _LARGE:
        return hashes.of(path) == known
    with Watch(f"checking {path.name}", size) as watch:
        sum_ = sha256()
        with path.open("rb") as file:
            while piece := file.read(1 << 22):
                sum_.update(piece)
                watch.at(file.tell())
    return sum_.hexdigest() == known


def _canonical(key: object) -> str:
    return json.dumps(key, sort_keys=True)


@contextmanager
def _turn(lock_file: Path, folder: Path) -> Iterator[None]:
    """Hold a lock that the system releases when its process ends, in any way."""
    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        say(f"waiting for another process that prepares {folder}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _said(home: Path) -> Iterator[None]:
    """Convert failures of the disk to the user's words."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunError(
                f"no space left for {home}: nothing was kept; make room or choose another cache "
                "folder"
            ) from error
        if error.errno in _USERS:
            raise RunError(
                f"{error.filename or home}: {error.strerror}; mend that, or choose another cache "
                "folder"
            ) from error
        raise

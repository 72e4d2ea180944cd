"""Writes a package so that a crash at any moment leaves the old one or the new one.

The new package grows in a hidden folder beside the old one; then the two swap names. What is not
the compiler's (notes, caches) moves over afterwards, entry by entry, and is never deleted. Whatever
a killed build left behind is settled by the next one.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from xlmc.diagnostics.failure import Failure, Refusal
from xlmc.emit.manifest import MANIFEST, Manifest, content, load, taken
from xlmc.emit.package import Package
from xlmc.output.swap import exchange
from xlmc.resources import digest

OVERLAY = "a container cannot rename the folders of its image: choose another --out"
LITTER = {"__pycache__"}  # stays behind when a package is deleted, and is no package


@frozen
class Written:
    """The folder of a package, the files written, and the old ones removed."""

    path: Path
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def write(package: Package, out: Path, *, force: bool = False) -> Written:
    """Write a package into ``out/NAME``; unchanged files keep their times.

    Raises Refusal where that would destroy what xlmc did not write, unless ``force``, and Failure
    where the disk does not let us; the old package is then untouched.
    """
    target = out / package.name
    try:
        out.mkdir(parents=True, exist_ok=True)
        with locked(out):
            settle(target)
            protect(target, package, force=force)
            return _replace(target, package)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        hint = f"\n  {OVERLAY}" if error.errno == errno.EXDEV else ""
        raise Failure(f"cannot write {target}: {error.strerror}{where}{hint}") from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder against other builds; the lock ends with the process, and leaves no file."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


# What must not be overwritten


def protect(target: Path, package: Package, *, force: bool) -> None:
    """Refuse to write a package if that would destroy somebody's work."""
    if reason := misplaced(target):
        raise Refusal(reason)
    if blocked := [name for name in package.files if (target / name).is_dir()]:
        raise Refusal(f"{target}: a folder is in the place of {_list(blocked)}: move it away")
    if force or not target.is_dir() or {path.name for path in target.iterdir()} <= LITTER:
        return
    manifest = load(target)
    if manifest is None or manifest.family != package.name:
        raise Refusal(f"{target} exists and {_stranger(manifest)}: move it away, or use --force")
    if edits := edited(target, manifest, package):
        ends = all(feeds(content(target / n) or b"") == package.files.get(n) for n in edits)
        raise Refusal(
            f"{target} was edited by hand: {_list(edits)}{' (line ends alone)' if ends else ''}\n"
            "  move the edits into the spec, or discard them with --force"
        )
    if foreign := [name for name in package.files if _foreign(target, name, manifest, package)]:
        raise Refusal(
            f"{target} has files that xlmc did not write and would overwrite: {_list(foreign)}\n"
            "  move them away, or overwrite them with --force"
        )


def misplaced(target: Path) -> str | None:
    """Return the reason why no package can be at a place, or None."""
    if target.is_symlink():
        return f"{target} is a symbolic link, which xlmc does not write through: remove it"
    if target.exists() and not target.is_dir():
        return f"{target} is a file, where the package's folder should be: move it away"
    return None


def feeds(data: bytes) -> bytes:
    """Convert the line ends of a text to line feeds."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def edited(folder: Path, manifest: Manifest, package: Package) -> list[str]:
    """Return the files that were changed since xlmc wrote them, unless to their new content."""
    return [
        name
        for name, known in manifest.outputs.items()
        if taken(folder / name)
        and (found := content(folder / name)) != package.files.get(name, b"")
        and (found is None or digest(found) != known)
    ]


def _foreign(folder: Path, name: str, manifest: Manifest, package: Package) -> bool:
    if name == MANIFEST or name in manifest.outputs or not taken(folder / name):
        return False
    return content(folder / name) != package.files[name]


def _stranger(manifest: Manifest | None) -> str:
    if manifest is None:
        return f"was not written by xlmc (it has no valid {MANIFEST})"
    return f"holds the family '{manifest.family}'"


def _list(names: list[str]) -> str:
    return ", ".join(sorted(names))


# The swap


def _replace(target: Path, package: Package) -> Written:
    manifest = load(target)
    owned = {} if manifest is None else manifest.outputs
    removed = [name for name in owned if name not in package.files and taken(target / name)]
    changed = [name for name, new in package.files.items() if content(target / name) != new]
    if changed or removed:
        try:
            _stage(target, package, set(changed))
            _swap(target)
        finally:
            settle(target)
    return Written(target, tuple(changed), tuple(removed))


def _new(target: Path) -> Path:
    return target.with_name(f".{target.name}.xlmc-new")


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.xlmc-old")


def _stage(target: Path, package: Package, changed: set[str]) -> None:
    """Build the new folder; the manifest comes first, for `settle` to identify our files."""
    stage = _new(target)
    stage.mkdir()
    if target.exists():
        shutil.copymode(target, stage)
    for name in sorted(package.files, key=lambda name: name != MANIFEST):
        if name in changed:
            _save(stage / name, package.files[name])
        else:
            _keep(target / name, stage / name)


def _save(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # else a power cut after the swap leaves empty files


def _keep(old: Path, new: Path) -> None:
    """Link a file under another name; copy it, with its times, if links are impossible."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)


def _swap(target: Path) -> None:
    stage, old = _new(target), _old(target)
    if not target.exists():
        stage.rename(target)
    elif not exchange(stage, target):
        target.rename(old)
        stage.rename(target)


# What a build leaves behind


def settle(target: Path) -> None:
    """Delete the temporary folders next to a package that a build left, killed or not.

    A crash between the two renames of `_swap` left only the old package under another name: it
    comes back.
    """
    if not taken(target) and _old(target).is_dir():
        _old(target).rename(target)
    for folder in (_new(target), _old(target)):
        if folder.is_symlink():
            folder.unlink()
        elif folder.is_dir():
            _clear(folder, target)


def _clear(folder: Path, target: Path) -> None:
    """Move foreign files into the package, then delete the rest, the manifest last."""
    ours = _outputs(folder) | _outputs(target)
    for path in sorted(folder.iterdir()):
        if path.name not in ours or (path.is_dir() and not path.is_symlink()):
            path.rename(_free(target / path.name))
    for path in sorted(folder.iterdir(), key=lambda path: path.name == MANIFEST):
        path.unlink()
    folder.rmdir()


def _outputs(folder: Path) -> set[str]:
    manifest = load(folder)
    return {MANIFEST} if manifest is None else {MANIFEST, *manifest.outputs}


def _free(path: Path) -> Path:
    """Return the path, or the first free one of ``path.1``, ``path.2``, ... if it is taken."""
    number, free = 0, path
    while taken(free):
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free

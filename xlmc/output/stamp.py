"""A record, in a private cache, of the builds of specs, so that repeating one takes no time.

A stamp has the hashes of all that a build read and wrote. It is valid only if every one of them
still holds on the disk; ``--check`` never reads it.
"""

import json
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from xlmc.emit.manifest import content
from xlmc.emit.package import Package
from xlmc.resources import digest

Hashes = Mapping[Path, str | None]
LIMIT = 256  # stamps kept; a forgotten one costs a rebuild


def fresh(spec: Path, out: Path, compiler: str) -> str | None:
    """Return the name of the package that a spec was built into, if nothing has changed since.

    ``compiler`` is the hash of the present compiler.
    """
    match _load(_path(spec, out)):
        case {"compiler": str(known), "name": str(name), "read": dict(read), "wrote": dict(wrote)}:
            same = known == compiler and _hold(read, read_hash) and _hold(wrote, _written_hash)
            return name if same else None
    return None


def remember(spec: Path, out: Path, compiler: str, read: Hashes, package: Package) -> None:
    """Record the files that a build read and wrote, with their hashes at that time.

    ``read`` maps every path that was read to its hash, or to None if there was no file. A cache
    that is not private or cannot be written is left alone: the next build then takes its full
    time, and nothing else changes.
    """
    folder = (out / package.name).absolute()
    stamp = {
        "compiler": compiler,
        "name": package.name,
        "read": {str(path.absolute()): known for path, known in read.items()},
        "wrote": {str(folder / name): digest(data) for name, data in package.files.items()},
    }
    with suppress(OSError):
        _save(_path(spec, out), json.dumps(stamp))


def read_hash(path: Path) -> str | None:
    """Return the hash of the file that a spec's path leads to, or None if there is none."""
    return digest(path.read_bytes()) if path.is_file() else None


def folder() -> Path:
    """Return the folder of stamps: in ``$XDG_CACHE_HOME/xlmc`` or ``~/.cache/xlmc``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return root / "xlmc" / "stamps"


def _path(spec: Path, out: Path) -> Path:
    key = f"{spec.resolve()}\0{out.resolve()}"
    return folder() / f"{sha256(key.encode(errors='surrogateescape')).hexdigest()}.json"


def _load(path: Path) -> Any:
    """Read a stamp, or None; only a folder that nobody else can write to is trusted."""
    try:
        return json.loads(path.read_bytes()) if _mine(path.parent) else None
    except (OSError, ValueError):
        return None


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _mine(path.parent):
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(text)
        part.replace(path)
        _prune(path.parent)


def _mine(folder: Path) -> bool:
    info = folder.lstat()
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid() and not info.st_mode & 0o077


def _written_hash(path: Path) -> str | None:
    found = content(path)
    return None if found is None else digest(found)


def _hold(hashes: Mapping[str, str | None], now: Callable[[Path], str | None]) -> bool:
    return all(now(Path(path)) == known for path, known in hashes.items())


def _prune(folder: Path) -> None:
    stamps = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for path in stamps[: max(0, len(stamps) - LIMIT)]:
        path.unlink(missing_ok=True)

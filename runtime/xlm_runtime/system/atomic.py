"""Files that are there in whole or not at all."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xlm_runtime.system.errors import RunError
from xlm_runtime.system.failures import GOES_ON, remedy
from xlm_runtime.system.reader import plain, sealed
from xlm_runtime.system.reader import read_json as read_json


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Convert an error of writing to a RunError that names the path."""
    try:
        yield
    except OSError as error:
        what = "; ".join(filter(None, (error.strerror or str(error), remedy(error), GOES_ON)))
        raise RunError(f"{path} cannot be written: {what}") from error


def write_text(path: Path, text: str) -> None:
    """Write next to the file, then replace it in one step once the new one is on the disk."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # else a power cut after the rename leaves an empty file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def on_disk(path: Path) -> None:
    """Wait until a file, or the list of names of a folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def to_json(value: object, indent: int | None = None) -> str:
    """Convert a value to JSON, with ``null`` for NaN and infinities, which JSON lacks."""
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object as indented JSON, in one step, with a hash of itself; see `to_json`."""
    write_text(path, to_json(sealed(value), indent=2) + "\n")

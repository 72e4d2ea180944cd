"""Files that are there in whole or not at all."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any

from xlm_runtime.errors import RunError


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Raises RunError that names the path where it cannot be written: a full disk, no rights."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}") from error


def write_text(path: Path, text: str) -> None:
    """Writes beside the file, then takes its place in one step."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def to_json(value: object, indent: int | None = None) -> str:
    """A value as JSON, which has no NaN and no infinity: ``null`` stands for those."""
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def plain(value: object) -> object:
    """A value with None for every number that is not finite."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def write_json(path: Path, value: object) -> None:
    """Writes a value as indented JSON, in one step; see `to_json`."""
    write_text(path, to_json(value, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The inverse of `write_json`; empty where there is no file.  Raises RunError for damage."""
    if not path.exists():
        return {}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged: it is no JSON: {error}") from error
    if not isinstance(read, dict):
        raise RunError(f"{path} is damaged: it is no JSON object")
    return read

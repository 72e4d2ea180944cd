"""The one reader of what a run, the cache or a pulled folder keeps in JSON, JSON lines and CSV.

Whatever is wrong with a file becomes one line: its name, what is wrong, and what to do. Objects
carry a hash of themselves under the key `SEAL`, which is checked and taken away; files of older
versions have none, and are read as they are. Published files, which others wrote, are read by
`read_object`.
"""

import csv
import json
from collections.abc import Mapping
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from xlm_runtime.system.errors import RunError
from xlm_runtime.system.strict import converter, mistakes

SEAL = "sha256"
_NONE = "it is no JSON object"
_SHOWN = 3  # mistakes in a message
_DEPTH = 32  # more than anything that is written
_AGAIN = "delete it, and its job writes it again"
_REMEDIES = {
    "index.json": "choose a checkpoint with --ckpt PATH; with --job train it becomes the last one",
    "metrics.json": "delete it, and evaluate again with --job eval",
    "evaluations.jsonl": "move it away, and evaluate again with --job eval",
    "predictions.json": "move it and the predictions away, and generate again with --job generate",
    "done.json": _AGAIN,
    "metrics.csv": "move it away: training continues without its rows",
    "sealed.json": "delete it: the logs beside it are then read as they are",
    "hashes.json": "take another checkpoint with --ckpt PATH",
    "columns.json": "delete its folder, and the data are prepared again",
}
_ELSE = "restore it from a copy of the run, pull the run again, or train under another --name"
_Kind = TypeVar("_Kind")


def damaged(path: Path, why: str, remedy: str = "") -> RunError:
    """Return the error for a damaged file, with a remedy or that of its name."""
    line = " ".join(why.split())
    short = line if len(line) <= 300 else f"{line[:300]}..."
    remedy = remedy or _REMEDIES.get(path.name, _AGAIN if path.suffix == ".jsonl" else _ELSE)
    return RunError(f"{path} is damaged: {short}; {remedy}")


def read_json(path: Path) -> dict[str, Any]:
    """Read the object in a file, complete and unchanged; empty if there is no file.

    Raises RunError for damage.
    """
    if not path.exists():
        return {}
    return unsealed(parsed(_text(path), path), path)


def read_object(path: Path, remedy: str = "") -> dict[str, Any]:
    """Read the object in a file that others wrote, which carries no hash.

    Raises RunError, with a remedy, if there is no file or no object in it.
    """
    found = parsed(_text(path, remedy), path, remedy=remedy)
    if not isinstance(found, dict):
        raise damaged(path, _NONE, remedy)
    return found


def read_as(path: Path, kind: type[_Kind]) -> _Kind:
    """Read the object in a file as an attrs class: no key missing, unknown or of another type.

    Without a file the class has its defaults. Raises RunError for damage.
    """
    return structured(read_json(path), kind, path)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read the objects of a file with one on each line.  Raises RunError for damage."""
    lines = enumerate(_text(path).split("\n"), 1)
    return [unsealed(parsed(line, path, f"line {n}: "), path) for n, line in lines if line]


def read_table(path: Path) -> list[list[str]]:
    """Read the rows of a CSV file; the first names the columns.  Raises RunError for damage."""
    try:
        return list(csv.reader(_text(path).splitlines(keepends=True), strict=True))
    except csv.Error as error:
        raise damaged(path, f"it is no CSV: {error}") from error


def structured(value: object, kind: type[_Kind], path: Path) -> _Kind:
    """Convert a value of a file to a class.  Raises RunError, naming every misfit."""
    found = mistakes(value, kind)
    if found:
        raise damaged(path, "; ".join(found[:_SHOWN]))
    return converter.structure(value, kind)


def parsed(text: str, path: Path, where: str = "", remedy: str = "") -> object:
    """Parse a text of a file as JSON.  Raises RunError."""
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise damaged(path, f"{where}it is nested too deeply", remedy) from error
    except ValueError as error:
        raise damaged(path, f"{where}it is no JSON: {error}", remedy) from error
    if not _flat(found, _DEPTH):
        raise damaged(path, f"{where}it is nested more than {_DEPTH} deep", remedy)
    return found


def sealed(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with a hash of itself."""
    rest = {key: part for key, part in value.items() if key != SEAL}
    return {**rest, SEAL: _hash(rest)}


def unsealed(found: object, path: Path) -> dict[str, Any]:
    """Return an object without its hash.  Raises RunError if the hash is not that of the object."""
    if not isinstance(found, dict):
        raise damaged(path, _NONE)
    rest = {key: value for key, value in found.items() if key != SEAL}
    if SEAL in found and found[SEAL] != _hash(rest):
        raise damaged(
            path, f"its hash is not the one under {SEAL} (if you edited it, remove that key)"
        )
    return rest


def _text(path: Path, remedy: str = "") -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise damaged(path, f"it is no UTF-8: {error}", remedy) from error
    except (OSError, ValueError) as error:  # a folder in its place, no rights, a name with NUL
        raise damaged(path, f"it cannot be read: {error}", remedy) from error


def _flat(value: object, left: int) -> bool:
    """Return whether a value is nested at most that deep."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left > 0 and all(_flat(part, left - 1) for part in parts)


def _hash(value: object) -> str:
    return sha256(json.dumps(plain(value), sort_keys=True).encode()).hexdigest()


def plain(value: object) -> object:
    """Replace numbers that are not finite by None, as a value comes back from JSON."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and not isfinite(value) else value

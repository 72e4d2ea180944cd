"""The files of predictions of a run: one for each distinct generation, none of which is lost.

``predictions.jsonl``, then ``predictions-2.jsonl``, and so on: the newest has the largest number.
``predictions.json`` says of each what it is of: hashes of package, weights, data and settings.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from xlm_runtime.system import hashes
from xlm_runtime.system.atomic import write_json
from xlm_runtime.system.reader import damaged, read_json, read_lines

INDEX = "predictions.json"
_NAME = re.compile(r"predictions(-\d+)?\.jsonl", re.ASCII)


def file(run: Path, key: str) -> Path:
    """Where the predictions of a generation go: where they are, or else the next free name.

    ``key`` is a digest of all that they depend on.
    """
    for name, about in _index(run).items():
        if about.get("key") == key:
            return run / name
    return next(path for path in map(run.joinpath, _names()) if not path.exists())


def note(run: Path, file: Path, key: str, about: Mapping[str, Any]) -> None:
    """Adds what a file of predictions is of."""
    made = {"key": key, "hash": hashes.of(file) if file.exists() else None, **about}
    write_json(run / INDEX, _index(run) | {file.name: made})


def read(run: Path, file: Path) -> list[dict[str, Any]]:
    """The predictions of a file.  Raises RunError where they are not those that were written."""
    known = _index(run).get(file.name, {}).get("hash")
    if known is not None and hashes.of(file) != known:
        raise damaged(file, f"its content is not what {INDEX} says")
    return read_lines(file)


def _index(run: Path) -> dict[str, dict[str, Any]]:
    """Return the record of each file.  Raises RunError where names or records are none."""
    found = read_json(run / INDEX)
    for name, about in found.items():
        if not (_NAME.fullmatch(name) and isinstance(about, dict)):
            raise damaged(run / INDEX, f"{name!r} is no file of predictions")
    return found


def _names() -> Iterator[str]:
    yield "predictions.jsonl"
    for number in count(2):
        yield f"predictions-{number}.jsonl"

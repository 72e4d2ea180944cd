"""The prediction files of a run: one for each distinct generation, none of which is lost.

``predictions.jsonl``, then ``predictions-2.jsonl``, and so on: the newest has the largest number.
``predictions.json`` lists the sources of each: hashes of package, weights, data and settings.
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
    """Return the prediction file of a generation: its existing one, or the next free name.

    ``key`` is a digest of all that the predictions depend on.
    """
    for name, about in _index(run).items():
        if about.get("key") == key:
            return run / name
    return next(path for path in map(run.joinpath, _names()) if not path.exists())


def note(run: Path, file: Path, key: str, about: Mapping[str, Any]) -> None:
    """Record the sources of a prediction file."""
    made = {"key": key, "hash": hashes.of(file) if file.exists() else None, **about}
    write_json(run / INDEX, _index(run) | {file.name: made})


def read(run: Path, file: Path) -> list[dict[str, Any]]:
    """Read the predictions of a file.  Raises RunError if its content has changed."""
    known = _index(run).get(file.name, {}).get("hash")
    if known is not None and hashes.of(file) != known:
        raise damaged(file, f"its hash is not the one in {INDEX}")
    return read_lines(file)


def newest(run: Path) -> dict[str, dict[str, Any]]:
    """Return the record of each file of predictions, the newest first."""
    return dict(reversed(_index(run).items()))


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

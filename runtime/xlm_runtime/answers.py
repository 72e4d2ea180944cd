"""The files of predictions of a run: one for each distinct generation, none of which is lost.

``predictions.jsonl``, then ``predictions-2.jsonl``, and so on: the newest has the largest number.
``predictions.json`` says of each what it is of: hashes of package, weights, data and settings.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from xlm_runtime.atomic import read_json, write_json

INDEX = "predictions.json"


def file(run: Path, key: str) -> Path:
    """Where the predictions of a generation go: where they are, or else the next free name.

    ``key`` is a digest of all that they depend on.
    """
    for name, about in read_json(run / INDEX).items():
        if about.get("key") == key:
            return run / name
    return next(path for path in map(run.joinpath, _names()) if not path.exists())


def note(run: Path, file: Path, key: str, about: Mapping[str, Any]) -> None:
    """Adds what a file of predictions is of."""
    write_json(run / INDEX, read_json(run / INDEX) | {file.name: {"key": key, **about}})


def _names() -> Iterator[str]:
    yield "predictions.jsonl"
    for number in count(2):
        yield f"predictions-{number}.jsonl"

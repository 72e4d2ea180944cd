"""MANIFEST.json: what xlmc wrote into a package, and what the package is.

It holds no version of the compiler, no date and no path, so that it changes only with what it
speaks of. That the compiler changed needs no entry: the outputs then differ, and the specs do not.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from xlmc.syntax.plain import dump

MANIFEST = "MANIFEST.json"
FORMAT = 1


@frozen
class Manifest:
    """``outputs`` maps the files of a package, itself apart, to their hashes.

    ``specs`` names those of the outputs that are the spec and its parents, the spec first;
    ``source`` is the name of the file that the spec was built from.
    """

    family: str
    specs: tuple[str, ...]
    outputs: Mapping[str, str]
    source: str = ""

    def text(self, facts: Mapping[str, Any]) -> str:
        """Format the manifest; ``facts`` (claims, lines) are there for other programs to read."""
        own = {"family": self.family, "specs": self.specs, "outputs": dict(self.outputs)}
        return dump({**facts, **own, "format": FORMAT})


def load(folder: Path) -> Manifest | None:
    """Read the manifest of a package; None if there is none that xlmc could have written."""
    path = folder / MANIFEST
    if path.is_symlink() or not path.is_file():
        return None
    return parsed(path.read_bytes())


def parsed(data: bytes) -> Manifest | None:
    """Parse the bytes of a manifest; None if xlmc could not have written it."""
    try:
        return _structure(json.loads(data))
    except (ValueError, RecursionError):
        return None


def _structure(data: Any) -> Manifest | None:
    match data:
        case {
            "format": int(),
            "family": str(family),
            "specs": list(specs),
            "outputs": dict(outputs),
        }:
            texts = [*specs, *outputs, *outputs.values()]
            if all(isinstance(text, str) for text in texts) and all(map(flat, outputs)):
                return Manifest(family, tuple(specs), outputs, _source(data, family))
    return None


def _source(data: Mapping[str, Any], family: str) -> str:
    """Return the name of the spec's file in the manifest, else that of its copy."""
    match data:
        case {"source": str(name)} if flat(name):
            return name
    return f"{family}.xlm"


def flat(name: str) -> bool:
    """Return whether a name is that of a file in the package itself: no folder, not hidden."""
    return not name.startswith(".") and not {"/", "\\", "\0"} & set(name) and name != ""


def content(path: Path) -> bytes | None:
    """Return the bytes of a regular file, or None if there is none of that name."""
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None


def taken(path: Path) -> bool:
    """Return whether anything has that name, a dangling link included."""
    return path.is_symlink() or path.exists()

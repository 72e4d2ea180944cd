"""The files of a package directory, read once: what is hashed is what runs, and what is copied."""

import json
from collections.abc import Mapping
from difflib import unified_diff
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from xlm_runtime.system.errors import UsageError

MANIFEST = "MANIFEST.json"
_BYTECODE = "__pycache__"  # what Python may leave in a folder of the user's; it is never read


@frozen(slots=False)
class Contents:
    """The files of a package by their relative names, before anything of them has run."""

    path: Path
    files: Mapping[str, bytes]

    @cached_property
    def digest(self) -> str:
        """A hash of the names and bytes of all files."""
        hashed = sha256()
        for name, content in self.files.items():
            hashed.update(f"{name}\0{len(content)}\0".encode() + content)
        return hashed.hexdigest()

    @cached_property
    def hashes(self) -> dict[str, str]:
        """The hash of each file."""
        return {name: sha256(content).hexdigest() for name, content in self.files.items()}

    @cached_property
    def manifest(self) -> Mapping[str, object]:
        """``MANIFEST.json`` as xlmc wrote it; empty where there is none that can be read."""
        try:
            found = json.loads(self.files.get(MANIFEST, b"{}"))
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def listed(self) -> dict[str, str] | None:
        """The files that the manifest lists, with their hashes; None where it lists none."""
        found = self.manifest.get("outputs")
        if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
            return None
        return found

    @property
    def family(self) -> str:
        """The family that the manifest names; "" where it names none."""
        found = self.manifest.get("family")
        return found if isinstance(found, str) else ""

    def write(self, folder: Path) -> None:
        """Write these very bytes to a folder that does not exist yet."""
        folder.mkdir()
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def read(path: Path) -> Contents:
    """Read the files of a package, without executing any of them.

    Bytecode that Python left there is no part of it: it is neither hashed nor copied nor executed.
    Raises UsageError if there is no package.
    """
    if path.suffix == ".xlm":
        raise UsageError(f"{path} is a spec; build it first: xlmc build {path}")
    if not (path / "__init__.py").is_file():
        raise UsageError(f"there is no package at {path}; build one: xlmc build spec/NAME.xlm")
    try:
        files = {
            file.relative_to(path).as_posix(): file.read_bytes()
            for file in sorted(path.rglob("*"))
            if file.is_file() and _BYTECODE not in file.relative_to(path).parts
        }
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}") from error
    return Contents(path, files)


def changes(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> str:
    """Describe the difference of two packages: specs line by line, and names of other files."""
    names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    specs = [name for name in names if name.endswith(".xlm")]
    others = [name for name in names if not name.endswith(".xlm")]
    if not specs:
        return f"the specs are the same; these files differ: {', '.join(others)}"
    lines: list[str] = []
    for name in specs:
        was, is_ = (side.get(name, b"").decode(errors="replace") for side in (old, new))
        found = unified_diff(
            was.splitlines(), is_.splitlines(), f"run/{name}", f"now/{name}", n=0, lineterm=""
        )
        lines += list(found) or [f"{name}: only its line ends differ (CR LF, or LF)"]
    return "\n".join(lines + ([f"these files differ too: {', '.join(others)}"] if others else []))

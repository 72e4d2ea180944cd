"""Comparison of the output of specs with the files on the disk: paths and bytes, both ways.

Nothing is cached, and no failure is swallowed: an exception is a failed check.
"""

import shlex
from collections.abc import Iterable, Sequence
from difflib import unified_diff
from pathlib import Path

from attrs import frozen

from xlmc.emit.manifest import MANIFEST, Manifest, content, load, taken
from xlmc.emit.package import Package
from xlmc.output.write import feeds, misplaced
from xlmc.resources import digest

PART = {".py", ".pyi", ".xlm"}  # what would be taken for a part of the package


@frozen
class Drift:
    """One path that is not as the specs make it: why, and the difference as text.

    ``mend`` is how to make it so: ``build``, ``force`` (an edit would be lost), ``remove``,
    ``move`` away and build, or ``name`` the spec of a package.
    """

    path: Path
    why: str
    mend: str
    diff: str = ""


def compare(package: Package, out: Path) -> list[Drift]:
    """Return every path of ``out/NAME`` that is missing, edited, outdated or surplus."""
    folder = out / package.name
    if reason := misplaced(folder):
        return [Drift(folder, reason.removeprefix(f"{folder} "), "move")]
    if not folder.exists():
        return [Drift(folder, "is missing: it was never built", "build")]
    manifest = load(folder) or Manifest(package.name, (), {})
    names = sorted({*package.files, *manifest.outputs, *_parts(folder)})
    found = (_compare(folder / name, package.files.get(name), manifest, name) for name in names)
    return [drift for drift in found if drift]


def _parts(folder: Path) -> list[str]:
    paths = (path for path in folder.rglob("*") if path.suffix in PART and not path.is_dir())
    return [path.relative_to(folder).as_posix() for path in paths]


def _compare(path: Path, new: bytes | None, manifest: Manifest, name: str) -> Drift | None:
    if not taken(path):
        return None if new is None else Drift(path, "is missing", "build", _diff(path, b"", new))
    old = content(path)
    if old == new and old is not None:
        return None
    why, mend = _reason(old, new, manifest, name)
    if old and new and feeds(old) != old and feeds(new) == new:
        why += ": its line ends differ (CR LF on disk, LF from the spec)"
        old = feeds(old)
    return Drift(path, why, mend, _diff(path, old or b"", new or b""))


def _reason(old: bytes | None, new: bytes | None, manifest: Manifest, name: str) -> tuple[str, str]:
    if old is None:
        return "is not a regular file", "move"
    if name == MANIFEST:
        return ("is stale", "build") if manifest.outputs else ("is not what xlmc wrote", "force")
    if name not in manifest.outputs:
        return ("is not written by xlmc", "remove" if new is None else "force")
    if digest(old) != manifest.outputs[name]:
        return "was edited by hand", "force"
    return ("is stale: no longer written" if new is None else "is stale"), "build"


def _diff(path: Path, old: bytes, new: bytes) -> str:
    """Return the changes of a build as a unified diff; bytes that are no text show as U+FFFD."""
    before, after = (data.decode(errors="replace").splitlines(keepends=True) for data in (old, new))
    lines = unified_diff(before, after, f"{path} (on disk)", f"{path} (from the spec)")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def strangers(names: Iterable[str], out: Path) -> list[Drift]:
    """Return the packages under ``out`` that none of the specs makes."""
    known = set(names)
    folders = sorted(out.iterdir()) if out.is_dir() else []
    return [
        Drift(folder, f"is made by none of these specs: give {folder.name}.xlm too", "name")
        for folder in folders
        if folder.name not in known and not folder.name.startswith(".") and load(folder)
    ]


def command(drifts: Sequence[Drift], specs: Sequence[str], out: Path) -> str:
    """Return the command line that rebuilds the disk from the specs; "" if specs are missing."""
    moved = [str(drift.path) for drift in drifts if drift.mend == "move"]
    parts = [shlex.join(["mv", path, f"{path}.moved"]) for path in moved]
    if removed := [str(drift.path) for drift in drifts if drift.mend == "remove"]:
        parts.append(shlex.join(["rm", "-r", *removed]))
    if any(drift.mend not in ("remove", "name") for drift in drifts):
        force = ["--force"] if any(drift.mend == "force" for drift in drifts) else []
        parts.append(shlex.join(["xlmc", "build", *specs, "--out", str(out), *force]))
    return " && ".join(parts)

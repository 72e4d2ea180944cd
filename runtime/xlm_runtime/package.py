"""A package directory → the family in it, whatever the directory is called."""

import importlib.util
import sys
from difflib import unified_diff
from hashlib import sha256
from itertools import count
from pathlib import Path
from types import ModuleType

from attrs import frozen

from xlm_runtime.errors import UsageError
from xlm_runtime.plug import Family

_IMPORTED = count()
_BROKEN = (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError, LookupError)


@frozen
class Package:
    """A family, the directory it was imported from, and a digest of the files there."""

    path: Path
    family: Family
    digest: str


def load(path: Path) -> Package:
    """Imports a package under a module name of its own, so that two copies never meet.

    Raises UsageError where there is no package, or a broken one.
    """
    if path.suffix == ".xlm":
        raise UsageError(f"{path} is a spec; build it first: xlmc build {path}")
    if not (path / "__init__.py").is_file():
        raise UsageError(f"there is no package at {path}; build one: xlmc build spec/NAME.xlm")
    family = getattr(_import(path), "FAMILY", None)
    if not isinstance(family, Family):
        raise UsageError(f"{path}/__init__.py exports no FAMILY; build the package again")
    return Package(path, family, digest(path))


def _import(path: Path) -> ModuleType:
    name = f"_xlm_package_{next(_IMPORTED)}"
    spec = importlib.util.spec_from_file_location(
        name, path / "__init__.py", submodule_search_locations=[str(path)]
    )
    if spec is None or spec.loader is None:
        raise UsageError(f"{path}/__init__.py cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except _BROKEN as error:
        for loaded in [key for key in sys.modules if key.split(".")[0] == name]:
            del sys.modules[loaded]
        kind = type(error).__name__
        raise UsageError(
            f"the package at {path} is broken ({kind}: {error}); build it again, "
            "with --force if it was edited by hand"
        ) from error
    return module


def sources(path: Path) -> dict[str, bytes]:
    """The files of a package by their relative names, without what Python left behind."""
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def digest(path: Path) -> str:
    """A hash of the names and bytes of a package's files."""
    hashed = sha256()
    for name, content in sources(path).items():
        hashed.update(f"{name}\0{len(content)}\0".encode() + content)
    return hashed.hexdigest()


def changes(old: Path, new: Path) -> str:
    """How a package differs from another: its specs line by line, or else the files' names."""
    before, after = sources(old), sources(new)
    names = [n for n in dict.fromkeys([*before, *after]) if before.get(n) != after.get(n)]
    specs = [name for name in names if name.endswith(".xlm")]
    if not specs:
        return f"the specs are the same; these files differ: {', '.join(names)}"
    lines: list[str] = []
    for name in specs:
        was, is_ = (side.get(name, b"").decode(errors="replace") for side in (before, after))
        lines += unified_diff(
            was.splitlines(), is_.splitlines(), f"run/{name}", f"now/{name}", n=0, lineterm=""
        )
    return "\n".join(lines)

"""Imports of a package from the bytes that were read of it: no file, and no bytecode, is opened.

The modules of a package have no folder (`__path__` is empty), so that nothing beside the files that
were read, a compiled module or an extension, can take the place of one.
"""

import sys
from collections.abc import Mapping
from importlib.abc import ExecutionLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import decode_source, module_from_spec
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

from attrs import frozen

_NAMES = (f"_xlm_package_{number}" for number in count())


@frozen
class _Held:
    """A package that is imported: its directory, which messages name, and its files."""

    path: Path
    files: Mapping[str, bytes]

    def file(self, module: str) -> str | None:
        """Return the file of a module by its name within the package; None if there is none."""
        stem = module.replace(".", "/")
        options = (f"{stem}/__init__.py", f"{stem}.py") if stem else ("__init__.py",)
        return next((name for name in options if name in self.files), None)


class _Memory(MetaPathFinder, ExecutionLoader):
    """Finds and loads the modules of packages that are held in memory."""

    def __init__(self) -> None:
        self.held: dict[str, _Held] = {}

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        """Return the import spec of a module of such a package."""
        root, rest = _parted(fullname)
        held = self.held.get(root)
        name = None if held is None else held.file(rest)
        if held is None or name is None:
            return None
        whole = name.endswith("__init__.py")
        found = ModuleSpec(fullname, self, origin=str(held.path / name), is_package=whole)
        found.has_location = True  # tracebacks name the file
        return found

    def get_filename(self, fullname: str) -> str:
        """Return the path of a module's file, for messages."""
        held, name = self._place(fullname)
        return str(held.path / name)

    def get_source(self, fullname: str) -> str:
        """Return the source text of a module."""
        held, name = self._place(fullname)
        return decode_source(held.files[name])

    def _place(self, fullname: str) -> tuple[_Held, str]:
        root, rest = _parted(fullname)
        held = self.held[root]
        name = held.file(rest)
        if name is None:
            raise ImportError(f"{held.path} has no module {rest}", name=fullname)
        return held, name


def _parted(fullname: str) -> tuple[str, str]:
    """Split the name of a module into its package and the rest."""
    root, _, rest = fullname.partition(".")
    return root, rest


_memory = _Memory()


def imported(path: Path, files: Mapping[str, bytes]) -> ModuleType:
    """Import a package under a name of its own, so that two copies never collide.

    Raises whatever its code raises; then nothing of it stays imported.
    """
    name = next(_NAMES)
    if _memory not in sys.meta_path:
        sys.meta_path.insert(0, _memory)
    _memory.held[name] = _Held(path, files)
    spec = _memory.find_spec(name)
    if spec is None:
        raise ImportError(f"{path} has no __init__.py", name=name)
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        _memory.exec_module(module)
    except BaseException:
        for loaded in [key for key in sys.modules if key.partition(".")[0] == name]:
            del sys.modules[loaded]
        del _memory.held[name]
        raise
    return module

"""Specs to imported packages, as they are or with a bug planted."""

import importlib.util
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType
from typing import Any

from laws import zoo

from xlm_runtime.plug import Family, Layout, ModelSize, Vocabulary
from xlmc.compiler import compile_spec
from xlmc.resources import digest

VOCAB = Vocabulary(8, {"pad": 0, "mask": 1, "bos": 2, "eos": 3, "cls": 4})
A, B, C = 5, 6, 7
SIZE = ModelSize(layers=2, width=8, heads=2)
_fresh = count()


@dataclass(frozen=True)
class Package:
    """A compiled package: its modules, and the spec it came from."""

    module: ModuleType
    spec: zoo.Spec

    @cached_property
    def family(self) -> Family:
        found: Family = self.module.FAMILY
        return found

    def __getattr__(self, name: str) -> Any:
        """A module of the package: `package.noise`."""
        if name.startswith("__"):
            raise AttributeError(name)
        return sys.modules[f"{self.module.__name__}.{name}"]

    def has(self, *names: str) -> bool:
        """Whether it has a module, or a function `module.function`."""
        for name in names:
            module, _, function = name.partition(".")
            found = sys.modules.get(f"{self.module.__name__}.{module}")
            if found is None or (function and not hasattr(found, function)):
                return False
        return True

    def layout(self, name: str, body: int = 8) -> Layout:
        return self.family.layouts[name](VOCAB, body)

    def sampler(self, name: str = "default", **params: Any) -> Any:
        return self.family.decoders[name](**params)

    def quick(self, name: str = "default", **params: Any) -> Any:
        """A sampler of few steps, where these can be set: for laws that hold of any number."""
        steps = {"steps": 12} if "steps" in self.family.decoders[name].__dataclass_fields__ else {}
        return self.sampler(name, **steps | params)


class Workshop:
    """Compiles each spec once, and imports it under a new name as often as it is asked for.

    ``shared`` is a folder of compiled packages for all processes of a session.
    """

    def __init__(
        self, root: Path, specs: Mapping[str, zoo.Spec] = zoo.SPECS, shared: Path | None = None
    ) -> None:
        self.root = root
        self.specs = specs
        self.shared = shared or root
        self._files: dict[str, dict[str, bytes]] = {}
        self._packages: dict[str, Package] = {}

    def package(self, name: str) -> Package:
        if name not in self._packages:
            self._packages[name] = self._imported(name, self.files(name))
        return self._packages[name]

    def mutant(self, name: str, file: str, old: str, new: str) -> Package:
        """The package with one piece of text replaced wherever it stands in a file."""
        files = dict(self.files(name))
        text = files[file].decode()
        assert old in text, f"{name}/{file} has no {old!r}: write the mutant anew"
        files[file] = text.replace(old, new).encode()
        return self._imported(name, files)

    def files(self, name: str) -> dict[str, bytes]:
        if name not in self._files:
            kept = self.shared / f"{name}_{digest(self.spec_of(name).text.encode())}"
            if not kept.exists():
                self._compile(name, kept)
            self._files[name] = {one.name: one.read_bytes() for one in kept.iterdir()}
        return self._files[name]

    def _compile(self, name: str, into: Path) -> None:
        """Write the files of a package to a folder, which is there with all of them or not."""
        path = self.root / f"{name}.xlm"
        path.write_text(self.spec_of(name).text, encoding="utf-8")
        made = Path(mkdtemp(dir=self.shared))
        for file, content in compile_spec(path).package.files.items():
            (made / file).write_bytes(content)
        with suppress(OSError):  # another process was first
            made.rename(into)

    def _imported(self, name: str, files: dict[str, bytes]) -> Package:
        fresh = f"laws_{name}_{next(_fresh)}"
        folder = self.root / fresh
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_bytes(content)
        found = importlib.util.spec_from_file_location(
            fresh, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        sys.modules[fresh] = module
        found.loader.exec_module(module)
        return Package(module, self.spec_of(name))

    def spec_of(self, name: str) -> zoo.Spec:
        """Return a spec, one of a few laws alone among them."""
        return self.specs.get(name) or zoo.MORE[name]

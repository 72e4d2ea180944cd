"""Files of specs: the one given by the user, and the parents that are named in it."""

import errno
from collections.abc import Mapping
from pathlib import Path

from xlmc import resources
from xlmc.diagnostics.source import Source
from xlmc.resources import digest
from xlmc.syntax.parse import read_source


def content(path: Path) -> bytes:
    """Return the bytes of a spec.  Raises OSError if it cannot be read."""
    if not path.is_file():
        raise OSError(errno.EINVAL, "is not a regular file", str(path))  # reading might never end
    return path.read_bytes()


class Library:
    """The spec at a path, and its parents: those beside it, then the shipped ones.

    ``read`` maps every path that was looked at to the hash of what was there, or to None: a file
    that appears there changes what the spec means.
    """

    def __init__(self, path: Path) -> None:
        """Read the spec.  Raises OSError, or SpecErrors if it is no text."""
        self.read: dict[Path, str | None] = {}
        self.parents: dict[str, Source] = {}
        self._folders = (path.parent, resources.folder("spec"))
        self.spec = self._open(path)

    def find(self, family: str) -> Source | None:
        """Return the spec of a parent, or None if there is none.  Raises SpecErrors, OSError."""
        for folder in self._folders:
            path = folder / f"{family}.xlm"
            if path.is_file():
                self.parents[family] = self._open(path)
                return self.parents[family]
            self.read[path] = None
        return None

    def known(self) -> list[str]:
        """Return the families that could be parents."""
        return sorted({path.stem for folder in self._folders for path in folder.glob("*.xlm")})

    def sources(self, family: str) -> dict[str, Source]:
        """Return the spec, which is of that family, and its parents, by their families."""
        return {family: self.spec, **self.parents}

    def copies(self, family: str) -> dict[str, str]:
        """Return the text of all `sources` by file: ``NAME.xlm`` -> text."""
        return {f"{name}.xlm": one.text for name, one in self.sources(family).items()}

    def python(self, module: str) -> tuple[Path, str] | None:
        """Return the file of a dotted module beside the spec or in the working directory, if any.

        Raises SpecErrors if it is no text, OSError if it cannot be read.
        """
        for folder in (self._folders[0], Path()):
            path = folder.joinpath(*module.split(".")).with_suffix(".py")
            if path.is_file():
                return path, self._open(path).text
            self.read[path] = None
        return None

    def _open(self, path: Path) -> Source:
        data = content(path)
        self.read[path] = digest(data)
        return read_source(str(path), data)


class Shelf(Library):
    """A spec and its parents held in memory: those that lie in a package, and no others."""

    def __init__(self, specs: Mapping[str, bytes], family: str, name: str) -> None:
        """Take the spec of a family, which was read from the file ``name``.

        Raises SpecErrors if it is no text, KeyError if it is not there.
        """
        self.read: dict[Path, str | None] = {}
        self.parents: dict[str, Source] = {}
        self._specs = specs
        self.spec = read_source(name, specs[f"{family}.xlm"])

    def find(self, family: str) -> Source | None:
        """Return the spec of a parent, or None if the package has none.  Raises SpecErrors."""
        if f"{family}.xlm" not in self._specs:
            return None
        self.parents[family] = read_source(f"{family}.xlm", self._specs[f"{family}.xlm"])
        return self.parents[family]

    def known(self) -> list[str]:
        """Return the families that could be parents."""
        return sorted(name.removesuffix(".xlm") for name in self._specs)

    def python(self, module: str) -> None:
        """Return None: no file is looked for."""

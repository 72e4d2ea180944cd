"""Loading of the family in a package directory, of any name."""

from pathlib import Path

from attrs import frozen

from xlm_runtime.packages.broken import reason
from xlm_runtime.packages.contents import Contents, read
from xlm_runtime.packages.importing import imported
from xlm_runtime.packages.trust import DOUBT, Trust
from xlm_runtime.plug import Family
from xlm_runtime.system.errors import UsageError

_BROKEN = (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError, LookupError)


@frozen
class Package:
    """A family, and the files that it was imported from."""

    contents: Contents
    family: Family

    @property
    def path(self) -> Path:
        """The directory."""
        return self.contents.path

    @property
    def digest(self) -> str:
        """A hash of the names and bytes of its files."""
        return self.contents.digest


def load(package: Path | Contents, trust: Trust = DOUBT) -> Package:
    """Import a package from its bytes, read now or before.

    Raises UsageError if the package is missing or broken, or if it came from elsewhere and
    ``trust`` does not let it run.
    """
    contents = read(package) if isinstance(package, Path) else package
    trust.check(contents)
    path = contents.path
    try:
        family = getattr(imported(path, contents.files), "FAMILY", None)
    except _BROKEN as error:
        raise UsageError(reason(path, error)) from error
    if not isinstance(family, Family):
        raise UsageError(f"{path}/__init__.py exports no FAMILY; build the package again")
    if contents.family not in ("", family.name):
        raise UsageError(
            f"{path}/MANIFEST.json names the family {contents.family}, but the code is of "
            f"{family.name}; build the package again"
        )
    return Package(contents, family)

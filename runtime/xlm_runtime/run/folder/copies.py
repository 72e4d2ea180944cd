"""A run's own copy of its package, compared with the package that the run began with."""

from pathlib import Path

from xlm_runtime.packages.contents import Contents, changes, read
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.system.errors import UsageError, some

_LISTED = 8  # names of files in a message


def check_package(run: Run, package: Contents, force: bool) -> None:
    """Check that a run was begun with this package.  Raises UsageError with the changes."""
    if force or run.facts.get("package") == package.digest:
        return
    raise UsageError(
        f"{run.path} was trained with another package than {package.path}:\n"
        f"{_changes(run, package)}\n"
        "use --force to continue with the package as it is now"
    )


def family(package: Contents, named: Path | None) -> str:
    """Return the family of the named run, or of the run that holds the package; else ""."""
    for path in (named, package.path.resolve().parent):
        if path is not None and (path / "run.json").is_file():
            return str(Run(path).facts.get("family", ""))
    return ""


def own(run: Run, trust: bool = False) -> Contents:
    """Read the copy of the package in a run, for calls from Python.

    Raises UsageError with the files that differ if it has changed since the run began, unless
    ``trust``.
    """
    found = read(run.package)
    if trust or run.facts.get("package") == found.digest:
        return found
    raise UsageError(
        f"{run.package} has changed since the run was trained; {_altered(run, found)}. None of "
        f"its code has been executed: restore the files, or pass trust=True to use it as it is"
    )


def _changes(run: Run, package: Contents) -> str:
    """Describe the difference between a package and that of a run, as far as it is recorded."""
    if package.path.resolve() == run.package.resolve():
        return _altered(run, package)
    before = read(run.package)
    if before.digest != run.facts.get("package"):
        return _altered(run, package)
    return changes(before.files, package.files)


def _altered(run: Run, package: Contents) -> str:
    """List the files that differ from the hashes in the run, or else in the manifest."""
    recorded = run.facts.get("files")
    known, now = recorded or package.listed or {}, package.hashes
    every = {*known, *(now if recorded else ())}  # a manifest does not list itself
    names = sorted(name for name in every if known.get(name) != now.get(name))
    if not names:
        return "its files differ, and the run has no record of which"
    return f"these files differ: {some(names, _LISTED)}"

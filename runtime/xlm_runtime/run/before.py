"""Checks of a command before any code of a package runs."""

from xlm_runtime.packages import package
from xlm_runtime.packages.contents import Contents
from xlm_runtime.run.command import Command
from xlm_runtime.run.folder import copies, runs
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.train import saved


def family_of(command: Command, read: Contents) -> str:
    """Return the family of a package; import its code only if neither it nor a run names it."""
    known = read.family or copies.family(read, command.run_dir)
    return known or package.load(read, command.trust).family.name


def compare_first(command: Command, read: Contents, name: str, task: str) -> None:
    """Check that the run which a command names was begun with the same package.

    ``name`` is that of the family. Raises UsageError.
    """
    if not (command.run_dir or command.name):
        return
    named = Run(command.run_dir or runs.home(name, task) / str(command.name))
    if (named.path / "run.json").is_file() and saved.every(named.checkpoints):
        copies.check_package(named, read, command.force)

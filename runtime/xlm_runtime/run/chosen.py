"""The run that a job reads."""

from typing import Any

from xlm_runtime.packages.contents import Contents
from xlm_runtime.run.command import Command
from xlm_runtime.run.folder import copies, runs
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import say


def facts(command: Command, task: str, begun: Run | None) -> dict[str, Any]:
    """Return a run's facts besides package and configuration; the recorded ones if it exists."""
    data = str(command.data.resolve()) if command.data else None
    asked = {"task": task, "preset": command.preset, "data": data}
    if begun is None:
        return asked
    before = {key: begun.facts[key] for key in asked}
    return before if data is None else before | {"data": data}


def begun(command: Command, read: Contents, family: str, task: str) -> Run | None:
    """Return the run that a job reads; scoring may do without, and takes the data of one."""
    named = command.run_dir or command.name
    if command.predictions is None or named:
        return used(command, read, family, task)
    near = Run(command.predictions.parent)
    if (near.facts.get("family"), near.facts.get("task")) != (family, task):
        return None
    say(f"predictions of run {near.path}, with its data")
    return near


def used(command: Command, read: Contents, family: str, task: str) -> Run:
    """Return the run whose checkpoint a job reads."""
    home = runs.home(family, task)
    if command.run_dir or command.name:
        chosen = runs.open_run(command.run_dir or home / str(command.name))
        if command.preset == "paper" and chosen.facts["preset"] != "paper":
            raise UsageError(f"--preset paper: {chosen.path} was trained with preset quick")
    else:
        chosen = runs.newest(home, command.seed, command.preset)
    runs.check_pair(chosen, family, task)
    copies.check_package(chosen, read, command.force)
    say(f"run {chosen.path}")
    return chosen

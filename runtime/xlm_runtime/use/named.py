"""The run that a user names: its folder, a folder of runs, a package, or a name on the Hub."""

from pathlib import Path

from xlm_runtime.data import hub
from xlm_runtime.packages import contents
from xlm_runtime.packages.trust import PULLED, Judge, Origin
from xlm_runtime.run import share
from xlm_runtime.run.folder import runs
from xlm_runtime.run.folder.runs import Run, listed, open_run
from xlm_runtime.system.errors import UsageError, some
from xlm_runtime.system.progress import say
from xlm_runtime.train import saved

_DEPTH = 3  # folders between `runs` and a run: the family, the task, the run
_NAMED = 5  # runs in a message


def found(what: str | Path, ckpt: str = "best", judge: Judge | None = None) -> tuple[Run, Path]:
    """Return the run that a user names, and the folder of its checkpoint.

    ``what`` is a run folder; one of its checkpoints; a folder with runs below it, of which the
    newest is meant; a package, of whose runs the newest is meant; or OWNER/NAME on the Hub, which
    is pulled unless it has been. ``judge`` compares pulled code with its spec. Raises UsageError
    with a list of what was looked for.
    """
    path = Path(what)
    if (path / saved.AVERAGE).is_file():
        return open_run(path.absolute().parents[1]), path
    run = _local(path) if path.exists() else _remote(str(what), judge)
    if ckpt in ("best", "last") and not run.steps:
        raise UsageError(f"{run.path} has no checkpoint yet: train it, or name another run")
    return run, saved.resolve(run.checkpoints, ckpt)


def is_package(path: Path) -> bool:
    """Return whether a path is a package that is not the copy in a run."""
    return (path / "__init__.py").is_file() and not (path.resolve().parent / "run.json").is_file()


def _local(path: Path) -> Run:
    if (path / "run.json").is_file():
        return Run(path)
    if path.name == "package" and (path.resolve().parent / "run.json").is_file():
        return Run(path.parent)
    if (path / "__init__.py").is_file() or path.suffix == ".xlm":
        return _of_package(path)
    if not path.is_dir():
        raise UsageError(f"{path} is a file: name the folder of a run, or a package")
    return _newest(listed(path, _DEPTH), f"there is no run at {path}, and none below it", path)


def _of_package(path: Path) -> Run:
    """Return the newest run of a package as it is now."""
    held = contents.read(path)
    home = runs.ROOT / held.family  # all runs, where the package names no family
    every = listed(home, _DEPTH)
    same = [run for run in every if run.facts.get("package") == held.digest]
    if every and not same:
        others = _said(every)
        raise UsageError(
            f"no run in {home} was trained with the package {path} as it is now; name a run to use "
            f"the package that it was trained with: {others}"
        )
    return _newest(same, f"there is no run of {path} in {home}", home)


def _newest(every: list[Run], none: str, path: Path) -> Run:
    """Return the first run that has a checkpoint.  Raises UsageError, with ``none``."""
    trained = [run for run in every if run.steps]
    if not every:
        raise UsageError(f"{none}: train one, `xlmc run PKG --task TASK`")
    if not trained:
        raise UsageError(f"no run in {path} has a checkpoint yet: {_said(every)}")
    say(f"run {trained[0].path}")
    return trained[0]


def _said(every: list[Run]) -> str:
    return some([str(run.path) for run in every], _NAMED)


def _remote(name: str, judge: Judge | None) -> Run:
    """Return a run of the Hub, from the folder that it was pulled into or is pulled into now."""
    path = Path(name)
    if not hub.is_name(name) or Path(path.parts[0]).exists():
        near = listed(path.parent, _DEPTH) if path.parent.is_dir() else []
        there = f"; there are: {_said(near)}" if near else ""
        raise UsageError(
            f"there is no run at {name}: it is no folder here, and no OWNER/NAME on the Hub{there}"
        )
    for run in listed(runs.ROOT, _DEPTH):
        origin = Origin.of(run.path) if (run.path / PULLED).is_file() else None
        if origin is not None and origin.repo == name:
            say(f"run {run.path}, pulled from {name} before")
            return run
    target, origin, _ = share.fetch(name, None, judge)
    say(f"run {target}, pulled from {name}, commit {origin.commit[:8]}")
    return Run(target)

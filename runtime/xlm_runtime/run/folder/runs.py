"""Run folders: ``runs/<family>/<task>/<name>/``, and which of them a command means.

config.json  run.json  package/  tokenizer/  checkpoints/  logs/  metrics.json  predictions.jsonl
published.json
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Literal

from attrs import frozen

from xlm_runtime.config.config import Config
from xlm_runtime.config.settings import changes, differences
from xlm_runtime.packages.contents import Contents
from xlm_runtime.packages.contents import read as read_package
from xlm_runtime.packages.package import Package
from xlm_runtime.run.folder.names import joined, of_setting
from xlm_runtime.system import env, hashes
from xlm_runtime.system.atomic import on_disk, read_json, saving, write_json
from xlm_runtime.system.bounds import Room
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.lock import locked
from xlm_runtime.system.reader import damaged, structured
from xlm_runtime.system.strict import mistakes
from xlm_runtime.tokenizers import Tokenizer
from xlm_runtime.train.saved import INDEX, Index

ROOT = Path("runs")
PUBLISHED = "published.json"  # the config of the weights that a run began with
INIT = "init"  # digest of the weights that training started from
PRINTS = ("content", "tokenizer", INIT)  # that, and those of the data and of what gives them ids
_DIGITS = 6  # of a hash in a name
_FACTS = {
    "family": str, "task": str, "preset": str, "data": str | None, "package": str,
}  # fmt: skip
_DATA = {"layout": Literal["text", "seq2seq", "infill"], "body": Room, "prompt": Room}
TRAINED = ("model", "train", "data", "loss", "noise")  # sections that a training run fixes


@frozen
class Run:
    """A run folder."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoints."""
        return self.path / "checkpoints"

    @property
    def package(self) -> Path:
        """The copy of the package that it was begun with."""
        return self.path / "package"

    @property
    def tokenizer(self) -> Path | None:
        """The folder of the tokenizer that it was trained with, once it is written."""
        folder = self.path / "tokenizer"
        hashes.check(folder, "restore it from a copy of the run, or train under another --name")
        return folder if (folder / "tokenizer.json").is_file() else None

    def keep_tokenizer(self, tokenizer: Tokenizer) -> None:
        """Write the tokenizer, each file of it in one step."""
        beside = self.path / f".tokenizer.{os.getpid()}.tmp"
        try:
            tokenizer.save(beside)
            hashes.seal(beside)
            (self.path / "tokenizer").mkdir(exist_ok=True)
            for file in beside.iterdir():
                file.replace(self.path / "tokenizer" / file.name)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    @property
    def data(self) -> dict[str, Any]:
        """The data that it was trained on, as far as generation needs to know.

        Raises RunError where the file is missing or damaged.
        """
        return _needed(self.path / "data.json", _DATA)

    @property
    def config(self) -> Config:
        """The configuration that it was begun with."""
        file = self.path / "config.json"
        return Config.from_json(read_json(file), str(file))

    @property
    def facts(self) -> dict[str, Any]:
        """Family, task, preset, data and surroundings, as `create` wrote them.

        Empty where there is no such file; raises RunError where it is damaged.
        """
        file = self.path / "run.json"
        return _needed(file, _FACTS) if file.exists() else {}

    @property
    def steps(self) -> int:
        """The number of training steps at its last checkpoint."""
        return self.index.last

    @property
    def index(self) -> Index:
        """The steps of its last and its best checkpoint, with the best loss."""
        return Index.read(self.checkpoints)

    @property
    def touched(self) -> float:
        """The time of its last change."""
        files = (self.path / "run.json", self.checkpoints / INDEX)
        return max(file.stat().st_mtime for file in files if file.exists())

    def note(self, job: str, key: str | None = None) -> str | None:
        """Return the recorded key of a job; ``key`` replaces it."""
        file = self.path / "done.json"
        notes = structured(read_json(file), dict[str, str], file)
        if key is not None:
            write_json(file, notes | {job: key})
        return notes.get(job)


def _needed(file: Path, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Read an object with at least these keys, of these kinds.  Raises RunError."""
    found = read_json(file)
    for key, kind in kinds.items():
        if key not in found:
            raise damaged(file, f"it has no {key}")
        if wrong := mistakes(found[key], kind):
            raise damaged(file, f"{key}: {wrong[0]}")
    return found


def alone(run: Run) -> AbstractContextManager[None]:
    """Lock a run for this process.  Raises UsageError if another one works on it."""
    return locked(run.path)


def home(family: str, task: str) -> Path:
    """Return the folder of all runs of a family on a task."""
    return ROOT / family / task


def listed(folder: Path, depth: int = 1) -> list[Run]:
    """List the runs at most so many folders below one, the newest first."""
    patterns = [f"{'*/' * number}run.json" for number in range(1, depth + 1)]
    found = [Run(file.parent) for pattern in patterns for file in below(folder, pattern)]
    return sorted(found, key=lambda run: run.touched, reverse=True)


def below(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files below a folder that match a pattern, but those in hidden folders.

    Hidden is what is being written, or what a process that was killed left half written.
    """
    for file in folder.glob(pattern):
        if not any(part.startswith(".") for part in file.relative_to(folder).parts):
            yield file


def create(path: Path, package: Package, config: Config, facts: Mapping[str, Any]) -> Run:
    """Create a run folder with all that is known before training; ``run.json`` comes last."""
    with saving(path):
        path.mkdir(parents=True, exist_ok=True)
        _keep_package(path, package.contents)
    write_json(path / "config.json", config.to_json())
    about: dict[str, Any] = {
        "family": package.family.name,
        "package": package.digest,
        "files": package.contents.hashes,
    }
    about["command"] = sys.argv
    write_json(path / "run.json", about | dict(facts) | {"environment": env.describe()})
    return Run(path)


def _keep_package(path: Path, contents: Contents) -> None:
    """Write the copy of the package, unless it is there: it may be the only one.

    A replaced copy stays beside the new one until that has its name.
    """
    target = path / "package"
    beside, old = path / ".package.new", path / ".package.old"
    if target.is_dir() and read_package(target).files == contents.files:
        return
    shutil.rmtree(beside, ignore_errors=True)  # left by a process that was killed
    contents.write(beside)
    if target.exists():
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
    beside.rename(target)
    on_disk(path)
    shutil.rmtree(old, ignore_errors=True)


def open_run(path: Path) -> Run:
    """Return the run in a folder.  Raises UsageError if there is none."""
    if not (path / "run.json").is_file():
        near = ", ".join(str(run.path) for run in listed(path.parent)[:5])
        raise UsageError(f"there is no run at {path}" + (f"; there are: {near}" if near else ""))
    return Run(path)


def newest(folder: Path, seed: int | None, preset: str) -> Run:
    """Return the newest run of a pair that has a checkpoint, with this seed if one is given.

    ``paper`` selects runs with that preset; ``quick``, the default of a command, selects any.
    """
    for run in listed(folder):
        fits = seed is None or run.config.train.seed == seed
        if run.steps and fits and (preset != "paper" or run.facts["preset"] == "paper"):
            return run
    named = {"seed": seed, "preset": preset if preset == "paper" else None}
    kinds = [f"{name} {value}" for name, value in named.items() if value is not None]
    wanted = f" with {' and '.join(kinds)}" if kinds else ""
    raise UsageError(f"there is no trained run{wanted} in {folder}; train one: --job train")


def same(run: Run, package: Package, config: Config, facts: Mapping[str, Any]) -> bool:
    """Return whether a run was begun with this package, configuration and data."""
    return not (unlike(run, config, facts) or run.facts["package"] != package.digest)


def unlike(run: Run, config: Config, facts: Mapping[str, Any]) -> list[str]:
    """List the differences between a run's beginning and this configuration and data."""
    before = run.facts
    try:
        begun = run.config
    except UsageError:
        return ["its configuration is of another version"]
    return differences(begun, config, TRAINED) + [
        f"its {key} was another" if key in PRINTS else f"{key}: {before.get(key)} -> {facts[key]}"
        for key in others(run, facts)
    ]


def others(run: Run, facts: Mapping[str, Any]) -> list[str]:
    """List the facts of a run that differ now; it may lack new ones."""
    before = run.facts
    return [key for key, value in facts.items() if before.get(key, value) != value]


def check_pair(run: Run, family: str, task: str) -> None:
    """Check that a run is of this family and task.  Raises UsageError."""
    of = (run.facts.get("family"), run.facts.get("task"))
    if of != (family, task):
        raise UsageError(f"{run.path} is a run of {of[0]} on {of[1]}, not of {family} on {task}")


def for_training(
    folder: Path, name: str, package: Package, config: Config, facts: Mapping[str, Any]
) -> tuple[Path, str]:
    """Return the folder of the same run if it was begun, else a fresh one, and a reason.

    Where another run has the ``name``, the differences from that one are added to it. The reason
    explains why the name was not taken.
    """
    first = Run(folder / name)
    if not (first.path / "run.json").exists():
        return first.path, ""
    special = joined([name, *_changes(first, package, config, facts)])
    again = re.compile(rf"{re.escape(name)}(-\d+)?|{re.escape(special)}(-\d+)?")
    for run in sorted(listed(folder), key=lambda run: run.path.name):
        if again.fullmatch(run.path.name) and same(run, package, config, facts):
            return run.path, ""
    free = (one for one in map(folder.joinpath, _names(special)) if not (one / "run.json").exists())
    return next(free), f"{first.path} is another run ({reason(first, package, config, facts)})"


def _changes(run: Run, package: Package, config: Config, facts: Mapping[str, Any]) -> list[str]:
    """Return the parts of a name for the differences from an earlier run."""
    before, found = run.facts, []
    if before["package"] != package.digest:
        found.append(of_setting("package", package.digest[:_DIGITS]))
    with suppress(UsageError):  # a configuration of another version
        changed = changes(run.config, config, TRAINED)
        found += [of_setting(path, value) for path, (_, value) in changed.items()]
    for key in others(run, facts):
        value = Path(str(facts[key])).stem
        found.append(of_setting(f"{key}_", value[:_DIGITS] if key in PRINTS else value))
    return found


def reason(run: Run, package: Package, config: Config, facts: Mapping[str, Any]) -> str:
    """Explain in one line why a run is not `same`."""
    found = unlike(run, config, facts)
    if run.facts["package"] != package.digest:
        found.insert(0, "its package was another")
    return "; ".join(found[:3]) + (f"; and {len(found) - 3} more" if len(found) > 3 else "")


def _names(name: str) -> Iterator[str]:
    yield name
    for number in count(2):
        yield f"{name}-{number}"

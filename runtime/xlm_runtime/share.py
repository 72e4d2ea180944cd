"""A run on the Hugging Face Hub: what is shared of it, and how it comes back.

A repository is laid out as a run folder. It holds the averaged weights of one checkpoint and all
that reads them, beside a model card; not the state of the trainer, logs, predictions, or what only
the machine that trained it understands.
"""

import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import asdict

from xlm_runtime import hub, package, runs, saved
from xlm_runtime.atomic import read_json, write_json, write_text
from xlm_runtime.card import card
from xlm_runtime.errors import RunError, UsageError
from xlm_runtime.progress import say
from xlm_runtime.runs import Run

_COPIED = ("config.json", runs.PUBLISHED)
_FOLDERS = ("package", "tokenizer")
_SHARED = (
    *_COPIED, "README.md", "run.json", "data.json", "metrics.json",
    *(f"{name}/*" for name in (*_FOLDERS, "checkpoints")),
)  # fmt: skip
_FACTS = ("family", "task", "preset", "data")
_PLAIN = re.compile(r"\w[\w.-]*")


def push(run: Run, ckpt: str, repo: str) -> None:
    """Sends a run to a repository of the Hub, which is made, private, if there is none.

    Raises UsageError where there is no such checkpoint, RunError where the Hub does not take it.
    """
    chosen = saved.resolve(run.checkpoints, ckpt)
    if chosen.parent.resolve() != run.checkpoints.resolve():
        raise UsageError(f"--ckpt {ckpt}: it is no checkpoint of {run.path}")
    with TemporaryDirectory() as folder:
        shared = Run(Path(folder))
        _lay_out(run, chosen, shared)
        family = package.load(run.package).family
        measured = read_json(shared.path / "metrics.json")
        write_text(shared.path / "README.md", card(repo, family, shared, measured))
        message = f"{family.name} on {run.facts['task']}, {chosen.name}"
        where = hub.send(shared.path, repo, message, _SHARED)
    say(f"run {run.path}, {chosen.name}, is at {where}")


def _lay_out(run: Run, chosen: Path, shared: Run) -> None:
    """Writes what is shared of a run, with the weights of the checkpoint ``chosen``."""
    folder = shared.path
    for name in (name for name in _COPIED if (run.path / name).is_file()):
        shutil.copy(run.path / name, folder)
    for name in _FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(run.path / name, folder / name, ignore=ignored)
    metrics = read_json(run.path / "metrics.json")
    if metrics.get("checkpoint") == chosen.name:
        write_json(folder / "metrics.json", metrics)
    about = read_json(run.path / "data.json")
    about["facts"].pop("cache", None)
    write_json(folder / "data.json", about)
    facts = {key: value for key, value in run.facts.items() if key != "command"}
    facts["data"] = Path(facts["data"]).name if facts["data"] else None
    write_json(folder / "run.json", facts)
    _lay_weights(chosen, shared.checkpoints)


def _lay_weights(chosen: Path, checkpoints: Path) -> None:
    """The averaged weights of a checkpoint, as the only one of a run."""
    target, step = checkpoints / chosen.name, int(chosen.name.removeprefix("step-"))
    target.mkdir(parents=True)
    (target / saved.AVERAGE).symlink_to((chosen / saved.AVERAGE).resolve())  # it may be large
    write_json(checkpoints / saved.INDEX, asdict(saved.Index(step, step)))


def pull(repo: str, to: Path | None = None) -> int:
    """Fetches a run from the Hub into ``to``, or among the runs of its pair; the exit code.

    Nothing of it is run. Its files come through the cache of the Hub, so that an interrupted pull
    goes on where it was.
    """
    try:
        hub.check_name(repo, repo)
        instead = "its name is what --repo was when it was pushed"
        found = Run(hub.snapshot(repo, _SHARED, instead, kind="run"))
        _check(found, repo)
        target = _kept(found, to or _place(found, repo))
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code
    facts = Run(target).facts
    commit = found.path.name
    say(f"{repo}, commit {commit[:8]}, is at {target}")
    say("  its package is code: read it before you run it")
    task = f"--task {facts['task']} --job eval --run {target}"
    say(f"  xlmc run {target / 'package'} {task}")
    return 0


def _place(run: Run, repo: str) -> Path:
    """Where the run of a repository belongs among those of its pair."""
    return runs.home(run.facts["family"], run.facts["task"]) / repo.partition("/")[2]


def _kept(found: Run, target: Path) -> Path:
    """Copies a run to a folder that is not there yet, in whole or not at all."""
    if target.exists():
        raise UsageError(f"{target} is there already: choose another folder with --to DIR")
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".pull-") as beside:
        whole = Path(beside) / "run"
        shutil.copytree(found.path, whole)
        whole.rename(target)
    return target


def _check(run: Run, repo: str) -> None:
    """Raises RunError where a repository holds no run, or names that are no names of folders."""
    try:
        facts = run.facts
        named = all(_PLAIN.fullmatch(str(facts.get(key, ""))) for key in ("family", "task"))
        coded = (run.package / "__init__.py").is_file() and run.tokenizer is not None
        whole = named and coded and facts.keys() >= set(_FACTS)
        saved.resolve(run.checkpoints, "last")
    except (ValueError, TypeError, UsageError):
        whole = False
    if not whole:
        raise RunError(f"{repo} holds no run of xlmc: such a one is made with --job push")

"""The options of ``xlmc run``, and what they must be."""

import re
from pathlib import Path

from attrs import evolve, frozen

from xlm_runtime.config.lists import Point
from xlm_runtime.data import hub
from xlm_runtime.packages.trust import Trust
from xlm_runtime.system import bounds
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.strict import mistakes, short

TRIALS = ("plan", "rate", "overfit")  # jobs that leave no run behind
_NAME = re.compile(r"\w[\w.-]*")
JOBS = {
    "prepare": (),
    "train": ("train",),
    "eval": ("eval",),
    "generate": ("generate",),
    "score": ("score",),
    "push": (),
    "plan": ("train",),
    "rate": ("train",),
    "overfit": ("train",),
    "all": ("train", "eval", "generate"),
}


@frozen(kw_only=True)
class Command:
    """The options of ``xlmc run``, as they were given.

    line: the command as it was typed, which ``sbatch`` writes into a script.
    points: the combinations of lists of settings, of which an evaluation tries each; one without
        options if there is no list. varied: the options in which this run differs from the others
        of its command.
    """

    package: Path
    task: str
    job: str
    preset: str
    sets: tuple[str, ...]
    metrics: tuple[str, ...]
    data: Path | None
    columns: str | None
    tokenizer: str | None
    predictions: Path | None
    repo: str | None
    init: str | None
    init_map: str | None
    ckpt: str | None
    run_dir: Path | None
    name: str | None
    seed: int | None
    seeds: str | None
    force: bool
    limit: int | None
    devices: int | None
    nodes: int | None
    strategy: str | None
    sbatch: Path | None
    line: str
    trust: Trust
    points: tuple[Point, ...] = ((),)
    varied: Point = ()


def meant(command: Command) -> Command:
    """Return a command with the short forms of others spelt out.

    ``--preset overfit`` is ``--job overfit`` with preset ``quick``; ``--limit``, ``--devices``,
    ``--nodes`` and ``--strategy`` are settings. Raises UsageError if they do not fit.
    """
    if command.preset == "overfit":
        if command.job not in ("all", "train", "overfit"):
            raise UsageError(f"--preset overfit trains on one batch: it has no --job {command.job}")
        command = evolve(command, preset="quick", job="overfit")
    sets: list[str] = []
    for value, option, kind, paths in (
        (command.limit, "--limit", bounds.Some, ("eval.examples", "generate.count")),
        (command.devices, "--devices", bounds.Devices, ("train.devices",)),
        (command.nodes, "--nodes", bounds.Nodes, ("train.nodes",)),
        (command.strategy, "--strategy", bounds.Strategy, ("train.strategy",)),
    ):
        if value is None:
            continue
        for line in mistakes(value, kind):
            raise UsageError(f"{option} {short(value)}: {line}")
        sets += [f"{path}={value}" for path in paths]
    return evolve(command, sets=(*sets, *command.sets))


def check(command: Command) -> None:
    """Check the options of a command, from the shell or from Python.  Raises UsageError."""
    for value, options, name in (
        (command.job, tuple(JOBS), "--job"),
        (command.preset, ("quick", "paper"), "--preset"),
    ):
        if value not in options:
            raise UsageError(f"{name} {value}: must be one of {', '.join(options)}")
    if command.name is not None and not _NAME.fullmatch(command.name):
        raise UsageError(f"--name {command.name}: letters, digits, dots, _ and - name a run")
    if command.name is not None and (size := len(command.name.encode())) > bounds.NAME:
        raise UsageError(
            f"--name {command.name[:40]}...: {size} bytes; a run has a folder of this name, and "
            f"names have at most {bounds.NAME}"
        )
    if command.run_dir and command.name:
        raise UsageError("--run names a folder and --name one among the runs of a pair: give one")
    if command.data and not command.data.exists():
        raise UsageError(f"--data {command.data}: there is no such file")
    if command.job == "score" and command.predictions is None:
        raise UsageError("--job score: name the file to score with --predictions FILE")
    if command.predictions and command.job != "score":
        raise UsageError("--predictions FILE belongs to --job score")
    _check_repo(command)
    _check_weights(command)
    if command.seed is not None:
        for line in mistakes(command.seed, bounds.Seed):
            raise UsageError(f"--seed {short(command.seed)}: {line}")


def _check_repo(command: Command) -> None:
    """Check the options of a push: a repository, and nothing that a push does not use."""
    if (command.job == "push") != bool(command.repo):
        raise UsageError("--job push and --repo OWNER/NAME need each other")
    if command.repo is None:
        return
    hub.check_name(command.repo, f"--repo {command.repo}")
    for value, name in (
        (command.sets, "--set"),
        (command.metrics, "--metric"),
        (command.data, "--data"),
        (command.columns, "--columns"),
        (command.tokenizer, "--tokenizer"),
        (command.seeds, "--seeds"),
    ):
        if value:
            raise UsageError(f"{name} has no effect on --job push: a run is pushed as it is")


def _check_weights(command: Command) -> None:
    """Check the options that name weights: where training starts, and those of other jobs."""
    trains = "train" in JOBS[command.job]
    if not trains and (command.init or command.init_map):
        raise UsageError(
            f"--init names what training starts from, and --job {command.job} does not train; "
            "choose weights of a run with --run and --ckpt"
        )
    if command.job == "all" and command.ckpt not in (None, "last", "best"):
        raise UsageError(
            f"--ckpt {command.ckpt}: training does not start from it. To start a run from its "
            f"weights, write --init {command.ckpt}; to go back to an earlier checkpoint of this "
            "run, add --job train; to use it as it is, add --job eval or --job generate"
        )

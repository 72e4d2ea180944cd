"""The commands of one with lists or several seeds: one for each run."""

import re
from collections.abc import Iterator, Sequence

from attrs import evolve

from xlm_runtime.config.lists import Point, path_of, points, split
from xlm_runtime.run.command import JOBS, Command
from xlm_runtime.run.folder import names
from xlm_runtime.run.folder.runs import TRAINED
from xlm_runtime.system import bounds
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.strict import mistakes, short

_MANY = 100  # seeds
_DECODED = ("decoder", "eval")  # sections of which an evaluation can take several values
_JOBS = ("all", "train", "eval", "generate")


def variants(command: Command) -> list[Command]:
    """Return a command for each run: for each seed, and each combination of training settings.

    Lists of settings that only an evaluation reads become its ``points``. Raises UsageError for
    lists and seeds that the job cannot use.
    """
    command, alone, several = _spread(command)
    _check_lists(command, several)
    outer = [values for values in several if _section(values) in TRAINED]
    inner = [values for values in several if _section(values) not in TRAINED]
    command = evolve(command, points=tuple(points(inner)))
    seeds = [command.seed] if command.seeds is None else _seeds(command)
    combinations = points(outer)
    if len(seeds) * len(combinations) > 1 and command.run_dir:
        raise UsageError("--run names one run: leave it out, or give --name NAME to several")
    return [
        _variant(evolve(command, seed=seed, sets=(*alone, *point)), point)
        for point in combinations
        for seed in seeds
    ]


def _spread(command: Command) -> tuple[Command, Point, list[list[str]]]:
    """Separate lists from other options; a list of ``train.seed`` becomes ``--seeds``."""
    alone, several = split(command.sets)
    seeds = [values for values in several if path_of(values[0]) == "train.seed"]
    if seeds and command.seeds is None:
        text = ",".join(one.partition("=")[2] for one in seeds[0])
        command = evolve(command, seeds=text, sets=alone)
        several.remove(seeds[0])
    return command, alone, several


def _variant(command: Command, point: Point) -> Command:
    """Give a command the name and the label of its run."""
    command = evolve(command, varied=point)
    if command.name is None:
        return command
    parts = [command.name, *names.of_point(point)]
    parts += [f"seed{command.seed}"] if command.seeds is not None else []
    return evolve(command, name=names.joined(parts))


def _section(values: Sequence[str]) -> str:
    return path_of(values[0]).partition(".")[0]


def _check_lists(command: Command, several: Sequence[Sequence[str]]) -> None:
    """Check that the job of a command can use its lists.  Raises UsageError."""
    trains = "train" in JOBS[command.job]
    for values in several:
        section, path = _section(values), path_of(values[0])
        where = f"--set {path}=" + ",".join(one.partition("=")[2].strip() for one in values)
        if section in TRAINED and not trains:
            raise UsageError(
                f"{where}: a run has one value of it: lists of it are for --job all and train, "
                "which make a run for each"
            )
        if section in _DECODED and command.job != "eval":
            raise UsageError(
                f"{where}: a list of it is a sweep over one checkpoint: train first, then give it "
                "with --job eval"
            )
        if section == "generate":
            raise UsageError(f"{where}: it has one value in a command")


def _seeds(command: Command) -> list[int]:
    """Return the seeds of ``--seeds``: ``3`` is 1, 2, 3.  Raises UsageError."""
    text = str(command.seeds)
    if command.seed is not None:
        raise UsageError("--seed is one seed and --seeds are several: give one of them")
    if command.job not in _JOBS:
        raise UsageError(f"--seeds has no effect on --job {command.job}")
    if any(path_of(one) == "train.seed" for one in command.sets):
        raise UsageError("--seeds and --set train.seed: give one of them")
    if not re.fullmatch(r"\d+(\s*,\s*\d+)*", text, re.ASCII):
        raise UsageError(f"--seeds {text[:100]}: a number of seeds, or a list of them: 3, or 1,2,3")
    found = [int(one) for one in text.split(",")]
    if len(found) == 1:
        if not 1 <= found[0] <= _MANY:
            raise UsageError(
                f"--seeds {short(found[0])}: from 1 to {_MANY} seeds, or a list: 7,8,9"
            )
        return list(range(1, found[0] + 1))
    return list(_checked(found, text))


def _checked(found: Sequence[int], text: str) -> Iterator[int]:
    """Yield the seeds of a list.  Raises UsageError for a wrong one."""
    for seed in found:
        for line in mistakes(seed, bounds.Seed):
            raise UsageError(f"--seeds {text[:100]}: {line}")
        if found.count(seed) > 1:
            raise UsageError(f"--seeds {text[:100]}: {seed} is there twice")
        yield seed
    if len(found) > _MANY:
        raise UsageError(f"--seeds: {len(found)} seeds, and at most {_MANY} are run")

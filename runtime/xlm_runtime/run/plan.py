"""The plan of a command: all that is decided and checked before data are read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from xlm_runtime import tasks
from xlm_runtime.config.config import Config, Train
from xlm_runtime.config.settings import parse_sets
from xlm_runtime.model import pair
from xlm_runtime.model.published import Checkpoint, own_config
from xlm_runtime.packages import contents, package
from xlm_runtime.packages.package import Package
from xlm_runtime.run import chosen, initial
from xlm_runtime.run.before import compare_first, family_of
from xlm_runtime.run.command import JOBS, TRIALS, Command
from xlm_runtime.run.configured import check_size, configs_of, sized, untrained, weights_of
from xlm_runtime.run.folder import runs
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.initial import Start
from xlm_runtime.system import cache, env
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.task import Task


@frozen(kw_only=True, eq=False)
class Plan:
    """The settled parts of a command before there are data.

    begun: the run that it reads. as_is: published weights are used without training. facts: those
    of a run beside its package and configuration. configs: those of the points of a sweep. start:
    the weights that training begins with.
    """

    command: Command
    found: Package
    task: Task
    begun: Run | None
    as_is: bool
    facts: dict[str, Any]
    configs: tuple[Config, ...]
    weights: Checkpoint | None
    start: Start | None

    @property
    def config(self) -> Config:
        """The first configuration, which is the only one but for a sweep."""
        return self.configs[0]

    @property
    def jobs(self) -> tuple[str, ...]:
        """The steps to perform with the data; none if they are only prepared."""
        return JOBS[self.command.job]


def planned(command: Command) -> Plan:
    """Check and settle all parts of a command that need no data."""
    read, task, jobs = contents.read(command.package), tasks.get(command.task), JOBS[command.job]
    trains = "train" in jobs or not jobs
    as_is = not trains and untrained(command)
    name = family_of(command, read)
    compare_first(command, read, name, task.name)
    begun = None if trains or as_is else chosen.begun(command, read, name, task.name)
    found = package.load(read, command.trust)
    if begun is not None:
        runs.check_pair(begun, found.family.name, task.name)
    facts = chosen.facts(command, task.name, begun)
    configs = configs_of(command, found, task, facts["preset"], begun)
    config = configs[0]
    task = task.given(Path(facts["data"]) if facts["data"] else None, config.data.roles)
    if command.job == "score":  # no model: it matters only which specials there are
        pair.check_layout(found.family, task)
    else:
        pair.check(found.family, task)
    pair.check_drafts(found.family, config.data.roles)
    pair.check_settings(task, prompt=config.data.prompt, made=config.data.made)
    if config.data.stream:
        _check_stream(task, facts["data"], facts["preset"])
    if {"eval", "score"}.intersection(jobs):
        _check_metrics(config)
    if "train" in jobs:
        _check_training(command, config)
    home = command.run_dir or runs.home(found.family.name, task.name)
    start = initial.find(config, home) if trains else None
    if start is not None and found.family.published is not None:
        check_size(parse_sets(command.sets), decided=start.source.config is not None)
    reads = bool(jobs) and begun is None and command.job != "score"
    weights = weights_of(config, found.family, reads=reads)
    return Plan(
        command=command, found=found, task=task, begun=begun, as_is=as_is, facts=facts,
        configs=tuple(sized(one, found.family, weights, start) for one in configs),
        weights=weights, start=start,
    )  # fmt: skip


def about(plan: Plan, prepared: Prepared) -> Mapping[str, Any] | None:
    """Return the config of a network that follows a published one, or None."""
    family, start = plan.found.family, plan.start
    if plan.weights is not None:
        return plan.weights.config
    if family.published is not None and start is not None and start.source.config is not None:
        return start.source.config
    return own_config(family, plan.config.model.shape, prepared.tokenizer.vocabulary.size)


def _check_processes(command: Command, train: Train) -> None:
    """Check that the processes of a training are those that were started from outside."""
    found = env.started()
    alone = command.job in TRIALS or command.sbatch is not None
    if found is None and train.nodes > 1 and not alone:
        raise UsageError(
            f"train.nodes={train.nodes}: start this command on each machine with torchrun or srun "
            "(docs/scale.md), or write a script for SLURM with --sbatch FILE"
        )
    if found is None:
        return
    if found != train.processes:
        raise UsageError(
            f"{found} processes were started, and train.devices={train.devices} times "
            f"train.nodes={train.nodes} is {train.processes}"
        )
    if not (command.name or command.run_dir):
        raise UsageError("processes that are started from outside need --name: they find it by it")


def _check_training(command: Command, config: Config) -> None:
    """Check the parts of a training run that settings name: optimiser, loggers, callbacks."""
    _check_processes(command, config.train)
    if config.train.optimizer != "adamw":
        from xlm_runtime.train import optim

        optim.check(config.train)
    if config.train.lora:
        from xlm_runtime.train import lora

        lora.check(config)
    if config.train.loggers or config.train.callbacks:
        from xlm_runtime.train import wanted  # Lightning takes seconds to import

        wanted.check(config.train)


def _check_stream(task: Task, data: str | None, preset: str) -> None:
    """Check that a stream is one of texts in files or on the Hub.  Raises UsageError."""
    why = "" if task.streams else f"{task.name} does not read texts one by one"
    if not why and not data and preset != "paper":
        why = f"there is no --data, and what --preset {preset} reads needs no stream"
    if why:
        raise UsageError(
            f"data.stream: {why}; what can be streamed is a folder of texts (--data), or with "
            "--preset paper a data set on the Hub, by a task such as owt_packed, lm1b or jsonl"
        )


def _check_metrics(config: Config) -> None:
    """Check before training that the requested metrics are available."""
    if config.eval.asked:
        from xlm_runtime.run.jobs import asked  # torchmetrics takes a second to import

        asked.check(config.eval.asked)


def options(plan: Plan) -> DataOptions:
    """Return the options for the data of a task; published weights bring their tokenizer."""
    facts, data, weights = plan.facts, plan.config.data, plan.weights
    own = str(weights.folder) if weights is not None else None
    return DataOptions(
        preset=facts["preset"],
        cache=cache.home(),
        data=Path(facts["data"]) if facts["data"] else None,
        columns=data.roles,
        seed=data.seed,
        specials=plan.found.family.specials,
        tokenizer=data.tokenizer or own,
        published=weights is not None,
        chat=data.chat,
        kept=None if plan.begun is None else plan.begun.tokenizer,
        block=data.block or None,
        prompt=data.prompt or None,
        made=data.made,
        stream=data.stream,
        window=data.window,
    )

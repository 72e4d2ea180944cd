"""``xlmc run``: the meaning of a command, from its options to its jobs."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import evolve

from xlm_runtime import tasks
from xlm_runtime.data.rows import lines
from xlm_runtime.model import pair
from xlm_runtime.packages import contents
from xlm_runtime.packages.trust import DOUBT, Trust
from xlm_runtime.run import chosen, initial
from xlm_runtime.run.before import family_of
from xlm_runtime.run.command import TRIALS, Command, check, meant
from xlm_runtime.run.folder import copies, names, runs
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.jobs.evaluation import evaluation
from xlm_runtime.run.jobs.generation import generation
from xlm_runtime.run.jobs.session import Session
from xlm_runtime.run.jobs.training import training
from xlm_runtime.run.jobs.trials import trial
from xlm_runtime.run.plan import Plan, about, options, planned
from xlm_runtime.run.rehearsal import rehearse
from xlm_runtime.run.reports.together import together
from xlm_runtime.run.sbatch import script
from xlm_runtime.run.sweep import sweep
from xlm_runtime.run.variants import variants
from xlm_runtime.system import env
from xlm_runtime.system.atomic import read_json, write_json
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.outcome import outcome
from xlm_runtime.system.progress import say
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tasks.base.task import Task
from xlm_runtime.train import saved

_RUN = "XLM_RUN"  # tells the other processes of a distributed run its folder


def run(
    package: Path,
    task: str,
    *,
    job: str = "all",
    preset: str = "quick",
    sets: tuple[str, ...] = (),
    metrics: tuple[str, ...] = (),
    data: Path | None = None,
    columns: str | None = None,
    tokenizer: str | None = None,
    predictions: Path | None = None,
    repo: str | None = None,
    init: str | None = None,
    init_map: str | None = None,
    ckpt: str | None = None,
    run_dir: Path | None = None,
    name: str | None = None,
    seed: int | None = None,
    seeds: str | None = None,
    force: bool = False,
    limit: int | None = None,
    devices: int | None = None,
    nodes: int | None = None,
    strategy: str | None = None,
    sbatch: Path | None = None,
    line: str = "",
    trust: Trust = DOUBT,
) -> int:
    """Run the jobs of a command and return its exit code.

    ``trust`` decides on the code of runs that came from elsewhere.

    0: done. 2: the command, a setting or the package is wrong. 4: the run failed. 130: stopped.
    """
    command = Command(
        package=package, task=task, job=job, preset=preset, sets=sets, metrics=metrics, data=data,
        columns=columns, tokenizer=tokenizer, predictions=predictions, repo=repo, init=init,
        init_map=init_map, ckpt=ckpt, run_dir=run_dir, name=name, seed=seed, seeds=seeds,
        force=force, limit=limit, devices=devices, nodes=nodes, strategy=strategy, sbatch=sbatch,
        line=line, trust=trust,
    )  # fmt: skip
    return outcome(lambda: _do(command))


def _do(command: Command) -> None:
    command = meant(command)
    check(command)
    if command.repo:
        _push(command, command.repo)
        return
    plans = [planned(one) for one in variants(command)]  # a mistake in any of them comes first
    if command.sbatch is not None:
        script(command, plans[0].config.train)
        return
    if len(plans) > 1 and command.job in TRIALS:
        raise UsageError(f"--job {command.job} tries one training: give one seed and no lists")
    training = [plan.config.train for plan in plans if "train" in plan.jobs]
    if len(training) > 1 and any(one.processes > 1 for one in training):
        raise UsageError("several runs of one command have one device: leave train.devices out")
    done = [(plan, _proceed(plan)) for plan in plans]
    if len(plans) > 1 and command.job != "train":
        for line in together([(plan.command, found) for plan, found in done]):
            say(line)


def _proceed(plan: Plan) -> list[dict[str, Any]]:
    """Prepare the data of a plan, run its jobs, and return the evaluations."""
    prepared = plan.task.prepare(options(plan))
    plan = evolve(plan, facts={**plan.facts, **_prints(prepared), **initial.prints(plan.start)})
    _check_prepared(plan, prepared)
    if plan.command.predictions:
        from xlm_runtime.run.jobs.scoring import scoring

        scoring(plan.task, prepared, plan.config, plan.command.predictions)
    elif plan.command.job in TRIALS:
        trial(plan.command.job, _session(plan, prepared, Run(_place(plan)[0])))
    elif plan.jobs:
        return _work(plan, prepared)
    return []


def _push(command: Command, repo: str) -> None:
    """Push a run to the Hub, without its data."""
    from xlm_runtime.run import share

    read, task = contents.read(command.package), tasks.get(command.task).name
    begun = chosen.used(command, read, family_of(command, read), task)
    share.push(begun, command.ckpt or "best", repo, command.trust)


def _prints(prepared: Prepared) -> dict[str, str]:
    return {"content": prepared.fingerprint, "tokenizer": prepared.tokenizer.fingerprint}


def _check_prepared(plan: Plan, prepared: Prepared) -> None:
    """Check the parts of a plan that need the data, before anything is trained."""
    config, task = plan.config, plan.task
    if plan.begun is not None:
        _check_data(plan.begun, plan.facts)
    if plan.command.job != "score":
        family, chat, length = plan.found.family, config.data.chat, config.generate.length
        pair.check_data(family, task, prepared, chat=chat, length=length)
    _tell(task, prepared.facts)
    if {"eval", "score"}.intersection(plan.jobs) and config.eval.asked:
        from xlm_runtime.run.jobs import asked  # torchmetrics takes a second to import

        asked.check_fit(task, config.eval.asked, prepared)
    if "train" in plan.jobs and prepared.untrainable:
        raise UsageError(prepared.untrainable)


def _work(plan: Plan, prepared: Prepared) -> list[dict[str, Any]]:
    """Run the jobs in the folder of a run, and return the evaluations."""
    with _held(plan) as path:
        run = plan.begun or _trained(plan, prepared, path)
        session = _session(plan, prepared, run)
        if session.about is not None and _first():
            write_json(run.path / runs.PUBLISHED, dict(session.about))
        return _do_jobs(plan, session)


def _session(plan: Plan, prepared: Prepared, run: Run, ckpt: str | None = None) -> Session:
    """Return all that the jobs of a plan share."""
    parts = (plan.found, plan.task, prepared, plan.config, run, ckpt or plan.command.ckpt)
    shape = read_json(run.path / runs.PUBLISHED) or about(plan, prepared)
    return Session(*parts, plan.weights, plan.start, shape)


def _do_jobs(plan: Plan, session: Session) -> list[dict[str, Any]]:
    job, points = plan.command.job, plan.command.points
    found: list[dict[str, Any]] = []
    if "train" in plan.jobs:
        os.environ[_RUN] = str(session.run.path)
        training(session)
    if "eval" in plan.jobs and _first():
        found = (
            sweep(session, points, plan.configs)
            if len(points) > 1
            else [evaluation(session, again=job == "eval")]
        )
    if "generate" in plan.jobs and _first():
        generation(session, again=job == "generate")
    return found


def _first() -> bool:
    """Return whether this is the first process of a run, which alone writes and locks."""
    return env.rank() == 0


@contextmanager
def _held(plan: Plan) -> Iterator[Path]:
    """Lock the folder of the run for this command; nothing is written to it before."""
    if not _first():
        yield _run_of_first(plan)
        return
    while True:
        path, why = (plan.begun.path, "") if plan.begun else _place(plan)
        with runs.alone(Run(path)):
            if plan.begun is None and _place(plan)[0] != path:
                continue  # another process has begun a run there meanwhile
            if why:
                say(why)
            yield path
            return


def _run_of_first(plan: Plan) -> Path:
    """Return the folder of the run that the first process writes to."""
    return Path(os.environ[_RUN]) if _RUN in os.environ else _place(plan)[0]


def _place(plan: Plan) -> tuple[Path, str]:
    """Return the folder of the run to write to, its own or a fresh one, and the reason."""
    command, config, facts = plan.command, plan.config, plan.facts
    home = runs.home(plan.found.family.name, facts["task"])
    if command.run_dir or command.name:
        return command.run_dir or home / str(command.name), ""
    parts = [facts["preset"], *names.of_point(command.varied)]
    label = names.joined([*parts, "published" if plan.as_is else f"seed{config.train.seed}"])
    return runs.for_training(home, label, plan.found, config, facts)


def _trained(plan: Plan, prepared: Prepared, path: Path) -> Run:
    """Return the run in a folder: the same run if it was begun, else a fresh one."""
    found, config, facts = plan.found, plan.config, plan.facts
    begun = Run(path)
    if not _first():
        return begun
    saved.sweep(begun.checkpoints)
    if plan.command.job == "train" and plan.command.ckpt:
        _go_back(plan, begun)
    goes_on = (path / "run.json").exists() and begun.steps  # else there is nothing to lose
    if goes_on:
        if runs.same(begun, found, config, facts):
            return begun
        _check_forced(plan, begun, prepared)
    if not goes_on:
        (path / runs.PUBLISHED).unlink(missing_ok=True)
    trains, shape = "train" in plan.jobs, about(plan, prepared)
    parts = (prepared, config, plan.weights, shape)
    rehearse(found.family, plan.task.layout, *parts, trains=trains)
    known = prepared.tokenizer, prepared.body
    more = (
        initial.kept(begun)
        if goes_on
        else initial.report(found.family, plan.task.layout, *known, config, shape)
    )
    return runs.create(path, found, config, facts | more)


def _go_back(plan: Plan, begun: Run) -> None:
    """Return to an earlier checkpoint for training, if the run is that of the command."""
    which = str(plan.command.ckpt)
    if which in ("last", "best"):
        raise UsageError(
            f"--ckpt {which}: training resumes from the last checkpoint; if that is damaged, "
            f"name the folder of an earlier one; to start another run from these weights, write "
            f"--init {begun.path} and another --name"
        )
    runs.open_run(begun.path)
    why = runs.reason(begun, plan.found, plan.config, plan.facts)
    if why and not plan.command.force:
        raise UsageError(f"{begun.path} is another run ({why}): it is left as it is")
    saved.go_back(begun.checkpoints, Path(which))


def _check_forced(plan: Plan, begun: Run, prepared: Prepared) -> None:
    """Check that another run may continue under this plan.  Raises UsageError."""
    found, config, facts = plan.found, plan.config, plan.facts
    runs.check_pair(begun, found.family.name, facts["task"])
    copies.check_package(begun, found.contents, plan.command.force)
    path, why = begun.path, runs.reason(begun, found, config, facts)
    if not plan.command.force:
        raise UsageError(
            f"{path} is another run ({why}); "
            "choose another --name, or use --force to continue with the new settings"
        )
    if begun.steps >= config.train.steps:
        raise UsageError(
            f"{path} is another run ({why}), and is trained for {begun.steps} steps, of which "
            f"train.steps={config.train.steps} leaves none: choose another --name, or more steps"
        )
    if facts.get(runs.INIT, begun.facts.get(runs.INIT)) != begun.facts.get(runs.INIT):
        raise UsageError(
            f"--init: {path} has weights of its own, from which it continues: choose another "
            "--name, or leave --init out"
        )
    _check_ids(begun, facts)
    before, now = begun.config.train.strategy, config.train.strategy
    if before != now:
        raise UsageError(
            f"train.strategy={now}: the state of {path} was saved under {before}, and training "
            f"resumes under that; --init {path} starts another run from its weights"
        )
    saved.state(begun.checkpoints, begun.steps)
    _session(plan, prepared, begun, "last").check()


def _check_data(begun: Run, facts: Mapping[str, Any]) -> None:
    """Report data that differ from those of a run; raise UsageError if their ids differ."""
    _check_ids(begun, facts)
    if "content" in runs.others(begun, facts):
        say(f"the data are not those that {begun.path} was trained on")


def _check_ids(begun: Run, facts: Mapping[str, Any]) -> None:
    """Check that the data's tokenizer is that of the run.  Raises UsageError."""
    if "tokenizer" in runs.others(begun, facts):
        raise UsageError(
            f"{begun.path} was trained with another tokenizer than its data have now, so that "
            f"ids differ; the old one is kept in its folder tokenizer"
        )


def _tell(task: Task, facts: Mapping[str, Any]) -> None:
    for line in [f"{task.name}: {task.title}", *lines(facts)]:
        say(line)

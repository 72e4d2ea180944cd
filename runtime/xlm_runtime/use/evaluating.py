"""``xlmc lm-eval``: tasks of lm-evaluation-harness with a trained run."""

import logging
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from xlm_runtime.data import hub
from xlm_runtime.system import extras
from xlm_runtime.system.atomic import saving, to_json, write_text
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import say
from xlm_runtime.use.opening import opened
from xlm_runtime.use.options import Options, check

if TYPE_CHECKING:
    from xlm_runtime.use.harness import Harness

_DATA = "tasks of your own are YAML files in a folder, named by --include"


@frozen(kw_only=True)
class Tasks:
    """The tasks of a command.

    include: a folder with tasks of one's own. limit: examples of each; None for all. shots:
    examples in front of each question; None for the task's own number.
    """

    names: tuple[str, ...]
    include: Path | None = None
    limit: int | None = None
    shots: int | None = None


def evaluate(options: Options, tasks: Tasks) -> None:
    """Evaluate a run on tasks, print the table, and write the results.  Raises RunError."""
    check(options)
    _check(options, tasks)
    simple_evaluate, manager = _imported(tasks)
    loaded = opened(options).loaded
    from xlm_runtime.use.harness import Harness

    with hub.reaching(f"the data of {', '.join(tasks.names)}", _DATA):
        made = manager.load(list(tasks.names))["tasks"]
        model = Harness(
            loaded, batch=options.batch, draws=options.draws, seed=options.seed,
            greedy=any(task.OUTPUT_TYPE == "loglikelihood" for task in made.values()),
        )  # fmt: skip
        found = simple_evaluate(
            model=model, tasks=list(tasks.names), num_fewshot=tasks.shots, limit=tasks.limit,
            task_manager=manager, log_samples=False, bootstrap_iters=1000,
        )  # fmt: skip
    _report(found, model, options.out)


def _check(options: Options, tasks: Tasks) -> None:
    if tasks.include is not None and not tasks.include.is_dir():
        raise UsageError(f"--include {tasks.include}: there is no such folder")
    for name, value in (("--limit", tasks.limit), ("--fewshot", tasks.shots)):
        if value is not None and value < (name == "--limit"):
            raise UsageError(f"{name} {value}: a number of examples")
    if options.out is not None and options.out.exists():
        raise UsageError(f"--out {options.out} is there already: choose another name")
    if options.out is not None and not options.out.parent.is_dir():
        raise UsageError(f"--out {options.out}: there is no folder {options.out.parent}")


def _imported(tasks: Tasks) -> tuple[Any, Any]:
    """Import the harness, and find the tasks.  Raises UsageError."""
    extras.needed("lm_eval", "lm-eval", "xlmc lm-eval")
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    own = None if tasks.include is None else str(tasks.include)
    manager = TaskManager(include_path=own, include_defaults=own is None)
    if not {*tasks.names} <= {*manager.all_tasks}:  # thousands of files, only where they are needed
        manager = TaskManager(include_path=own)
    for name in tasks.names:
        if name not in manager.all_tasks:
            near = get_close_matches(name, manager.all_tasks, n=1)
            hint = f", did you mean '{near[0]}'?" if near else ""
            raise UsageError(
                f"--tasks {name}: lm-evaluation-harness has none of this name{hint}; {_DATA}"
            )
    return simple_evaluate, manager


def _report(found: Mapping[str, Any], model: "Harness", out: Path | None) -> None:
    about = model.get_model_info()
    for line in _remarks(about):
        say(line)
    for line in table(found["results"]):
        print(line)
    if out is not None:
        kept = ("results", "groups", "versions", "n-shot", "n-samples", "higher_is_better")
        with saving(out):
            part = {name: found[name] for name in kept if name in found}
            write_text(out, to_json(part | about, indent=2) + "\n")


def table(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Format the numbers of tasks and groups, each with its standard error if it has one."""
    rows = []
    for task, values in results.items():
        for key, value in values.items():
            name, comma, kind = key.partition(",")
            if not comma or name.endswith("_stderr") or not isinstance(value, int | float):
                continue
            error = values.get(f"{name}_stderr,{kind}")
            spread = f"± {error:.4f}" if isinstance(error, float) else ""
            label = name if kind == "none" else f"{name} ({kind})"
            rows.append((task, label, f"{value:.4f}", spread))
    wide = [max(len(row[i]) for row in rows) for i in range(3)] if rows else []
    return [f"  {a:<{wide[0]}}  {b:<{wide[1]}}  {c:>{wide[2]}} {d}".rstrip() for a, b, c, d in rows]


def _remarks(about: Mapping[str, Any]) -> Sequence[str]:
    said = [f"  log-likelihoods: {kind}" for kind in about["xlmc_likelihood"]]
    if cropped := about["xlmc_cropped_contexts"]:
        said.append(f"  {cropped} contexts are longer than the room, and lost their beginning")
    return said

"""The configuration of a command: quick values of the task, recipe, settings, those of the run."""

import json
from collections.abc import Sequence

from attrs import evolve

from xlm_runtime.config.config import Config
from xlm_runtime.config.settings import (
    Setting,
    build,
    differences,
    parse_sets,
    recipe_settings,
)
from xlm_runtime.model import published
from xlm_runtime.model.published import Checkpoint
from xlm_runtime.packages.package import Package
from xlm_runtime.plug import Family
from xlm_runtime.run.command import JOBS, Command
from xlm_runtime.run.folder import runs
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.initial import Start
from xlm_runtime.system import env
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import say
from xlm_runtime.tasks.base.task import Task

_LATER = ("decoder", "eval", "generate")  # sections that training does not fix


def configs_of(
    command: Command, found: Package, task: Task, preset: str, begun: Run | None
) -> list[Config]:
    """Return the configuration of each point of a command; one if it is no sweep."""
    commands = [evolve(command, sets=(*command.sets, *point)) for point in command.points]
    if begun is None and any("decoder" not in _paths(one) for one in commands):
        _name_decoder(found.family, task.name)
    return [config_of(one, found, task, preset, begun) for one in commands]


def config_of(
    command: Command, found: Package, task: Task, preset: str, begun: Run | None
) -> Config:
    """Return the configuration of a command.

    An existing run keeps its settings: those of training for ever, those of evaluation and
    generation unless the command changes them.
    """
    sets = parse_sets(command.sets)
    check_size(sets)
    base = [] if preset == "paper" else _quick(task)
    if preset == "paper":
        base.append(Setting("model.size", "base", "preset paper"))
    if "train" in JOBS[command.job] or preset == "quick" or task.name in found.family.recipes:
        base += recipe_settings(found.family, task.name, preset, sets)  # training needs one
        if preset == "paper" and task.name not in found.family.recipes:
            say(
                f"{found.family.name} has no recipe for {task.name}: training uses --set and the "
                f"defaults of the runtime"
            )
    if command.seed is not None and begun is None:
        sets.append(Setting("train.seed", command.seed, f"--seed {command.seed}"))
    for path, option, value in (
        ("data.columns", "--columns", command.columns),
        ("data.tokenizer", "--tokenizer", command.tokenizer),
        ("model.init", "--init", command.init),
        ("model.init_map", "--init-map", command.init_map),
    ):
        if value is not None:
            sets.append(Setting(path, value, f"{option} {value}"))
    if command.metrics:
        listed = json.dumps(command.metrics, ensure_ascii=False)
        sets.append(Setting("eval.metrics", listed, "--metric"))
    if begun is not None:
        base = [s for s in base if s.path.partition(".")[0] not in _LATER]
        base += _kept(begun, found.family)
    config = build(found.family, base, sets)
    if begun is None:
        used = env.precision(config.train.precision)
        return evolve(config, train=evolve(config.train, precision=used))
    before = begun.config
    kept = evolve(config, **{name: getattr(before, name) for name in runs.TRAINED})
    fixed = [s for s in sets if s.path.partition(".")[0] in runs.TRAINED]
    wrong = [s for s in fixed if s.path in _changed(before, config, fixed)]
    if wrong:
        lines = [f"{s.origin}: {begun.path} was trained with another value" for s in wrong]
        raise UsageError("\n".join(lines))
    return kept


def _paths(command: Command) -> set[str]:
    """Return the paths that a command sets."""
    return {one.path for one in parse_sets(command.sets)}


def _name_decoder(family: Family, task: str) -> None:
    """Print which decoder the recipe of a task chooses, where it is not the default one."""
    usual = next(iter(family.decoders))
    chosen = family.recipes.get(task, {}).get("decoder", usual)
    if chosen != usual:
        line = f"decoder {chosen}, chosen by recipe {task} of {family.name}"
        say(f"{line}; --set decoder={usual} for the default one")


def _kept(run: Run, family: Family) -> list[Setting]:
    """Return the settings of a run for evaluation and generation, as far as a family has them."""
    origin, plain = f"settings of {run.path}", run.config.to_json()
    found = {f"{s}.{key}": value for s in ("eval", "generate") for key, value in plain[s].items()}
    name, params = plain["decoder"]["name"], plain["decoder"]["params"]
    if name not in family.decoders:
        say(f"{origin}: the package has no decoder {name} any more, and its default is used")
    else:
        known = {param.name for param in family.params.get(name, ())}
        found["decoder"] = name
        found |= {f"decoder.{key}": value for key, value in params.items() if key in known}
    return [Setting(path, value, origin) for path, value in found.items()]


def check_size(sets: Sequence[Setting], *, decided: bool = False) -> None:
    """Refuse a size where weights decide it: published ones, or if it is ``decided``."""
    if not decided and not any(s.path == "model.pretrained" and s.value for s in sets):
        return
    fixed = {f"model.{name}" for name in ("size", "layers", "width", "heads", "rotary_base")}
    wrong = [f"{s.origin}: the published weights decide the size" for s in sets if s.path in fixed]
    if wrong:
        raise UsageError("\n".join(wrong))


def untrained(command: Command) -> bool:
    """Return whether a command means published weights as they are, and no run."""
    named = any(s.path == "model.pretrained" and s.value for s in parse_sets(command.sets))
    return named and not (command.run_dir or command.name or command.ckpt)


def weights_of(config: Config, family: Family, *, reads: bool) -> Checkpoint | None:
    """Return the published weights of a configuration, fetched only if they are read."""
    name = config.model.pretrained
    if not name:
        return None
    if name == "published":
        repo = "" if family.published is None else family.published.repo
        if not repo:
            raise UsageError(
                f"model.pretrained=published: {family.name} names no published weights; "
                "give a repository of the Hub or a folder"
            )
        name = repo
    return published.find(name, weights=reads)


def sized(
    config: Config, family: Family, weights: Checkpoint | None, start: Start | None
) -> Config:
    """Set the size in a configuration to that of published weights, or of those to start from."""
    about, name = None, ""
    if weights is not None:
        about, name = weights.config, weights.name
    elif start is not None and family.published is not None:
        about, name = start.source.config, start.source.name
    if about is None:
        return config
    size = published.size_of(family, about, name)
    model = evolve(
        config.model,
        pretrained="" if weights is None else weights.name,
        layers=size.layers,
        width=size.width,
        heads=size.heads,
        rotary_base=size.rotary_base,
    )
    return evolve(config, model=model)


def _changed(before: Config, after: Config, settings: Sequence[Setting]) -> set[str]:
    lines = differences(before, after, runs.TRAINED)
    return {line.partition(":")[0] for line in lines} & {s.path for s in settings}


def _quick(task: Task) -> list[Setting]:
    """Return the quick values of a task as settings."""
    return [Setting(k, v, f"quick values of {task.name}") for k, v in task.quick.items()]

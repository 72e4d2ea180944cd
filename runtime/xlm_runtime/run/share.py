"""A run on the Hugging Face Hub: what is shared of it, and how it comes back.

A repository is laid out as a run folder. It holds the averaged weights of one checkpoint and all
that reads them, beside a model card; not the state of the trainer, logs, predictions, or what only
the machine that trained it understands.
"""

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import asdict

from xlm_runtime import tokenizers
from xlm_runtime.config.config import Config
from xlm_runtime.data import hub
from xlm_runtime.data.lengths import Law
from xlm_runtime.packages import contents, package
from xlm_runtime.packages.contents import Contents
from xlm_runtime.packages.package import Package
from xlm_runtime.packages.trust import DOUBT, MADE, Judge, Origin, Trust
from xlm_runtime.run.folder import copies, local, parts, runs
from xlm_runtime.run.folder.runs import PUBLISHED, Run
from xlm_runtime.run.initial import BEGAN
from xlm_runtime.run.reports import measured
from xlm_runtime.run.reports.card import card
from xlm_runtime.system import hashes
from xlm_runtime.system.atomic import read_json, write_json, write_text
from xlm_runtime.system.errors import RunError, UsageError, some
from xlm_runtime.system.progress import complain, say
from xlm_runtime.train import saved

_FACTS = ("family", "task", "preset", "data")
_TOLD = (*_FACTS, "package", "files", "content", "tokenizer")  # of run.json: what a reader needs
_PATHS = (
    ("model", "pretrained"),
    ("model", "init"),
    ("model", "init_map"),
    ("data", "tokenizer"),
    ("eval", "metrics"),
)  # settings with such
_PLAIN = re.compile(r"\w[\w.-]*", re.ASCII)
_LISTED = 5  # files in a message
_ROOM = 10**7  # tokens: more than any model has room for


def push(run: Run, ckpt: str, repo: str, trust: Trust = DOUBT) -> None:
    """Send a run to a repository of the Hub, created as private if it is missing.

    Raises UsageError if there is no such checkpoint, if the run's package has changed since
    training, or if another process works on the run; RunError if local paths would be sent, or the
    Hub refuses.
    """
    chosen = saved.resolve(run.checkpoints, ckpt)
    if chosen.parent.resolve() != run.checkpoints.resolve():
        raise UsageError(f"--ckpt {ckpt}: it is no checkpoint of {run.path}")
    found = package.load(_whole(copies.own(run)), trust)
    with runs.alone(run), TemporaryDirectory() as folder:
        shared = Run(Path(folder) / "run")
        notes = _lay_out(run, chosen, shared, found)
        card_ = card(repo, found.family, shared, notes)
        write_text(shared.path / "README.md", card_)
        local.check(shared.path, [run.path])
        message = f"{found.family.name} on {run.facts['task']}, {chosen.name}"
        where = hub.send(shared.path, repo, message, parts.SHARED)
    for line in notes:
        say(line)
    say(f"run {run.path}, {chosen.name}, is at {where}")


def _whole(package: Contents) -> Contents:
    """Check that a package has only files that `pull` accepts.  Raises UsageError."""
    odd = parts.strangers(f"package/{name}" for name in package.files)
    odd += parts.unlisted(package)
    if odd:
        raise UsageError(
            f"{package.path} cannot be shared: {_listed(odd)}: a shared package has exactly the "
            f"Python and specs that its MANIFEST.json lists"
        )
    return package


def _lay_out(run: Run, chosen: Path, shared: Run, package: Package) -> list[str]:
    """Write the shared files of a run, with the weights of the checkpoint ``chosen``.

    Nothing local is part of it. Returns remarks on the evaluation.
    """
    folder, facts = shared.path, run.facts
    folder.mkdir()
    package.contents.write(shared.package)
    (folder / "tokenizer").mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy((run.tokenizer or run.path / "tokenizer") / name, folder / "tokenizer")
    hashes.seal(folder / "tokenizer")
    if (run.path / PUBLISHED).is_file():
        began = read_json(run.path / PUBLISHED)
        write_json(folder / PUBLISHED, {key: local.plain(part) for key, part in began.items()})
    write_json(folder / "config.json", _config(run.config))
    found, notes = measured.shown(run, chosen)
    if found:
        write_json(folder / measured.METRICS, _measured(found))
    write_json(folder / "data.json", _data(run.data, facts))
    told = {key: facts[key] for key in _TOLD if key in facts}
    told["files"] = package.contents.hashes
    told["data"] = Path(facts["data"]).name if facts["data"] else None
    about = facts.get("environment", {})
    if BEGAN in facts:
        told[BEGAN] = local.plain(facts[BEGAN])
    told["environment"] = {key: about[key] for key in ("python", "versions") if key in about}
    write_json(folder / "run.json", told)
    _lay_weights(chosen, shared.checkpoints)
    return notes


def _config(config: Config) -> dict[str, Any]:
    """Return the configuration as plain values, with paths reduced to their last names."""
    plain = config.to_json()
    for section, name in _PATHS:
        plain[section][name] = local.cut(plain[section][name])
    return plain


def _measured(found: dict[str, Any]) -> dict[str, Any]:
    """Return an evaluation without the paths of judges."""
    kept = dict(found)
    settings = dict(kept.pop("settings", {}))
    if "eval" in settings:
        settings["eval"] = local.plain(settings["eval"])
    for name in ("asked", "protocol"):
        if name in kept:
            kept[name] = local.plain(kept[name])
    return kept | {"settings": settings}


def _data(about: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of the data that generation needs, and their origin unless private."""
    kept = {key: about[key] for key in ("layout", "body", "prompt")}
    kept["lengths"] = Law.read(about["lengths"], "data.json").plain()
    known = {} if facts["data"] else dict(about.get("facts", {}))
    known.pop("cache", None)
    return kept | {"facts": local.plain(known)}


def _lay_weights(chosen: Path, checkpoints: Path) -> None:
    """Lay out the averaged weights of a checkpoint as the only one of a run."""
    target, step = checkpoints / chosen.name, int(chosen.name.removeprefix("step-"))
    target.mkdir(parents=True)
    (target / saved.AVERAGE).symlink_to(saved.average(chosen).resolve())  # it may be large
    hashes.seal(target)
    write_json(checkpoints / saved.INDEX, asdict(saved.Index(step, step)))


def pull(repo: str, to: Path | None = None, judge: Judge | None = None) -> int:
    """Fetch a run from the Hub into ``to``, or among the runs of its pair; return an exit code.

    None of its code is executed: ``judge``, which the command brings, compares it with the package
    that its spec makes. Its files come through the cache of the Hub, so that an interrupted pull
    resumes; only files that a run may have are taken.
    """
    try:
        hub.check_name(repo, repo)
        target, origin, why = fetch(repo, to, judge)
    except RunError as error:
        complain(error)
        return error.code
    say(f"{repo}, commit {origin.commit[:8]}, is at {target}")
    if why:
        say(f"  its package is code: {why}")
        say("  read it before you run it with --trust")
    else:
        say("  its code is exactly the output of xlmc for its spec")
    task = f"--task {Run(target).facts['task']} --job eval --run {target}"
    say(f"  xlmc run {target / 'package'} {task}")
    return 0


def fetch(repo: str, to: Path | None, judge: Judge | None) -> tuple[Path, Origin, str]:
    """Fetch a run from the Hub, in whole or not at all; return folder, origin and doubts."""
    instead = "its name is the --repo with which it was pushed"
    names, found = hub.taken(repo, lambda every: _wanted(every, repo), instead)
    with TemporaryDirectory(dir=_near(repo, to), prefix=".pull-") as beside:
        whole = Run(Path(beside) / "run")
        _copy(found, names, whole.path)
        held = _checked(whole, repo)
        why = "it has not been compared with its spec" if judge is None else judge(held.files)
        origin = Origin(repo, found.name, held.digest, {} if why else {held.digest: MADE})
        origin.write(whole.path)
        target = to or _place(whole, repo)
        if target.exists():
            if _origin(target) != (repo, found.name):
                raise _taken(target)
            return target, origin, why  # it came whole: a process that was killed later had put it
        target.parent.mkdir(parents=True, exist_ok=True)
        whole.path.rename(target)
    return target, origin, why


def _origin(folder: Path) -> tuple[str, str] | None:
    """Return the repository and commit of a run that was pulled into a folder."""
    origin = Origin.of(folder)
    return None if origin is None else (origin.repo, origin.commit)


def _taken(target: Path) -> UsageError:
    return UsageError(f"{target} is there already: choose another folder with --to DIR")


def _near(repo: str, to: Path | None) -> Path:
    """Return a folder of the disk on which the run will be."""
    if to is not None and to.exists() and (_origin(to) or ("", ""))[0] != repo:
        raise _taken(to)
    near = runs.ROOT if to is None else to.absolute().parent
    near.mkdir(parents=True, exist_ok=True)
    return near


def _wanted(names: list[str], repo: str) -> list[str]:
    """Select the files of a repository that belong to a run.

    Raises RunError if its folders contain anything else.
    """
    odd = parts.strangers(names)
    if odd:
        raise RunError(f"{repo} is refused, and nothing was saved: no run contains {_listed(odd)}")
    return [name for name in names if parts.belongs(name)]


def _listed(names: list[str]) -> str:
    return some([ascii(name)[1:-1] for name in names], _LISTED)


def _copy(found: Path, names: list[str], target: Path) -> None:
    """Copy files, not links to them."""
    for name in names:
        if (found / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found / name, target / name)


def _place(run: Run, repo: str) -> Path:
    """Return the folder of a repository's run among those of its pair."""
    return runs.home(run.facts["family"], run.facts["task"]) / repo.partition("/")[2]


def _checked(run: Run, repo: str) -> Contents:
    """Check the files of a run from elsewhere without executing its code; return the package.

    Raises RunError if the files are no run, or contradict each other.
    """
    try:
        held = contents.read(run.package)
        _check_facts(run.facts)
        _check_data(read_json(run.path / "data.json"))
        Config.from_json(read_json(run.path / "config.json"), "config.json")
        saved.resolve(run.checkpoints, "last")
        read_json(run.path / PUBLISHED)
        tokenizers.load(run.path / "tokenizer")
    except (ValueError, TypeError, AttributeError, RecursionError, RunError) as error:
        raise RunError(
            f"{repo} contains no run of xlmc, which --job push makes: {_plainly(error, run)}"
        ) from error
    measured.read(run.path / measured.METRICS)
    if run.facts["package"] != held.digest:
        raise RunError(f"{repo} is refused: its package has changed since training")
    if odd := parts.unlisted(held):
        raise RunError(f"{repo} is refused: its MANIFEST.json and its files differ: {_listed(odd)}")
    return held


def _plainly(error: Exception, run: Run) -> str:
    """Describe a fault of a pulled file, without its temporary folder."""
    return str(error).replace(f"{run.path}/", "").partition("\n")[0]


def _check_facts(facts: dict[str, Any]) -> None:
    """Check that ``run.json`` is complete and has no path for a name.  Raises ValueError."""
    missing = [key for key in (*_FACTS, "package") if key not in facts]
    if missing:
        raise ValueError(f"run.json has no {missing[0]}")
    for key in ("family", "task"):
        if not (isinstance(facts[key], str) and _PLAIN.fullmatch(facts[key])):
            raise ValueError(f"run.json: {key} is no name")
    data = facts["data"]
    if data is not None and not (isinstance(data, str) and data == Path(data).name):
        raise ValueError("run.json: data is no name of a file")


def _check_data(about: dict[str, Any]) -> None:
    """Check that ``data.json`` has what generation needs.  Raises RunError or ValueError."""
    Law.read(about.get("lengths"), "data.json")
    sizes = (about.get("body"), about.get("prompt"))
    if about.get("layout") not in ("text", "seq2seq", "infill"):
        raise ValueError("data.json: layout is none of text, seq2seq, infill")
    if not all(type(size) is int and 0 <= size <= _ROOM for size in sizes):
        raise ValueError("data.json: body and prompt are numbers of tokens")

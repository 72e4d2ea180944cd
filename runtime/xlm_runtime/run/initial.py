"""The weights that ``--init`` names: of a run, of a file or folder, or of the Hub."""

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import frozen

from xlm_runtime import tokenizers
from xlm_runtime.config.config import Config
from xlm_runtime.data import hub
from xlm_runtime.model import initial
from xlm_runtime.model.initial import Match, Names, Source, stored
from xlm_runtime.model.model import Model, make
from xlm_runtime.model.tensors import where_in
from xlm_runtime.plug import Family
from xlm_runtime.run.folder.runs import INIT, PUBLISHED, Run, listed
from xlm_runtime.system import hashes
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.progress import say
from xlm_runtime.system.reader import read_json, read_object
from xlm_runtime.tokenizers import Tokenizer
from xlm_runtime.train import saved

BEGAN = "began_with"  # in run.json: what was loaded and what was not
_FETCHED = ("*.json", "*.safetensors", "*.txt")
_SIZE = ("width", "heads", "rotary_base")
_EXAMPLE = '{"backbone.embed": "model.embed_tokens", "to_token": null}'
_KINDS = "a run, a checkpoint of one, a file or folder of safetensors, or OWNER/NAME on the Hub"


@frozen(eq=False)
class Start:
    """The source of first weights and the map of their names."""

    source: Source
    names: Names

    @property
    def digest(self) -> str:
        """The hash of all that the first weights depend on."""
        hashed = sha256(json.dumps(dict(self.names), sort_keys=True).encode())
        for file in sorted({one.file for one in self.source.tensors.values()}):
            hashed.update(hashes.of(file).encode())
        return hashed.hexdigest()


def find(config: Config, home: Path) -> Start | None:
    """Return what a configuration names; None where it names nothing.

    None as well where it is gone, but a run in ``home`` began with it, and may be resumed. Raises
    UsageError for a source or a map that is not there, RunError for one that cannot be read.
    """
    try:
        return _start(config)
    except RunError:
        if not any(_began(run) == config.model.init for run in [Run(home), *listed(home)]):
            raise
        return None


def _began(run: Run) -> object:
    """Return the source of a run's first weights."""
    model = read_json(run.path / "config.json").get("model")
    return model.get("init") if isinstance(model, dict) else None


def _start(config: Config) -> Start | None:
    name, mapped = config.model.init, config.model.init_map
    if mapped and not name:
        raise UsageError("--init-map FILE maps names of --init: give both")
    if name and config.model.pretrained:
        raise UsageError("--init and model.pretrained both name first weights: give one of them")
    return Start(_source(name), _names(mapped) if mapped else {}) if name else None


def prints(start: Start | None) -> dict[str, str]:
    """Return the hash of first weights by its name among the facts of a run."""
    return {} if start is None else {INIT: start.digest}


def _source(name: str) -> Source:
    path = Path(name).expanduser()
    if not path.exists():
        if not hub.is_name(name):
            raise UsageError(f"--init {name}: there is nothing of that name; it is {_KINDS}")
        path = hub.snapshot(
            name, _FETCHED, f"and there is no file or folder {name}; --init names {_KINDS}"
        )
    if path.is_file():
        return _of_file(name, path)
    if (path / "run.json").is_file():
        return _of_file(name, saved.average(saved.resolve(Run(path).checkpoints, "best")))
    if (path / saved.AVERAGE).is_file():
        return _of_file(name, saved.average(path))
    where = where_in(path)
    beside = path if (path / "tokenizer.json").is_file() else None
    return Source(name, name, stored(sorted(set(where.values())), where), beside)


def _of_file(name: str, file: Path) -> Source:
    """Return the weights of one file, which may be of a run."""
    if file.suffix != ".safetensors":
        raise UsageError(
            f"--init {name}: weights are read from *.safetensors alone: other files may be "
            "pickled code, which is never executed"
        )
    *_, run = (None, *(Run(path) for path in file.absolute().parents[2:3]))
    if run is None or not (run.path / "run.json").is_file():
        beside = file.parent if (file.parent / "tokenizer.json").is_file() else None
        return Source(name, name, stored([file]), beside)
    if why := hashes.fault(file):
        raise RunError(f"{file} is damaged: {why}; take another checkpoint of the run")
    size = {key: getattr(run.config.model, key) for key in _SIZE}
    about = read_json(run.path / PUBLISHED) or None
    origin = f"{name}, {file.parent.name}"
    return Source(name, origin, stored([file]), run.tokenizer, size, about)


def _names(file: str) -> Names:
    """Read a map of names.  Raises UsageError."""
    path = Path(file).expanduser()
    if not path.is_file():
        raise UsageError(f"--init-map {file}: there is no such file")
    try:
        found = read_object(path, f"write {_EXAMPLE}")
    except RunError as error:
        raise UsageError(f"--init-map {error}") from None
    wrong = [key for key, to in found.items() if not (to is None or isinstance(to, str))]
    if wrong:
        raise UsageError(
            f'--init-map {file}: "{wrong[0]}": a weight or module of the network is mapped to the '
            f"name of one in the source, or to null to start it afresh: {_EXAMPLE}"
        )
    return found


def matched(start: Start, parts: tuple[Any, ...], tokenizer: Tokenizer) -> Match:
    """Match first weights with the network of (family, vocabulary, layout, body, config, about).

    Raises UsageError and RunError if they do not fit.
    """
    family, vocabulary, layout, body, config, about = parts
    _check_size(start.source, config)
    network = make(*parts, empty=True).network
    longer = replace(vocabulary, size=vocabulary.size + 1)
    wider = about and {**about, "vocab_size": about["vocab_size"] + 1}
    more = make(family, longer, layout, body, config, wider, empty=True).network
    beside = start.source.tokenizer
    pair = None
    if beside is not None:
        pair = tokenizer, tokenizers.pretrained(str(beside), family.specials, sharing=True)
    return initial.match(network, initial.axes(network, more), start.source, start.names, pair)


def _check_size(source: Source, config: Config) -> None:
    """Refuse another width or other heads, of which some change no shape.  Raises UsageError."""
    here = {key: getattr(config.model, key) for key in _SIZE}
    other = {key: value for key, value in source.size.items() if value != here[key]}
    if other:
        said = ", ".join(
            f"model.{key}={value:g}, here {here[key]:g}" for key, value in other.items()
        )
        sets = " ".join(f"--set model.{key}={value:g}" for key, value in other.items())
        raise UsageError(f"{source.name} was trained with {said}: write {sets}")


def report(
    family: Family,
    layout: str,
    tokenizer: Tokenizer,
    body: int,
    config: Config,
    about: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the record of first weights for ``run.json``, empty where a run names none.

    Raises UsageError and RunError if they do not fit.
    """
    start = _start(config)
    if start is None:
        return {}
    parts = (family, tokenizer.vocabulary, layout, body, config, about)
    return {BEGAN: initial.report(matched(start, parts, tokenizer), start.source)}


def kept(run: Run) -> dict[str, Any]:
    """Return the record of first weights in the ``run.json`` of a run that continues."""
    return {key: value for key, value in run.facts.items() if key in (INIT, BEGAN)}


def load(model: Model, start: Start, parts: tuple[Any, ...], tokenizer: Tokenizer) -> Model:
    """Load first weights, and print what was loaded and what was not.  Returns the model."""
    found = matched(start, parts, tokenizer)
    initial.load(model.network, found, parts[4].train.seed)
    for line in initial.lines(found, start.source, model.network):
        say(line)
    return model

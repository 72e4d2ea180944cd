"""Published weights: their location, their config, and loading them into a network.

They come in the format of transformers: a ``config.json`` and safetensors, in one file or in
shards with an index. Weights are read one by one into a network that has no memory yet.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from attrs import fields, frozen
from torch import Tensor, nn

from xlm_runtime.config.config import Model
from xlm_runtime.data import hub
from xlm_runtime.model import layouts, tensors
from xlm_runtime.model.tensors import (
    ANEW,
    INDEX,
    check_finite,
    complain,
    lengthened,
    reading,
    where_in,
)
from xlm_runtime.plug import Family, ModelSize
from xlm_runtime.system import bounds
from xlm_runtime.system.bounds import VOCABULARY
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.reader import damaged, read_object
from xlm_runtime.system.strict import mistakes

CONFIG = "config.json"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
_SHARD = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
_ABOUT = ("*.json", "*.txt", "*.jinja")
_WEIGHTS = ("*.safetensors", INDEX, CONFIG)
_NOT_WEIGHTS = "rotary_emb.inv_freq"  # older files keep what follows from the size
_KINDS: dict[type, Any] = {int: bounds.Size, float: bounds.Scale}  # of what only some sizes have
_HINT = f"model.pretrained is a repository of the Hub or a folder with {CONFIG} and *.safetensors"


@frozen
class Checkpoint:
    """Published weights: the name of the request, their folder, and their config."""

    name: str
    folder: Path
    config: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """The number of rows of the embeddings."""
        return int(self.config["vocab_size"])


def find(name: str, *, weights: bool, asked: str = "") -> Checkpoint:
    """Locate published weights by repository or folder; fetch them with or without the tensors.

    ``asked`` is what names them, by default the setting. Raises UsageError for a folder that does
    not exist, RunError for what cannot be fetched or read.
    """
    folder, asked = Path(name).expanduser(), asked or f"model.pretrained={name}"
    if not folder.is_dir():
        if not hub.is_name(name):
            raise UsageError(f"{asked}: there is no such folder\n{_HINT}")
        hub.check_name(name, asked)
        wanted = (*_ABOUT, *_WEIGHTS) if weights else _ABOUT
        folder = hub.snapshot(name, wanted, f"and there is no folder {name}; {_HINT}")
    return Checkpoint(name, folder, _config(folder))


def _config(folder: Path) -> dict[str, Any]:
    if not (folder / CONFIG).is_file():
        raise RunError(f"{folder} has no {CONFIG}; {_HINT}")
    found = read_object(folder / CONFIG, ANEW)
    layout = layouts.of(found)
    if layout and layout.rows and isinstance(found.get("tokens"), int):
        found = {**found, "vocab_size": layout.rows(found)}
    size = found.get("vocab_size")
    if not isinstance(size, int) or isinstance(size, bool):
        raise damaged(folder / CONFIG, "it has no vocab_size, as a language model has", ANEW)
    if size not in VOCABULARY:
        raise UsageError(f"{folder / CONFIG}: vocab_size {VOCABULARY.refusal(size)}")
    return found


def size_of(family: Family, config: Mapping[str, Any], where: str) -> ModelSize:
    """Return the size of the network that a published config describes.

    Raises UsageError if the family's backbone is of another kind.
    """
    layout, form = layouts.of(config), family.published
    if layout is not None:
        read: Callable[[Mapping[str, Any]], ModelSize] = partial(layout.size, family)
    elif form is not None:
        read = form.size
    else:
        raise UsageError(
            f"model.pretrained={where}: the backbone of {family.name} has no published weights"
        )
    try:
        size = read(config)
    except KeyError as error:
        raise UsageError(
            f"{where}: its {CONFIG} has no {error}, which the backbone needs"
        ) from None
    except (ValueError, TypeError, ArithmeticError) as error:
        raise UsageError(f"{where}: its {CONFIG} does not fit the backbone: {error}") from None
    kinds = {f.name: f.type for f in fields(Model)}
    for name, value in asdict(size).items():
        kind = kinds.get(name, _KINDS.get(type(value)))
        for line in mistakes(value, kind) if kind is not None else ():
            raise UsageError(f"{where}: the {name} that its {CONFIG} gives {line}")
    return size


def own_config(family: Family, size: ModelSize, rows: int) -> dict[str, Any] | None:
    """Return the config of a network with fresh weights that follows a published one.

    None for families whose network follows none. Raises UsageError and RunError as `find` does.
    """
    form = family.published
    if form is None or form.shrunk is None:
        return None
    known = find(form.repo, weights=False, asked=f"the backbone of {family.name}, {form.repo}")
    size_of(family, known.config, known.name)
    try:
        made = form.shrunk(known.config, size)
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise UsageError(f"{known.name}: {error}") from None
    return form.config(made, rows)


def fitted(family: Family, size: ModelSize, rows: int) -> ModelSize:
    """Return the size of a network with fresh weights, with its config if it follows one."""
    about = own_config(family, size, rows)
    return size if about is None else size_of(family, about, family.name)


# Reading


def fill(
    network: nn.Module, names: Mapping[str, str], checkpoint: Checkpoint, dtype: torch.dtype
) -> list[str]:
    """Fill a network with published weights, one tensor at a time; it may be on `meta`.

    Returns the names of weights that no published model has (heads of the family), which are drawn
    afresh. Raises RunError with a line for each tensor that is missing, unexpected or of another
    shape.
    """
    slots, known, where = _matched(network, names, checkpoint)
    with torch.no_grad():
        for file in sorted(set(where.values())):
            for theirs, tensor in tensors.read(file, [t for t in where if where[t] == file]):
                if theirs in known:
                    check_finite(tensor, theirs, file)
                    slot = slots[known[theirs]]
                    slot.set(lengthened(tensor, slot.shape[0]).to(dtype, copy=True))
    return draw(network, dtype, [name for name in slots if renamed(name, names) is None])


def draw(network: nn.Module, dtype: torch.dtype, names: Sequence[str] | None = None) -> list[str]:
    """Draw initial weights of some names, by default of all without memory; return the names."""
    slots = slots_of(network)
    if names is None:
        names = [name for name, weight in network.named_parameters() if weight.is_meta]
    with torch.no_grad():
        for name in names:
            slots[name].set(_drawn(slots[name].shape, dtype))
    return list(names)


def check(network: nn.Module, names: Mapping[str, str], checkpoint: Checkpoint) -> None:
    """Compare names and shapes with those of a network, of which no weight is read or set.

    Raises RunError as `fill` does.
    """
    _matched(network, names, checkpoint)


def _matched(
    network: nn.Module, names: Mapping[str, str], checkpoint: Checkpoint
) -> tuple[dict[str, "_Slot"], dict[str, str], dict[str, Path]]:
    """Return a network's weights, their names by the published ones, and the files of these."""
    slots, where = slots_of(network), where_in(checkpoint.folder)
    known = {theirs: name for name in slots if (theirs := renamed(name, names)) is not None}
    _check(slots, known, where, checkpoint.rows)
    return slots, known, where


@frozen(eq=False)
class _Slot:
    """A weight and the modules that share it, with its name in each."""

    shape: tuple[int, ...]
    places: list[tuple[nn.Module, str]]

    def set(self, tensor: Tensor) -> None:
        """Replace the weight in all modules that share it."""
        weight = nn.Parameter(tensor)
        for module, name in self.places:
            setattr(module, name, weight)


def slots_of(network: nn.Module) -> dict[str, _Slot]:
    """Return the weights of a network by their names; a shared one has several."""
    slots: dict[int, _Slot] = {}
    named: dict[str, _Slot] = {}
    for name, weight in network.named_parameters(remove_duplicate=False):
        slot = slots.setdefault(id(weight), _Slot(tuple(weight.shape), []))
        parent, _, leaf = name.rpartition(".")
        slot.places.append((network.get_submodule(parent), leaf))
        named[name] = slot
    return named


def _check(
    slots: Mapping[str, _Slot], known: Mapping[str, str], where: Mapping[str, Path], rows: int
) -> None:
    """Check that every tensor of the network is there, with its shape, and nothing else.

    Of the ``rows`` of ids there may be fewer.
    """
    folder = next(iter(where.values())).parent if where else Path()
    here = {id(slots[known[theirs]]) for theirs in where if theirs in known}
    missing = [t for t, name in known.items() if id(slots[name]) not in here]
    problems = [f"{theirs} is missing" for theirs in dict.fromkeys(missing)]
    strange = [t for t in where if t not in known and not t.endswith(_NOT_WEIGHTS)]
    problems += [f"the network has no {theirs}" for theirs in strange]
    for file in sorted(set(where.values())):
        with reading(file) as opened:
            for theirs in (t for t in where if where[t] == file and t in known):
                found, wanted = opened.get_slice(theirs).get_shape(), slots[known[theirs]].shape
                longer = found[:1] == [rows] and wanted[0] > rows and wanted[1:] == tuple(found[1:])
                if tuple(found) != wanted and not longer:
                    problems.append(f"{theirs} is {found}, and the network has {list(wanted)}")
    complain(folder, problems)


def _drawn(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Draw initial weights: Xavier-normal matrices, zero vectors."""
    weight = torch.zeros(shape, dtype=dtype)
    return nn.init.xavier_normal_(weight) if len(shape) > 1 else weight


# Names


def renamed(name: str, names: Mapping[str, str]) -> str | None:
    """Translate the name of a weight by a table of modules, in which `*` is a layer, or None."""
    for ours, theirs in names.items():
        found = re.fullmatch(re.escape(ours).replace(r"\*", r"(\d+)") + r"\.(\w+)", name)
        if found:
            *layer, leaf = found.groups()
            return f"{theirs.replace('*', layer[0]) if layer else theirs}.{leaf}"
    return None


def backwards(names: Mapping[str, str]) -> dict[str, str]:
    """Invert a table of names."""
    return {theirs: ours for ours, theirs in names.items()}


# Writing


def is_part(name: str) -> bool:
    """Return whether a name is that of a file of a published model."""
    return name in (CONFIG, INDEX, *TOKENIZER) or bool(_SHARD.fullmatch(name))


def save(
    network: nn.Module,
    names: Mapping[str, str],
    config: Mapping[str, Any],
    folder: Path,
    shard: str = "5GB",
) -> None:
    """Write weights in the published format, which transformers reads.

    Raises UsageError for a network with weights that the format has no name for.
    """
    from huggingface_hub import save_torch_state_dict

    strange = [n for n, _ in network.named_parameters() if renamed(n, names) is None]
    if strange:
        raise UsageError(f"the published format has no name for {', '.join(strange)}")
    folder.mkdir(parents=True, exist_ok=True)
    dtype = next(network.parameters()).dtype
    about = {**config, "dtype": str(dtype).removeprefix("torch.")}
    (folder / CONFIG).write_text(json.dumps(about, indent=2), encoding="utf-8")
    tensors = {
        str(renamed(name, names)): weight.detach().cpu().contiguous()
        for name, weight in network.named_parameters()
    }
    save_torch_state_dict(tensors, folder, max_shard_size=shard)

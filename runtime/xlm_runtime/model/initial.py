"""Weights of another model to start from: which of them a network takes, by names and by tokens."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from attrs import field, frozen
from torch import nn

from xlm_runtime.model.tensors import by_token, check_finite, complain, read, reading
from xlm_runtime.system.errors import UsageError, some
from xlm_runtime.tokenizers import Tokenizer

_SHOWN = 6  # names in a line
Names = Mapping[str, str | None]


@frozen
class Stored:
    """A tensor of a file: its name there, its shape."""

    file: Path
    name: str
    shape: tuple[int, ...]


@frozen(eq=False)
class Source:
    """Weights to start from.

    name: of the request. origin: what was taken, in words. tensors: by their names; one that a file
    keeps once under several names has all of them. tokenizer: the folder of that beside them, or
    None. size: settings of the network that they are of, as far as they are known; config: that of
    its architecture, if it follows a published one.
    """

    name: str
    origin: str
    tensors: Mapping[str, Stored]
    tokenizer: Path | None
    size: Mapping[str, float] = field(factory=dict)
    config: Mapping[str, Any] | None = None


@frozen(eq=False)
class Match:
    """The tensors of a source for the weights of a network.

    taken: weight -> tensor. drawn: the weights without one. unused: the tensors without a weight.
    rows: for each id of the network that of the source, or None; None where no tokens are compared.
    axes: the axis of a weight that counts ids. fresh: the tokens that the source does not have.
    """

    taken: Mapping[str, Stored]
    drawn: tuple[str, ...]
    unused: tuple[str, ...]
    rows: Sequence[int | None] | None
    axes: Mapping[str, int]
    fresh: tuple[str, ...] = ()


def stored(files: Iterable[Path], only: Mapping[str, Path] | None = None) -> dict[str, Stored]:
    """Return the tensors of files by name; ``only`` names those to take, with their files."""
    found: dict[str, Stored] = {}
    for file in files:
        with reading(file) as opened:
            for name in opened.keys():  # noqa: SIM118  # it is no mapping
                if only is None or only.get(name) == file:
                    found[name] = Stored(file, name, tuple(opened.get_slice(name).get_shape()))
            shared = opened.metadata() or {}  # safetensors' note of weights under several names
        found |= {alias: found[name] for alias, name in shared.items() if name in found}
    return found


# Names


def translated(name: str, names: Names) -> str | None:
    """Translate the name of a weight by a map of weights or modules, in which `*` is a layer.

    A name that the map does not mention stays; None if the map maps it to nothing.
    """
    for ours, theirs in names.items():
        pattern = re.escape(ours).replace(r"\*", r"(\d+)") + r"(\.\w+)?"
        if found := re.fullmatch(pattern, name):
            *layers, leaf = found.groups()
            if theirs is None:
                return None
            for layer in layers:
                theirs = theirs.replace("*", layer, 1)
            return theirs + (leaf or "")
    return name


def _useless(names: Names, ours: Iterable[str], tensors: Mapping[str, Stored]) -> list[str]:
    """List the entries of a map that map no weight, or none to a tensor."""
    problems, every = [], list(ours)
    for left, right in names.items():
        mapped = [n for n in every if translated(n, {left: None}) is None]
        made = [translated(n, {left: right}) for n in mapped]
        if not mapped:
            problems.append(f'"{left}": the network has no such weight or module')
        elif right is not None and not any(one in tensors for one in made):
            problems.append(f'"{left}": "{right}": the source has no {made[0]}')
    return problems


# Vocabularies


def rows(ours: Tokenizer, theirs: Tokenizer, there: int) -> list[int | None]:
    """Return for each id the one that the same token has in another tokenizer, or None.

    Special tokens are compared by their roles, all others as they are spelled. A role may have an
    id behind the ``there`` rows of the weights: their model was trained without it.
    """
    roles = {i: role for role, i in ours.vocabulary.specials.items()}
    special = {*theirs.vocabulary.specials.values()}
    known = theirs.backend.get_vocab(with_added_tokens=True)
    found: list[int | None] = []
    for i in range(ours.vocabulary.size):
        if i in roles:
            role = theirs.vocabulary.specials.get(roles[i], there)
            found.append(role if role < there else None)
        else:
            same = known.get(ours.backend.id_to_token(i) or "")
            found.append(None if same in special else same)
    return found


def axes(network: nn.Module, longer: nn.Module) -> dict[str, int]:
    """Return the axis of each weight that counts ids: of one id more, it is longer."""
    pairs = zip(network.named_parameters(), longer.parameters(), strict=True)
    return {
        name: axis
        for (name, weight), other in pairs
        for axis, (a, b) in enumerate(zip(weight.shape, other.shape, strict=True))
        if a != b
    }


# Matching


def match(
    network: nn.Module,
    counted: Mapping[str, int],
    source: Source,
    names: Names,
    tokenizers: tuple[Tokenizer, Tokenizer] | None,
) -> Match:
    """Compare the weights of a network with the tensors of a source, none of which is read.

    ``counted`` are the axes of ids, ``tokenizers`` that of the network and that of the source.
    Raises UsageError if nothing fits, or an entry of the map is of no use, RunError with a line for
    each tensor of another shape.
    """
    weights = dict(network.named_parameters())
    if problems := _useless(names, weights, source.tensors):
        raise UsageError("\n".join(f"--init-map: {line}" for line in problems))
    other = {name: theirs for name in weights if (theirs := translated(name, names)) is not None}
    taken = {name: source.tensors[to] for name, to in other.items() if to in source.tensors}
    there = [one.shape[counted[name]] for name, one in taken.items() if name in counted]
    ids = rows(*tokenizers, min(there)) if tokenizers is not None and there else None
    if ids is not None:  # a network may have more rows than there are tokens
        longest = max(weights[name].shape[axis] for name, axis in counted.items())
        ids += [None] * (longest - len(ids))
    complain(source.name, [
        f"{one.name} is {list(one.shape)}, and the network's {name} {list(weights[name].shape)}"
        for name, one in taken.items()
        if not _fits(one.shape, tuple(weights[name].shape), counted.get(name), ids)
    ])  # fmt: skip
    if not taken:
        raise UsageError(_nothing(source, list(weights)))
    used = {one.name for one in taken.values()}
    unused = [name for name, one in source.tensors.items() if one.name not in used]
    drawn = tuple(name for name in weights if name not in taken)
    fresh = () if tokenizers is None or ids is None else _fresh(tokenizers[0], ids)
    if ids is not None and all(one is None for one in ids):
        raise UsageError(f"{source.name}: no token of its vocabulary is one of this vocabulary")
    return Match(taken, drawn, tuple(unused), ids, counted, fresh)


def _fits(
    found: tuple[int, ...],
    wanted: tuple[int, ...],
    axis: int | None,
    ids: Sequence[int | None] | None,
) -> bool:
    """Return whether a shape is that of a weight, but for the number of ids if these are known."""
    if axis is None or ids is None or len(found) != len(wanted):
        return found == wanted
    rest = [n for n in range(len(wanted)) if n != axis]
    beyond = any(i is not None and i >= found[axis] for i in ids)
    return not beyond and all(found[n] == wanted[n] for n in rest)


def _nothing(source: Source, ours: Sequence[str]) -> str:
    return (
        f"{source.name}: none of its {len(source.tensors)} tensors has the name of a weight of the "
        f"network. It has {_some(list(source.tensors))}; the network has {_some(ours)}. Map names "
        'with --init-map FILE, JSON such as {"backbone.embed": "model.embed_tokens"}'
    )


def _fresh(ours: Tokenizer, ids: Sequence[int | None]) -> tuple[str, ...]:
    size = ours.vocabulary.size
    fresh = [i for i, to in enumerate(ids[:size]) if to is None]
    return tuple(ours.backend.id_to_token(i) or str(i) for i in fresh)


def _some(names: Sequence[str]) -> str:
    return some(names, _SHOWN)


# Loading


def load(network: nn.Module, found: Match, seed: int) -> None:
    """Copy the tensors of a match into a network.  Raises RunError for one that is not finite.

    Rows of tokens that the source lacks are drawn by the mean and the standard deviation of the
    others.
    """
    weights, generator = dict(network.named_parameters()), torch.Generator().manual_seed(seed)
    files: dict[Path, dict[str, list[str]]] = {}
    for name, one in found.taken.items():
        files.setdefault(one.file, {}).setdefault(one.name, []).append(name)
    with torch.no_grad():
        for file, wanted in sorted(files.items()):
            for theirs, tensor in read(file, wanted):
                check_finite(tensor, theirs, file)
                for name in wanted[theirs]:
                    axis = found.axes.get(name)
                    if axis is not None and found.rows is not None:
                        tensor = by_token(tensor.float(), found.rows, axis, generator)
                    weights[name].copy_(tensor)


# Reports


def report(found: Match, source: Source) -> dict[str, Any]:
    """Return what was loaded and what was not, as JSON."""
    tokens = None
    if found.rows is not None:
        known = sum(one is not None for one in found.rows)
        tokens = {"of": known + len(found.fresh), "drawn": list(found.fresh)}
    return {
        "source": source.name,
        "weights": source.origin,
        "loaded": {name: one.name for name, one in found.taken.items()},
        "drawn": list(found.drawn),
        "unused": list(found.unused),
        "tokens": tokens,
    }


def lines(found: Match, source: Source, network: nn.Module) -> list[str]:
    """Describe what was loaded and what was not, for the log."""
    weights = dict(network.named_parameters())
    size = sum(weight.numel() for weight in weights.values())
    here = sum(weights[name].numel() for name in found.taken)
    said = [
        f"weights from {source.origin}: {len(found.taken)} of {len(weights)} tensors, "
        f"{here:,} of {size:,} numbers"
    ]
    if found.drawn:
        said.append(f"not there, and initialised afresh: {_some(found.drawn)}")
    if found.unused:
        said.append(f"there, and not used: {_some(found.unused)}")
    if found.rows is None:
        said.append("no tokenizer is beside these weights: rows of tokens are taken by their ids")
    elif found.fresh:
        known = sum(one is not None for one in found.rows)
        said.append(
            f"{known} of {known + len(found.fresh)} tokens are in its "
            f"vocabulary; drawn afresh: {_some(found.fresh)}"
        )
    else:
        known = sum(one is not None for one in found.rows)
        said.append(f"all {known} tokens are in its vocabulary")
    return said

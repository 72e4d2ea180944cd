"""Files of weights: safetensors in one file, or in shards with an index; nothing pickled."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from xlm_runtime.system.errors import RunError
from xlm_runtime.system.reader import damaged, read_object

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
ANEW = "get it anew, or use other weights"
_LINES = 10  # of a list of mistakes


def where_in(folder: Path) -> dict[str, Path]:
    """Return the file of each tensor."""
    if (folder / INDEX).is_file():
        return _indexed(folder)
    if (folder / SINGLE).is_file():
        with reading(folder / SINGLE) as file:
            return dict.fromkeys(file.keys(), folder / SINGLE)
    pickled = any(folder.glob("pytorch_model*.bin"))
    why = "; its pytorch_model*.bin is pickled code, which is never executed" if pickled else ""
    raise RunError(f"{folder} has neither {SINGLE} nor {INDEX}{why}")


def _indexed(folder: Path) -> dict[str, Path]:
    """Read the index; report files and tensors that it lists and that do not exist."""
    index = read_object(folder / INDEX, ANEW).get("weight_map")
    if not isinstance(index, dict) or not all(isinstance(f, str) for f in index.values()):
        raise damaged(folder / INDEX, "it has no weight_map of names and files", ANEW)
    problems = []
    for name in sorted(set(index.values())):
        file, wanted = folder / name, {t for t, f in index.items() if f == name}
        if Path(name).name != name:
            problems.append(f"{INDEX} lists {name}, which is not a file beside it")
        elif not file.is_file():
            problems.append(f"{name} is missing, and with it {len(wanted)} tensors")
        else:
            with reading(file) as opened:
                absent = sorted(wanted - set(opened.keys()))
            problems += [f"{name} has no {tensor}, although {INDEX} lists it" for tensor in absent]
    complain(folder, problems)
    return {tensor: folder / name for tensor, name in index.items()}


def reading(file: Path) -> Any:
    """Open a file of weights.  Raises RunError."""
    try:
        return safe_open(str(file), framework="pt")
    except (SafetensorError, OSError) as error:
        raise RunError(
            f"{file} cannot be read as safetensors, it may be cut off: {error}"
        ) from error


def read(file: Path, names: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
    """Read some tensors of a file, one at a time."""
    with reading(file) as opened:
        for name in names:
            yield name, opened.get_tensor(name)


def complain(where: Path | str, problems: list[str]) -> None:
    """Raise RunError with the first of some problems, if there are any."""
    if problems:
        more = [f"and {len(problems) - _LINES} more"] if len(problems) > _LINES else []
        raise RunError("\n".join(f"{where}: {p}" for p in [*problems[:_LINES], *more]))


def lengthened(
    tensor: Tensor, rows: int, axis: int = 0, generator: torch.Generator | None = None
) -> Tensor:
    """Append entries along an axis, drawn by the mean and the standard deviation of the others."""
    if tensor.shape[axis] == rows:
        return tensor
    mean = tensor.mean(axis, keepdim=True)
    spread = tensor.std(axis, correction=0, keepdim=True)
    shape = [*tensor.shape]
    shape[axis] = rows - tensor.shape[axis]
    more = mean + spread * torch.randn(shape, generator=generator)
    return torch.cat([tensor, more.to(tensor.dtype)], axis)


def by_token(
    tensor: Tensor, ids: Sequence[int | None], axis: int, generator: torch.Generator
) -> Tensor:
    """Return a tensor whose entries along an axis are those of the same tokens."""
    pairs = [(i, other) for i, other in enumerate(ids) if other is not None]
    ours, theirs = (torch.tensor(side) for side in zip(*pairs, strict=True))
    kept = tensor.index_select(axis, theirs)
    fresh = [i for i, other in enumerate(ids) if other is None]
    drawn = lengthened(kept, len(ids), axis, generator)
    places = torch.cat([ours, torch.tensor(fresh, dtype=torch.long)])
    return torch.empty_like(drawn).index_copy(axis, places, drawn)


def check_finite(weight: Tensor, name: str, file: Path) -> None:
    """Check that all numbers of a weight are finite.  Raises RunError."""
    wrong = int((~weight.isfinite()).sum())
    if wrong:
        raise RunError(
            f"{file}: {wrong} of the {weight.numel()} numbers of {name} are not finite: the file "
            "is damaged, or the training that made it failed; get it anew, or use other weights"
        )

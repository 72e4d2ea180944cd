"""The second network of a package, whose weights no fit changes: it answers each text once."""

from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

_MOST = 32  # batches that are kept

Key = tuple[tuple[int, Any], ...]


class Second:
    """A second network that keeps its answers for batches that come many times."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._kept: dict[Key, tuple[tuple[Tensor | None, ...], Any]] = {}

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the network."""
        return getattr(self._network, name)

    def __call__(self, *inputs: Tensor | None) -> Any:
        """Return the answer; a tensor that is kept never changes, and no other has its place."""
        key = tuple(
            (0, None) if x is None else (x.data_ptr(), (x.shape, x.stride())) for x in inputs
        )
        if key not in self._kept:
            if len(self._kept) == _MOST:
                self._kept.clear()
            self._kept[key] = (inputs, self._answer(*inputs))
        return self._kept[key][1]

    def _answer(self, *inputs: Tensor | None) -> Any:
        """Return the answer for a batch, from those for its distinct rows."""
        parts = [x.reshape(len(x), -1).long() for x in inputs if x is not None]
        distinct, rows = torch.unique(torch.cat(parts, 1), dim=0, return_inverse=True)
        first = torch.empty(len(distinct), dtype=torch.long)
        first[rows] = torch.arange(len(rows))
        return _picked(self._network(*(None if x is None else x[first] for x in inputs)), rows)


def _picked(answer: Any, rows: Tensor) -> Any:
    """Select rows of an answer, a tensor or a dataclass of tensors."""
    if isinstance(answer, Tensor):
        return answer[rows]
    return replace(answer, **{f.name: getattr(answer, f.name)[rows] for f in fields(answer)})

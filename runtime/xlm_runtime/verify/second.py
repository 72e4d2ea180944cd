"""The second network of a package, whose weights no fit changes: it answers each text once."""

from typing import Any

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
            self._kept[key] = (inputs, self._network(*inputs))
        return self._kept[key][1]

"""The results of a package's functions: losses, likelihoods, and decoded batches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xlm_runtime.shapes import Bool, Float, Int, Tensor

Record = bool | Callable[[Tensor], object]


class History:
    """The states that a decoder passes, each of shape (batch, width).

    They are kept if ``record`` is true, and given to it one by one, and not kept, if it is a
    function.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self._kept: list[Tensor] = []

    def add(self, state: Tensor) -> None:
        """Keep a state, or show it."""
        if callable(self.record):
            self.record(state)
        elif self.record:
            self._kept.append(state)

    @property
    def states(self) -> tuple[Tensor, ...]:
        """The states that were kept."""
        return tuple(self._kept)


@dataclass(frozen=True)
class Losses:
    """The loss of a batch: the scalar to minimise and the terms that add up to it.

    over: the number that costs were divided by, at least by 1. Losses of parts of a batch, weighted
        by it, have the loss of the whole batch as their mean.
    """

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, ""]]
    over: Int[Tensor, ""] | int


@dataclass(frozen=True)
class Nelbo:
    """An unbiased one-draw estimate of -log p of each example, in nats, given `Layout.given`."""

    nats: Float[Tensor, " batch"]


@dataclass(frozen=True)
class Decoded:
    """A decoded batch: ids, the positions inside the brackets, calls per row, states passed."""

    x: Int[Tensor, "batch length"]
    body: Bool[Tensor, "batch length"]
    nfe: Int[Tensor, " batch"]
    history: tuple[Int[Tensor, "batch width"], ...] = ()

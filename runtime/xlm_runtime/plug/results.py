"""The results of a package's functions: losses, likelihoods, and decoded batches."""

from collections.abc import Mapping
from dataclasses import dataclass

from xlm_runtime.shapes import Bool, Float, Int, Tensor


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

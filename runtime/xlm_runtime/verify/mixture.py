"""Weighted sums of a table's rows, for places that are looked up many times."""

import warnings
from typing import Any

import torch

from xlm_runtime.shapes import Float, Int, Tensor


class Mixture:
    """A fixed sparse matrix: the weighted sum of rows at each place.

    Both products are those of a compressed matrix, many times as fast as gathering rows, and as
    adding up the slopes of places row by row.
    """

    def __init__(
        self,
        index: Int[Tensor, "places terms"],
        weights: Float[Tensor, "places terms"],
        rows: int,
    ) -> None:
        places = torch.arange(len(index)).repeat_interleave(index.shape[1])
        self.to_places = _compressed(places, index.flatten(), weights, (len(index), rows))
        self.to_rows = _compressed(index.flatten(), places, weights, (rows, len(index)))

    def __call__(self, rows: Float[Tensor, "rows width"]) -> Float[Tensor, "places width"]:
        """Return the sums of rows at all places."""
        found: Tensor = _Sums.apply(rows, self)  # type: ignore[no-untyped-call]
        return found


class _Sums(torch.autograd.Function):
    """The product with a mixture, and its slope."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, mixture: Mixture) -> Tensor:
        """Return the sums of rows at all places."""
        ctx.mixture = mixture
        return mixture.to_places @ rows

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        """Return the slope of each row, and none of the weights."""
        return ctx.mixture.to_rows @ slopes[0], None


def _compressed(rows: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return a matrix in compressed rows."""
    places = torch.stack([rows, columns])
    whole = torch.sparse_coo_tensor(places, values.flatten(), shape, check_invariants=True)
    with warnings.catch_warnings():  # torch names the layout a beta; no more than products are used
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return whole.to_sparse_csr()

"""Places of a row: their choice, and the values at them."""

import torch
from torch.nn import functional as F

from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor


def spread(
    values: Float[Tensor, " places"] | Int[Tensor, " places"], places: Bool[Tensor, "batch length"]
) -> Float[Tensor, "batch length"]:
    """Place the values of some places at their positions, in float64; 0 elsewhere."""
    wide = torch.zeros(places.shape, dtype=torch.float64, device=places.device)
    return wide.masked_scatter(places, values.double())


def mean(
    values: Float[Tensor, "batch length"], places: Bool[Tensor, "batch length"]
) -> Float[Tensor, " batch"]:
    """Return the mean of the values at some places of each row; 0 if it has none."""
    return values.masked_fill(~places, 0).sum(1) / places.sum(1).clamp(min=1)


def weighted(
    values: Float[Tensor, "batch length"], weights: Float[Tensor, "batch length"]
) -> Float[Tensor, " batch"]:
    """Return the mean of the values of each row by weights of at least 0; 0 if these are all 0."""
    total = weights.sum(1)
    return (values * weights).sum(1) / total.where(total > 0, 1)


def first(
    score: Float[Tensor, "batch length"],
    candidates: Bool[Tensor, "batch length"],
    count: Int[Tensor, " batch"],
) -> Bool[Tensor, "batch length"]:
    """Return the ``count`` candidates of each row with the highest scores (ties: the leftmost)."""
    score = score.masked_fill(~candidates, -torch.inf)
    rank = score.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return candidates & (rank < count[:, None])


def floored(number: Float[Tensor, "*shape"] | Int[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
    """Round numbers down; what rounding errors keep below a whole number counts as that."""
    slack = 1e-9 if number.dtype == torch.float64 else 4e-7 * number
    return (number + slack).floor().long()


def leftmost(candidates: Bool[Tensor, "batch length"]) -> Float[Tensor, "batch length"]:
    """Return a score of each place that is higher the further left it is."""
    length = candidates.shape[1]
    column = torch.arange(length, dtype=torch.float64, device=candidates.device)
    return -column.expand_as(candidates)


def above(
    score: Float[Tensor, "batch length"],
    candidates: Bool[Tensor, "batch length"],
    threshold: float | Float[Tensor, "batch one"],
) -> Bool[Tensor, "batch length"]:
    """Return the candidates of each row with scores above a threshold, and the best one."""
    best = first(score, candidates, candidates.any(1).long())
    return (candidates & (score > threshold)) | best


def by_error(
    error: Float[Tensor, "batch length"], candidates: Bool[Tensor, "batch length"]
) -> tuple[Float[Tensor, "batch length"], Int[Tensor, "batch length"]]:
    """Sort the errors of each row, candidates before all others; return also their columns.

    One that is no number is the largest, so that even a network of such answers comes to an end.
    """
    known = error.nan_to_num(nan=torch.finfo(error.dtype).max)
    return known.masked_fill(~candidates, torch.inf).sort(dim=1, stable=True)


def surest(
    error: Float[Tensor, "batch length"],
    candidates: Bool[Tensor, "batch length"],
    bound: float | Float[Tensor, "batch one"],
) -> Bool[Tensor, "batch length"]:
    """Return the candidates of each row with the smallest errors, within a bound on their sum.

    The errors of those taken, the largest of them apart, add up to less than ``bound``; one is
    taken whatever its error (Ben-Hamu et al. 2025, arXiv:2505.24857).
    """
    ordered, order = by_error(error, candidates)
    before = ordered.cumsum(1) - ordered  # inf - inf, where no candidate is left, is not below
    taken = before < bound
    taken[:, 0] = True
    return candidates & taken.gather(1, order.argsort(dim=1))


def few_errors(
    error: Float[Tensor, "batch length"],
    candidates: Bool[Tensor, "batch length"],
    bound: float | Float[Tensor, "batch one"],
) -> Bool[Tensor, "batch length"]:
    """Return the candidates of each row with the smallest errors, whose sum is below a bound.

    One is taken whatever its error.
    """
    ordered, order = by_error(error, candidates)
    taken = ordered.cumsum(1) < bound
    taken[:, 0] = True
    return candidates & taken.gather(1, order.argsort(dim=1))


def factored(
    error: Float[Tensor, "batch length"],
    candidates: Bool[Tensor, "batch length"],
    factor: float | Float[Tensor, "batch one"],
) -> Bool[Tensor, "batch length"]:
    """Return the candidates of each row with the smallest errors that a factor allows.

    n of them if n + 1 times the largest of their errors is below ``factor``; one is taken whatever
    its error (Wu et al. 2025, arXiv:2505.22618).
    """
    ordered, order = by_error(error, candidates)
    rank = torch.arange(2, ordered.shape[1] + 2, device=ordered.device)
    taken = rank * ordered < factor
    taken[:, 0] = True
    return candidates & taken.gather(1, order.argsort(dim=1))


def otherwise(
    places: Bool[Tensor, "batch length"], others: Bool[Tensor, "batch length"]
) -> Bool[Tensor, "batch length"]:
    """Return the places of each row, or the others if it has none."""
    return torch.where(places.any(1, keepdim=True), places, others)


def subset(
    u: Float[Tensor, "batch length"],
    candidates: Bool[Tensor, "batch length"],
    count: Int[Tensor, " batch"],
) -> Bool[Tensor, "batch length"]:
    """Draw ``count`` candidates of each row uniformly: those with the smallest u."""
    return first(-u, candidates, count)


def filled(x: Int[Tensor, "rows length"], attend: Attend) -> slice:
    """Return the columns from the first to the last in which some row holds a token."""
    columns = [] if attend is None else attend.any(0).nonzero()[:, 0].tolist()
    return slice(columns[0], columns[-1] + 1) if columns else slice(0, x.shape[1])


def at_special(
    hidden: Float[Tensor, "batch length width"], xt: Int[Tensor, "batch length"], special: int
) -> Float[Tensor, "batch width"]:
    """Return the hidden state of each row at its only special token of this id."""
    place = (xt == special).long().argmax(1)
    return hidden[torch.arange(len(xt), device=xt.device), place]


def left_of(places: Bool[Tensor, "batch length"]) -> Bool[Tensor, "batch length"]:
    """Return the places to the left of some, none of which is the first one of a row."""
    return F.pad(places[:, 1:], (0, 1))


def shifted(
    hidden: Float[Tensor, "batch length width"], attend: Attend
) -> Float[Tensor, "batch length width"]:
    """Return the state to the left of each position, as a model of the next token needs.

    The first token of a document has none to its left and keeps its own.
    """
    left = torch.cat([hidden[:, :1], hidden[:, :-1]], dim=1)
    if attend is None:
        return left
    first = attend.bool() & (attend != F.pad(attend[:, :-1], (1, 0)))
    return torch.where(first[:, :, None], hidden, left)

"""Insertion: the joint distribution of (gap, token).

The gap of position j is the one to its right. Distributions over gaps are computed from the logits
of the open gaps alone, (gaps, vocab), in row-major order of ``open``.
"""

from typing import Any

import torch

from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .costs import Head, Logits, chunk, summed
from .sampling import by_chunk


def joint_nll(
    logits: Float[Tensor, "gaps vocab"],
    open_: Bool[Tensor, "batch length"],
    gap: Int[Tensor, " missing"],
    row: Int[Tensor, " missing"],
    token: Int[Tensor, " missing"],
) -> Float[Tensor, " missing"]:
    """Return -log p(gap, token) of missing tokens: one softmax over all open gaps and tokens.

    ``gap`` is the position of each missing token's gap in its ``row``.
    """
    evidence = at_gaps(logits.logsumexp(-1), open_)
    return evidence.logsumexp(1)[row] - logits[index_of(open_)[row, gap], token]


def joint_cross_entropy(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "gaps width"],
    open_: Bool[Tensor, "batch length"],
    gap: Int[Tensor, " missing"],
    row: Int[Tensor, " missing"],
    token: Int[Tensor, " missing"],
    weight: Float[Tensor, " missing"],
) -> Float[Tensor, ""]:
    """Sum -log p(gap, token) over missing tokens, each times its weight.

    ``hidden`` holds the states at the open gaps; the missing tokens come row by row. The logits of
    whole rows are held at a time, of one at least.
    """
    parts = by_rows(open_, row, chunk(network.vocab.size), len(hidden))
    if len(parts) == 1:
        return (weight * joint_nll(head(hidden), open_, gap, row, token)).sum()

    def descend(i: int, logits: Logits) -> Float[Tensor, ""]:
        rows, _, these = parts[i]
        own, share = row[these] - rows.start, weight[these].to(logits.dtype)
        return descend_joint_nll(logits, open_[rows], gap[these], own, token[these], share)

    return summed(network, head, descend, hidden, [gaps for _, gaps, _ in parts])


def descend_joint_nll(
    logits: Float[Tensor, "gaps vocab"],
    open_: Bool[Tensor, "batch length"],
    gap: Int[Tensor, " missing"],
    row: Int[Tensor, " missing"],
    token: Int[Tensor, " missing"],
    weight: Float[Tensor, " missing"],
) -> Float[Tensor, ""]:
    """Sum weight * -log p(gap, token), see `joint_nll`; its gradient replaces the logits."""
    number = torch.arange(len(open_), device=logits.device)
    own = number.repeat_interleave(open_.sum(1), output_size=len(logits))  # the row of each gap
    index = index_of(open_)[row, gap], token
    top = at_gaps(logits.amax(1), open_).amax(1)
    read = logits[index] - top[row]
    mass = logits.sub_(top[own, None]).exp_().sum(1)
    evidence = at_gaps(mass.log(), open_).logsumexp(1)
    total = torch.zeros_like(top).index_put_((row,), weight, accumulate=True)
    logits.mul_((total / evidence.exp())[own, None]).index_put_(index, -weight, accumulate=True)
    return (weight * (evidence[row] - read)).sum()


@torch.no_grad()
def exact_joint_nll(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "gaps width"],
    open_: Bool[Tensor, "batch length"],
    gap: Int[Tensor, " missing"],
    row: Int[Tensor, " missing"],
    token: Int[Tensor, " missing"],
) -> Float[Tensor, " missing"]:
    """Return -log p(gap, token) of each missing token in float64; see `joint_cross_entropy`."""
    nll = []
    for rows, gaps, these in by_rows(open_, row, chunk(network.vocab.size), len(hidden)):
        own, logits = row[these] - rows.start, head(hidden[gaps]).double()
        nll.append(joint_nll(logits, open_[rows], gap[these], own, token[these]))
    return torch.cat(nll)


def by_rows(
    open_: Bool[Tensor, "batch length"], row: Int[Tensor, " missing"], most: int, total: int
) -> list[tuple[slice, slice, slice]]:
    """Split a batch with ``total`` open gaps into parts of whole rows with ``most``, or of one row.

    Of each part: its rows, their gaps and their missing tokens, as slices of all of them.
    """
    if total <= most:
        return [(slice(0, len(open_)), slice(0, total), slice(0, len(row)))]
    counts = (open_.sum(1), row.bincount(minlength=len(open_)))
    gaps, missing = ([0, *one.cumsum(0).tolist()] for one in counts)
    parts, first = [], 0
    for last in range(1, len(gaps)):
        if last == len(open_) or gaps[last + 1] - gaps[first] > most:
            own = slice(gaps[first], gaps[last]), slice(missing[first], missing[last])
            parts.append((slice(first, last), *own))
            first = last
    return parts


def per_row(
    logits: Float[Tensor, "gaps vocab"], open_: Bool[Tensor, "batch length"]
) -> Float[Tensor, "batch outcomes"]:
    """Return the logits of every (gap, token) of a row side by side, -inf at closed gaps."""
    wide = logits.new_full((*open_.shape, logits.shape[-1]), -torch.inf)
    wide[open_] = logits
    return wide.flatten(1)


def at_gaps(
    values: Float[Tensor, " gaps"], open_: Bool[Tensor, "batch length"]
) -> Float[Tensor, "batch length"]:
    """Place the values of the open gaps at their positions; -inf at closed ones."""
    wide = torch.full(open_.shape, -torch.inf, dtype=values.dtype, device=values.device)
    return wide.masked_scatter(open_, values)


def shares(
    logits: Float[Tensor, "gaps vocab"], open_: Bool[Tensor, "batch length"]
) -> Float[Tensor, "batch length"]:
    """Return the chance of each gap under the joint distribution of its row; 0 of closed ones."""
    return at_gaps(log_mass(logits), open_).softmax(-1)


@by_chunk
def log_mass(logits: Float[Tensor, "gaps vocab"]) -> Float[Tensor, " gaps"]:
    """Return log sum exp of the logits of each gap, in float64."""
    return logits.double().logsumexp(-1)


def index_of(open_: Bool[Tensor, "batch length"]) -> Int[Tensor, "batch length"]:
    """Return the number of each open gap among all of them; 0 at closed ones."""
    return (open_.flatten().cumsum(0).view(open_.shape) - 1) * open_


def of_gap(
    logits: Float[Tensor, "gaps vocab"],
    open_: Bool[Tensor, "batch length"],
    gap: Int[Tensor, " batch"],
) -> Float[Tensor, "batch vocab"]:
    """Return the logits of one open gap of each row: they predict its token, given the gap."""
    return logits[index_of(open_).gather(1, gap[:, None])[:, 0]]

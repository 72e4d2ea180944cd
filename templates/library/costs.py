"""Costs of tokens, summed over places, so many at a time.

No more logits are held than those of a chunk of places, once, also by the backward pass: the
gradient is computed with the sum, chunk by chunk, in the memory of the logits. None are computed
twice.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from xlm_runtime.shapes import Float, Int, Tensor

LOGITS = 2**23  # held at a time, if they are those of 256 places at least
Logits = Float[Tensor, "places vocab"]
Head = Callable[[Float[Tensor, "places width"]], Logits]
Descend = Callable[[int, Logits], Float[Tensor, ""]]


def cross_entropy(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    target: Int[Tensor, " places"],
    weight: Float[Tensor, " places"] | None = None,
) -> Float[Tensor, ""]:
    """Sum -log p(target) over places, each times its weight; p is softmax(head(hidden))."""
    parts = chunks(len(hidden), network.vocab.size)
    if len(parts) == 1:
        nll = F.cross_entropy(head(hidden), target, reduction="none")
        return nll.sum() if weight is None else (weight * nll).sum()
    share = hidden.new_ones(len(hidden)) if weight is None else weight

    def descend(i: int, logits: Logits) -> Float[Tensor, ""]:
        return descend_nll(logits, target[parts[i]], share[parts[i]].to(logits.dtype))

    return summed(network, head, descend, hidden, parts)


def descend_nll(
    logits: Logits, target: Int[Tensor, " places"], weight: Float[Tensor, " places"]
) -> Float[Tensor, ""]:
    """Sum weight * -log p(target), p = softmax(logits); its gradient replaces the logits."""
    index = target[:, None]
    top = logits.amax(1, keepdim=True)
    read = logits.gather(1, index) - top
    mass = logits.sub_(top).exp_().sum(1, keepdim=True)
    logits.mul_(weight[:, None] / mass).scatter_add_(1, index, -weight[:, None])
    return (weight * (mass.log() - read)[:, 0]).sum()


def each_nll(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    target: Int[Tensor, " places"],
) -> Float[Tensor, " places"]:
    """Return -log p(target) of each place; p is softmax(head(hidden)).

    Logits of a chunk of places are held at a time; the backward pass computes them again.
    """

    def cost(states: Tensor, x0: Tensor) -> Tensor:
        return F.cross_entropy(head(states), x0, reduction="none")

    parts = chunks(len(hidden), network.vocab.size)
    if len(parts) == 1:
        return cost(hidden, target)
    pairs = [(hidden[part], target[part]) for part in parts]
    return torch.cat([checkpoint(cost, *one, use_reentrant=False) for one in pairs])


@torch.no_grad()
def exact_nll(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    target: Int[Tensor, " places"],
) -> Float[Tensor, " places"]:
    """Return -log p(target) of each place in float64; p is softmax(head(hidden))."""
    parts = chunks(len(hidden), network.vocab.size)
    logits = (head(hidden[part]).double() for part in parts)
    pairs = zip(logits, parts, strict=True)
    return torch.cat([F.cross_entropy(one, target[part], reduction="none") for one, part in pairs])


Cost = Callable[[Logits, slice], Float[Tensor, " places"]]  # of places, from all their logits


def dense(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    cost: Cost,
    weight: Float[Tensor, " places"] | None = None,
) -> Float[Tensor, ""]:
    """Sum costs over places, each times its weight."""
    parts = chunks(len(hidden), network.vocab.size)
    share = hidden.new_ones(len(hidden), dtype=torch.float64) if weight is None else weight

    def total(i: int, logits: Logits) -> Float[Tensor, ""]:
        return (share[parts[i]] * cost(logits, parts[i])).sum().to(logits.dtype)

    def descend(i: int, logits: Logits) -> Float[Tensor, ""]:
        with torch.enable_grad():
            some = logits.detach().requires_grad_()
            found = total(i, some)
        logits.copy_(torch.autograd.grad(found, some)[0])
        return found.detach()

    if len(parts) == 1:
        return total(0, head(hidden))
    return summed(network, head, descend, hidden, parts)


def exact_dense(
    network: Any, head: Head, hidden: Float[Tensor, "places width"], cost: Cost
) -> Float[Tensor, " places"]:
    """Return the cost of each place in float64."""
    parts = chunks(len(hidden), network.vocab.size)
    return torch.cat([cost(head(hidden[part]).double(), part) for part in parts])


def chunk(vocab: int) -> int:
    """Return the number of places whose logits are held at a time."""
    return max(256, LOGITS // vocab)


def chunks(places: int, vocab: int) -> list[slice]:
    """Split places, one part at least."""
    size = chunk(vocab)
    return [slice(i, i + size) for i in range(0, max(places, 1), size)]


def summed(
    network: nn.Module,
    head: Head,
    descend: Descend,
    hidden: Float[Tensor, "places width"],
    parts: Sequence[slice],
) -> Float[Tensor, ""]:
    """Sum the costs of parts of the places.

    ``descend`` takes the number of a part and its logits, which it replaces by their gradient.
    """
    if not torch.is_grad_enabled():
        costs = [descend(i, head(hidden[part])) for i, part in enumerate(parts)]
        return torch.stack(costs).sum()
    weights = [one for one in network.parameters() if one.requires_grad]
    apply: Callable[..., Tensor] = Summed.apply
    return apply(head, descend, parts, hidden, *weights)


class Summed(torch.autograd.Function):
    """A sum of costs whose gradient is computed with it, for states and weights of the network."""

    @staticmethod
    def forward(
        ctx: Any,
        head: Head,
        descend: Descend,
        parts: Sequence[slice],
        hidden: Tensor,
        *weights: Tensor,
    ) -> Tensor:
        """Add up the costs, and their gradients."""
        costs, states = [], torch.empty_like(hidden)
        sums: list[Tensor | None] = [None] * len(weights)
        for i, part in enumerate(parts):
            with torch.enable_grad():
                some = hidden[part].detach().requires_grad_()
                logits = head(some)
            costs.append(descend(i, logits.detach()))
            with torch.autocast(hidden.device.type, enabled=False):  # it would round the slopes
                states[part], *more = torch.autograd.grad(
                    logits, [some, *weights], logits.detach(), allow_unused=True
                )
            sums = [
                b if a is None or b is None else a.add_(b) for a, b in zip(sums, more, strict=True)
            ]
            del logits, more
        ctx.save_for_backward(states, *sums)
        return torch.stack(costs).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """Scale the gradients."""
        scaled = (None if one is None else slope * one for one in ctx.saved_tensors)
        return (None, None, None, *scaled)

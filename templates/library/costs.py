"""Costs of tokens, summed over places, so many at a time.

No more logits are held than those of a chunk of places, also by the backward pass: the gradient is
computed with the sum, chunk by chunk. No logits are computed twice.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from xlm_runtime.shapes import Float, Int, Tensor

LOGITS = 2**23  # held at a time, if they are those of 256 places at least
Head = Callable[[Float[Tensor, "places width"]], Float[Tensor, "places vocab"]]
Cost = Callable[[int, Float[Tensor, "places width"]], Float[Tensor, ""]]


def cross_entropy(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    target: Int[Tensor, " places"],
    weight: Float[Tensor, " places"] | None = None,
) -> Float[Tensor, ""]:
    """Sum -log p(target) over places, each times its weight; p is softmax(head(hidden))."""
    parts = chunks(len(hidden), network.vocab.size)

    def cost(i: int, some: Float[Tensor, "places width"]) -> Float[Tensor, ""]:
        nll = F.cross_entropy(head(some), target[parts[i]], reduction="none")
        return nll.sum() if weight is None else (weight[parts[i]] * nll).sum()

    return summed(network, cost, hidden, parts)


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


def chunk(vocab: int) -> int:
    """Return the number of places whose logits are held at a time."""
    return max(256, LOGITS // vocab)


def chunks(places: int, vocab: int) -> list[slice]:
    """Split places, one part at least."""
    size = chunk(vocab)
    return [slice(i, i + size) for i in range(0, max(places, 1), size)]


def summed(
    network: nn.Module,
    cost: Cost,
    hidden: Float[Tensor, "places width"],
    parts: Sequence[slice],
) -> Float[Tensor, ""]:
    """Sum the costs of parts of the places: ``cost`` takes the number of a part and its states."""
    if len(parts) == 1:
        return cost(0, hidden)
    if not torch.is_grad_enabled():
        return torch.stack([cost(i, hidden[part]) for i, part in enumerate(parts)]).sum()
    weights = [one for one in network.parameters() if one.requires_grad]
    apply: Callable[..., Tensor] = Summed.apply
    return apply(cost, parts, hidden, *weights)


class Summed(torch.autograd.Function):
    """A sum of costs whose gradient is computed with it, for states and weights of the network."""

    @staticmethod
    def forward(
        ctx: Any, cost: Cost, parts: Sequence[slice], hidden: Tensor, *weights: Tensor
    ) -> Tensor:
        """Add up the costs, and their gradients."""
        values, states = [], []
        sums: list[Tensor | None] = [None] * len(weights)
        for i, part in enumerate(parts):
            with torch.enable_grad():
                some = hidden[part].detach().requires_grad_()
                value = cost(i, some)
            state, *more = torch.autograd.grad(value, [some, *weights], allow_unused=True)
            values.append(value.detach())
            states.append(state)
            sums = [
                b if a is None or b is None else a.add_(b) for a, b in zip(sums, more, strict=True)
            ]
        ctx.save_for_backward(torch.cat(states), *sums)
        return torch.stack(values).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """Scale the gradients."""
        return (None, None, *(None if one is None else slope * one for one in ctx.saved_tensors))

"""Clocks of tokens: their scales, the rates of masks, the slope of a mean cost.

Running back in time, a mask becomes y at the rate h(y) p(y): the hazard of the clock of y, times
the chance of y. The true rate is that of the clean token alone.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from xlm_runtime.shapes import Float, Int, Tensor

from .costs import Head, chunks
from .schedule import hazard

WIDEST = math.log(4)  # of the logarithm of a scale


def scale(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return numbers between 1/4 and 4, 1 at 0."""
    return torch.exp(WIDEST * torch.tanh(x / WIDEST))


def masks_cost(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    target: Int[Tensor, " places"],
    t: Float[Tensor, " places"],
) -> Float[Tensor, " places"]:
    r"""Return the divergence of the rates of each mask from the true one, for a unit of time.

    .. math::

        \sum_y \hat r(y) - r(y) + r(y) \log \frac{r(y)}{\hat r(y)}
        = \sum_y h(y) \, p(y) - h(x_0) \, (1 + \log p(x_0))

    Logits of a chunk of places are held at a time; the backward pass computes them again.
    """
    clock = network.clocks.every()

    def cost(states: Tensor, x0: Tensor, time: Tensor) -> Tensor:
        log_p = head(states).log_softmax(-1)
        rate = hazard(time[:, None], clock)  # places vocab
        total = (log_p.exp() * rate).sum(-1)
        return total - _at(rate, x0) * (1 + _at(log_p, x0))

    parts = chunks(len(hidden), network.vocab.size)
    if len(parts) == 1:
        return cost(hidden, target, t)
    each = [(hidden[part], target[part], t[part]) for part in parts]
    return torch.cat([checkpoint(cost, *one, use_reentrant=False) for one in each])


@torch.no_grad()
def exact_masks_cost(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    target: Int[Tensor, " places"],
    t: Float[Tensor, " places"],
) -> Float[Tensor, " places"]:
    """Return the cost of each mask in float64."""
    return masks_cost(network, lambda states: head(states).double(), hidden, target, t)


def _at(values: Float[Tensor, "places vocab"], token: Int[Tensor, " places"]) -> Tensor:
    """Return the value of the token of each place."""
    return values.gather(1, token[:, None])[:, 0]


def of_pair(
    costs: Sequence[Float[Tensor, " batch"]], chances: Sequence[Float[Tensor, " batch"]]
) -> Float[Tensor, ""]:
    r"""Sum the mean costs of two corruptions of each row; its slope is that of the expected cost.

    .. math::

        \nabla E_q[L] = E_q[\nabla L] + E_q[L \, \nabla \log q], \quad
        E_q[L \, \nabla \log q] = \frac{1}{2} \, E_q \big[
        (L_1 - L_2) \, (\nabla \log q_1 - \nabla \log q_2) \big]

    ``chances`` are log q. The two are drawn independently at one time, and their difference varies
    far less than either (Kool et al. 2019, Buy 4 REINFORCE samples, get a baseline for free).
    """
    (first, second), (log_first, log_second) = costs, chances
    lead = (first - second).detach() * (log_first - log_second)
    return ((first + second + lead - lead.detach()) / 2).sum()

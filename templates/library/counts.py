"""Numbers of missing tokens: what a wrong expectation costs, and draws of numbers."""

import math

import torch

from xlm_runtime.shapes import Float, Int, Tensor


def poisson_cost(
    mean: Float[Tensor, "*shape"], number: Float[Tensor, "*shape"] | Int[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """Return mean - n + n log(n / mean): at least 0, and 0 if the number n equals the mean.

    The relative entropy of a Poisson process of the rate n to one of the given rate, up to the
    common time. A rate of 0 is taken for 1e-30, so that an impossible number has a large, finite
    cost.
    """
    mean = mean.clamp(min=1e-30)
    n = number.to(mean.dtype)
    return mean - n + n * (n.clamp(min=1e-30) / mean).log()


def poisson(mean: Float[Tensor, "*shape"], u: Float[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
    """Draw a Poisson number of a given mean by inverting its distribution at u in [0, 1)."""
    mean = mean.double()
    most = mean + 12 * mean.sqrt() + 40  # beyond it nothing is left that float64 could tell from 0
    number = torch.zeros(u.shape, dtype=torch.long, device=u.device)
    passed, k = (-mean).exp().expand_as(u), 0  # the chance of at most k
    while (more := (u >= passed) & (k < most)).any():
        k += 1
        number += more
        passed = passed + (k * mean.log() - mean - math.lgamma(k + 1)).exp()
    return number


def expected(logits: Float[Tensor, "*shape counts"]) -> Float[Tensor, "*shape"]:
    """Return the mean of the distribution softmax(logits) over 0, 1, 2, ..."""
    number = torch.arange(logits.shape[-1], dtype=torch.float64, device=logits.device)
    return logits.double().softmax(-1) @ number


def alike(*keys: Int[Tensor, " tokens"]) -> Float[Tensor, " tokens"]:
    """Return for each of some tokens the number of those with the same keys, itself included."""
    group: Tensor = torch.unique(torch.stack(keys), dim=1, return_inverse=True)[1]
    return group.bincount()[group].double()

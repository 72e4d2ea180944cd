"""The likelihood of each example in nats, averaged over the noise of its family."""

from collections.abc import Callable, Sequence
from math import nan, sqrt

import torch
from attrs import frozen

from xlm_runtime.model import strata
from xlm_runtime.model.model import Model
from xlm_runtime.plug import Batch, Example
from xlm_runtime.shapes import Float, Tensor

SEED = 0x5EED  # of every evaluation, whatever the seed of the run
Tick = Callable[[int], object]


@frozen
class Estimate:
    """The NELBO of some examples, in nats, with the standard error that the noise leaves in each.

    estimator: the average that was taken, in words.
    """

    nats: list[float]
    errors: list[float]
    estimator: str


@torch.no_grad()
def estimate(
    model: Model, examples: Sequence[Example], size: int, draws: int, tick: Tick, *, every: bool
) -> Estimate:
    """Average the one-draw estimates of each example: over ``every`` noise, or over ``draws``.

    Raises ValueError if the family has no likelihood.
    """
    if model.family.nelbo is None:
        raise ValueError(f"{model.family.name} has no likelihood: {model.family.claim.why}")
    noisy = model.family.corrupt is not None
    draws = draws if noisy else 1
    nats: list[float] = []
    errors: list[float] = []
    for _, batch in model.batches(examples, size):
        means, spread = _averaged(model, batch, draws, every=every)
        nats += means.tolist()
        errors += [0.0] * len(means) if every or not noisy else _errors(spread, draws)
        tick(len(nats))
    return Estimate(nats, errors, _words(noisy, draws, every=every))


def _averaged(
    model: Model, batch: Batch, draws: int, *, every: bool
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Return the mean of each row, and the sum of the squared differences of successive draws."""
    nelbo = model.family.nelbo
    assert nelbo is not None  # `estimate` has refused that
    noises = strata.every(SEED, batch) if every else strata.spread(SEED, batch, draws)
    total, spread = torch.zeros(2, len(batch.x0), dtype=torch.float64, device=model.device)
    before = None
    for noise, weight in noises:
        found = nelbo(model.network, batch, noise).nats
        total += torch.where(weight > 0, weight * found, 0)
        spread += 0 if before is None else (found - before).double() ** 2
        before = found
    return total, spread


def _errors(spread: Float[Tensor, " batch"], draws: int) -> list[float]:
    """Return standard errors of means of draws in equal strata, one draw in each.

    The variance of a mean of n such draws is estimated by the squares of their n - 1 successive
    differences, over 2 n (n - 1), which exceeds it by the differences of the strata (Wolter 2007,
    Introduction to Variance Estimation, section 8.2).
    """
    if draws < 2:
        return [nan] * len(spread)
    return [sqrt(one / (2 * draws * (draws - 1))) for one in spread.tolist()]


def _words(noisy: bool, draws: int, *, every: bool) -> str:
    if every:
        return "every number and set of noised tokens"
    if not noisy:
        return "exact, nothing is drawn"
    return f"draws of noise for each example: {draws}, their amounts spread"


def enumerable(
    model: Model, examples: Sequence[Example], size: int, *, alone: bool = False
) -> bool:
    """Return whether few tokens are free in every example, and the noise depends on order alone.

    Where a likelihood draws a time, a part of the amounts is no number of noised tokens. With
    ``alone`` nothing else may be drawn either, so that the average over all noise has no error.
    """
    family = model.family
    if family.clocks or family.learned or family.corrupt is None:
        return False
    batches = model.batches(examples, size)
    if not all(int(batch.free.sum(1).max()) <= strata.FEW for _, batch in batches):
        return False
    nelbo, (_, batch) = model.family.nelbo, next(model.batches(examples, size))
    if nelbo is None:
        return False
    streams = strata.streams(lambda noise: nelbo(model.network, batch, noise), batch)
    return "corrupt" in streams and not (alone and streams - {"corrupt", "amount"})

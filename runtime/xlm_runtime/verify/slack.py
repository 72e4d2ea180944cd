r"""The value of a two-clock bound for the best heads, by enumerating all noised states.

No code of a package is used but its two clocks: with c the chance that a clock has not fired, a
token is gone at t with the chance :math:`c_\beta(t) / c_\beta(1)`, and a mask with

.. math:: \int_t^1 \frac{c_\beta'(s)}{c_\beta(1)} \frac{c_\alpha(t)}{c_\alpha(s)} ds

The best heads predict the averages given the state and the time, so that the bound is

.. math::

    \int_0^1 E \Big[ \frac{c_\alpha'}{c_\alpha} \sum_{i\,\mathrm{masked}} H(x_i \mid x_t)
    + \frac{c_\beta'}{c_\beta}
    \sum_g \big(E[n_g \log n_g \mid x_t] - \hat n_g \log \hat n_g\big) \Big] dt
"""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import torch
from attrs import frozen

from xlm_runtime.shapes import Tensor
from xlm_runtime.verify.bench import Bench

Clock = Callable[[Tensor], Tensor]
_CLEAN, _MASK, _GONE = range(3)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


@frozen
class Seen:
    """One way in which an example can be seen.

    state: the ids that are left, a mask being -1. counts: tokens that are clean, masked and gone.
    hidden: the token behind each mask. missing: how many tokens are gone after each that is left.
    """

    chance: float
    state: tuple[int, ...]
    counts: tuple[int, int, int]
    hidden: tuple[int, ...]
    missing: tuple[int, ...]


def best(bench: Bench, low: float = 0.0, high: float = 1.0) -> float:
    """Return the mean of the bound over a toy's data in nats, with the best possible heads.

    ``low``, ``high``: the part of the clock that is integrated over.
    """
    alpha, beta = bench.family.clocks
    ways = list(_ways(bench))
    groups: dict[tuple[int, ...], list[Seen]] = {}
    for way in ways:
        groups.setdefault(way.state, []).append(way)
    start, width, found = low**0.5, high**0.5 - low**0.5, 0.0
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        root = start + (node + 1) / 2 * width  # t = root^2: rates are high near t = 0
        shares = fates(alpha, beta, root**2)
        rates = (_rate(alpha, root**2), _rate(beta, root**2))
        costs = sum(_costs(group, shares, rates) for group in groups.values())
        found += weight * width * root * costs
    return found


def _ways(bench: Bench) -> Iterator[Seen]:
    """Yield every noised state of every example of the toy."""
    batch, pad = bench.layout(bench.toy.outcomes), bench.vocab["pad"]
    units = sum(bench.toy.units)
    rows = zip(batch.x0.tolist(), batch.free.tolist(), bench.toy.units, strict=True)
    for ids, free, share in rows:
        tokens = [(i, f) for i, f in zip(ids, free, strict=True) if f or i != pad]
        for fates in product(*((_CLEAN, _MASK, _GONE) if f else (_CLEAN,) for _, f in tokens)):
            yield _seen(share / units, tokens, fates)


def _seen(chance: float, tokens: list[tuple[int, bool]], fates: tuple[int, ...]) -> Seen:
    state, hidden, missing = [], [], [0]
    own = [fate for (_, free), fate in zip(tokens, fates, strict=True) if free]
    for (token, _), fate in zip(tokens, fates, strict=True):
        if fate == _GONE:
            missing[-1] += 1
            continue
        state.append(-1 if fate == _MASK else token)
        missing.append(0)
        if fate == _MASK:
            hidden.append(token)
    counts = (own.count(_CLEAN), own.count(_MASK), own.count(_GONE))
    return Seen(chance, tuple(state), counts, tuple(hidden), tuple(missing))


def fates(alpha: Clock, beta: Clock, t: float) -> tuple[float, float, float]:
    """Return the chances that a free token is clean, a mask, or dropped at t."""
    s = torch.from_numpy(t ** ((1 - _NODES) / 2))  # dense near t, where masks are fresh
    slope = (_rate_of(beta, s) * beta(s)).numpy() / _at(beta, 1.0)
    stays = _at(alpha, t) / alpha(s).numpy()
    masked = float((_WEIGHTS * slope * stays * s.numpy()).sum() * -np.log(t) / 2)
    gone = _at(beta, t) / _at(beta, 1.0)
    return 1 - masked - gone, masked, gone


def _at(clock: Clock, t: float) -> float:
    return float(clock(torch.tensor(t, dtype=torch.float64)))


def _rate(clock: Clock, t: float) -> float:
    return float(_rate_of(clock, torch.tensor([t], dtype=torch.float64)))


def _rate_of(clock: Clock, t: Tensor) -> Tensor:
    """Return the rate at which a clock fires, running back: the slope of log c."""
    with torch.enable_grad():
        t = t.clone().requires_grad_()
        (slope,) = torch.autograd.grad(clock(t).log().sum(), t)
    return slope


def _costs(
    group: list[Seen], chances: tuple[float, float, float], rates: tuple[float, float]
) -> float:
    """Return the cost of one state at one time, times the chance of the state."""
    mass = np.array([way.chance * np.prod(np.power(chances, way.counts)) for way in group])
    total = mass.sum()
    if total <= 0:
        return 0.0
    share = mass / total
    hidden = np.array([way.hidden for way in group])
    missing = np.array([way.missing for way in group], dtype=float)
    tokens = sum(_entropy(column, share) for column in hidden.T)
    mean = share @ missing
    gaps = float((share @ _times_log(missing) - _times_log(mean)).sum())
    return float(total * (rates[0] * tokens + rates[1] * gaps))


def _entropy(column: np.ndarray, share: np.ndarray) -> float:
    found = [share[column == token].sum() for token in np.unique(column)]
    return -float(_times_log(np.array(found)).sum())


def _times_log(x: np.ndarray) -> np.ndarray:
    """Return x log x, which is 0 at 0."""
    return x * np.log(np.where(x > 0, x, 1.0))

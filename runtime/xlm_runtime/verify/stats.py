"""Statistical tests at a stated rate of error."""

from collections.abc import Sequence
from functools import cache
from math import log, sqrt

import numpy as np
from attrs import frozen

ERROR = 1e-3  # the chance that one verdict refutes what is true; a run gives about ten such
_SIMULATED = 3_999  # exchangeable with what is tested: the k-th largest is exceeded with k / 4000
_ERRORS = 4.1  # standard errors of a mean of 16: exceeded once in 1 / `ERROR`, by Student's t


@frozen
class Null:
    """Distances of perfect samples from their distribution: the mean, the quantile 1 - `ERROR`."""

    mean: float
    high: float


def null(groups: Sequence[tuple[int, Sequence[float]]], seed: int) -> Null:
    """Simulate a perfect sampler: for each group the number of draws, and their distribution."""
    return _simulated(tuple((draws, tuple(law)) for draws, law in groups), seed)


@cache
def _simulated(groups: tuple[tuple[int, tuple[float, ...]], ...], seed: int) -> Null:
    rng = np.random.default_rng(seed)
    total, distance = sum(draws for draws, _ in groups), np.zeros(_SIMULATED)
    for draws, law in groups:
        p = np.array(law) / sum(law)
        counts = rng.multinomial(draws, p, _SIMULATED)
        distance += np.abs(counts - draws * p).sum(1) / 2 / total
    beyond = round(ERROR * (_SIMULATED + 1))
    return Null(float(distance.mean()), float(np.sort(distance)[-beyond]))


def mean(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean of independent values, and a margin exceeded once in 1 / `ERROR`."""
    found = np.asarray(values, float)
    return float(found.mean()), _ERRORS * float(found.std(ddof=1)) / len(found) ** 0.5


def reach(draws: int) -> float:
    """Bound the deviation of a distance from its mean, with an error of `ERROR`.

    By McDiarmid's inequality, as one draw changes a distance by at most 1 / draws.
    """
    return sqrt(log(1 / ERROR) / (2 * draws))

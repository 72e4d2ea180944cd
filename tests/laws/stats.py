"""Statistical tests at one stated rate of error: 1e-6 for each, two-sided where it has two sides.

Seeds are fixed, so that a law that passes keeps passing.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

ERROR = 1e-6
SIGMAS = 4.9  # what a normal variable exceeds, on either side, with a chance of 1e-6


def chi_square(counts: Sequence[float], chances: Sequence[float]) -> float:
    """The chance of counts at least as far from their expectations; rare cells are merged."""
    seen, law = np.asarray(counts, float), np.asarray(chances, float)
    assert abs(law.sum() - 1) < 1e-9, f"the chances add up to {law.sum()}"
    assert not seen[law == 0].any(), "something happened that cannot"
    order = np.argsort(law)
    expected = law[order] * seen.sum()
    rare = int(np.searchsorted(expected.cumsum(), 8.0, side="left")) + 1
    cells = [(seen[order][:rare].sum(), expected[:rare].sum())]
    cells += list(zip(seen[order][rare:], expected[rare:], strict=True))
    statistic = sum((a - b) ** 2 / b for a, b in cells if b > 0)
    freedom = len(cells) - 1
    if freedom < 1:
        return 1.0
    half = torch.tensor([freedom / 2, statistic / 2], dtype=torch.float64)
    return float(torch.special.gammaincc(half[0], half[1]))


def follows(counts: Sequence[float], chances: Sequence[float]) -> None:
    """Counts are draws from a law."""
    chance = chi_square(counts, chances)
    assert chance > ERROR, f"p = {chance:.1e}: {list(counts)} are no draws from {list(chances)}"


def samples_of(found: Mapping[object, int], law: Mapping[object, float]) -> None:
    """Outcomes are draws from a law over outcomes."""
    strange = set(found) - set(law)
    assert not strange, f"impossible outcomes: {sorted(map(str, strange))[:5]}"
    keys = list(law)
    follows([found.get(key, 0) for key in keys], [law[key] for key in keys])


def mean_is(values: torch.Tensor, expected: float) -> None:
    """The mean of independent draws is as expected."""
    values = values.double()
    error = float(values.std()) / len(values) ** 0.5
    off = abs(float(values.mean()) - expected)
    assert off <= SIGMAS * error + 1e-12, f"{float(values.mean())} is not {expected} +- {error:.1g}"


def distance(found: Mapping[object, float], law: Mapping[object, float]) -> float:
    """Return the total variation between outcomes, counted or with their chances, and a law."""
    total = sum(found.values())
    return sum(abs(found.get(x, 0) / total - law.get(x, 0)) for x in {*found, *law}) / 2


def near(found: Mapping[object, int], law: Mapping[object, float]) -> None:
    """The total variation between draws and their law is one that draws have.

    Its mean is at most sqrt(cells / draws) / 2, and each draw moves it by at most 1 / draws
    (McDiarmid): above the bound it is with a chance of at most ERROR.
    """
    draws = sum(found.values())
    far = distance(found, law)
    bound = (len(law) / draws) ** 0.5 / 2 + (np.log(1 / ERROR) / (2 * draws)) ** 0.5
    assert far <= bound, f"total variation {far:.4f} > {bound:.4f} at {draws} draws"

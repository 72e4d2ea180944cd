"""The law that samples ought to follow, and sums of chances that are known with noise."""

from pathlib import Path

import numpy as np
import pytest

from xlm_runtime.packages.package import load
from xlm_runtime.verify.bench import Bench, Settings
from xlm_runtime.verify.law import starts
from xlm_runtime.verify.likelihood import _sum
from xlm_runtime.verify.toys import toys, vocabulary

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["udlm", "gidd", "mdlm"])
def test_a_start_tells_the_length_and_no_more(name: str) -> None:
    """Random tokens that a decoder begins with are its own: nothing of the text is known."""
    family = load(EXAMPLES / name).family
    toy = next(one for one in toys(family.layouts) if one.name == "mixed")
    found = starts(Bench(family, vocabulary(family.specials), toy, Settings()))
    lengths = [len(example.body) for example in toy.outcomes]
    assert len({*found}) == len({*lengths}) < len(found)
    assert [len(start) - min(map(len, found)) for start in found] == lengths


def test_a_sum_of_chances_is_not_too_high_for_noisy_estimates() -> None:
    """Of chances 1/2, 1/4, 1/4 whose logarithms are known to .5: exp of each alone gives 1.13."""
    rng, nats = np.random.default_rng(1), -np.log([0.5, 0.25, 0.25])
    draws = [nats + 0.5 * rng.normal(size=(16, 3)) for _ in range(2000)]
    sums = [_sum(one) for one in draws]
    plain = [float(np.exp(-one).sum(1).mean()) for one in draws]
    assert np.mean(plain) == pytest.approx(np.exp(0.125), abs=0.01)
    assert np.mean([total for total, _ in sums]) == pytest.approx(1, abs=0.005)
    beyond = [abs(total - 1) > margin for total, margin in sums]
    assert sum(beyond) < 12  # of 2, at an error of 1e-3

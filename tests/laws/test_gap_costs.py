"""The likelihood of insertions on a clock is a bound, and tight where no text repeats a token."""

from itertools import combinations
from math import log

import numpy as np
import pytest
import torch
from laws.build import VOCAB, A, B
from laws.decoded import every
from laws.examples import MIXED, one
from laws.inserted import APART, alpha, exact, expected
from laws.scripted import Scripted, repeat

BOUNDED = ["gone_rates", "gone_pairs"]


def nats(package, heads, body, points=400):
    """The bound of one text, over a grid of times and every corruption."""
    batch = one(package, body)
    free = batch.free[0].nonzero()[:, 0].tolist()
    every = [gone for k in range(len(free) + 1) for gone in combinations(free, k)]
    amount = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    u = torch.full((len(every), batch.x0.shape[1]), 1 - 2.0**-53, dtype=torch.float64)
    for i, gone in enumerate(every):
        u[i, list(gone)] = 0.0
    noise = Scripted(
        amount=amount.repeat_interleave(len(every))[:, None], corrupt=u.repeat(points, 1)
    )
    found = package.likelihood.nelbo(heads, repeat(batch, points * len(every)), noise).nats
    t = (1 - amount) ** 2  # as the likelihood draws it
    sizes = torch.tensor([len(gone) for gone in every])
    chance = (t**2)[:, None] ** sizes * (1 - t**2)[:, None] ** (len(free) - sizes)
    return float((found.view(points, -1) * chance).sum(1).mean())


@every(BOUNDED)
@pytest.mark.parametrize("body", APART)
def test_l26_the_bound_is_tight_where_no_text_repeats_a_token(package, body):
    assert nats(package, exact(package, APART), body) == pytest.approx(-log(APART[body]), abs=5e-3)


def path_cost(law, body, points):
    """The relative entropy of the insertions of a text to those of a law, over a grid of times.

    Each token comes back to each gap at a rate of its own: that of its number in the text, and that
    of its expected number.
    """
    total = 0.0
    for u in 1 - (np.arange(points) + 0.5) / points:
        t = u**2  # its density is 1 / (2 u), and the hazard of the clock is 2 / t
        for k in range(len(body) + 1):
            for gone in combinations(range(len(body)), k):
                kept = [i for i in range(len(body)) if i not in gone]
                rate = expected(law, tuple(body[i] for i in kept), t)[:, [A, B]]
                number = np.zeros((len(kept) + 1, VOCAB.size))
                for i in gone:
                    number[sum(one < i for one in kept), body[i]] += 1
                number = number[:, [A, B]]
                some = number > 0
                cost = rate.sum() - k + (number[some] * np.log(number[some] / rate[some])).sum()
                total += cost * (1 - alpha(t)) ** k * alpha(t) ** len(kept) * 4 / u
    return total / points


@every(BOUNDED)
@pytest.mark.parametrize("body", [(A, A, B), (A,)])
def test_l26_the_bound_is_the_cost_of_the_insertions_where_texts_repeat_tokens(package, body):
    """Of gaps that miss a token twice, too; it is no less than -log p."""
    found = nats(package, exact(package, MIXED), body, points=60)
    assert found == pytest.approx(path_cost(MIXED, body, points=60), rel=1e-5)
    assert found > -log(MIXED[body]) - 1e-3

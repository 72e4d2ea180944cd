"""Families that say the same in different ways: the identities of atlas 3.6 about insertions."""

from collections import Counter
from itertools import combinations
from math import comb, log

import numpy as np
import pytest
import torch
from laws.build import VOCAB
from laws.examples import MIXED, REPEATS, around, one
from laws.scripted import draw, repeat
from laws.stats import samples_of
from laws.table import Row, Table, insertion_heads, normal

SAMPLED = [("ilm", "sampled"), ("gone_bound", "default"), ("gone_balanced", "default")]
DRAWS = 6_000


def dropped(law: dict[Row, float], size: int) -> dict[Row | str, float]:
    """The law of what is left when tokens are dropped in random order until `size` are there.

    Its chances add up to that of at least so many tokens.
    """
    found: Counter[Row | str] = Counter()
    for body, p in law.items():
        for kept in combinations(range(len(body)), size):
            found[tuple(body[i] for i in kept)] += p / comb(len(body), size)
    return dict(found)


@pytest.mark.parametrize(("package", "name"), SAMPLED, indirect=["package"])
@pytest.mark.parametrize("law", [MIXED, REPEATS], ids=["mixed", "repeats"])
def test_7_insertions_of_weight_l_plus_1_are_random_drops_run_backwards(package, name, law):
    """The jump chain of an insertion process: at every size the law of what drops would leave."""
    first, last = around(package)
    table = Table(*insertion_heads(law, lambda n: n + 1, first, last))
    batch = repeat(one(package, ()), DRAWS)
    made = package.sampler(name)(table, batch, draw(batch, 17), 8, record=True)
    size = made.body.sum(1)
    for tokens, state in enumerate(made.history):
        rows = state[size >= tokens][:, len(first) : len(first) + tokens]
        seen = Counter(map(tuple, rows.tolist()))
        expected = dropped(law, tokens)
        fewer = 1 - sum(expected.values())
        if len(rows) < DRAWS:
            seen["fewer"], expected["fewer"] = DRAWS - len(rows), fewer
        samples_of(seen, expected)


@pytest.mark.parametrize("package", ["ilm", "gone_t"], indirect=True)
def test_9_given_its_gap_a_token_follows_the_softmax_of_that_gap_alone(package):
    """A joint softmax is a law of gaps times one of the tokens of each: a slot-wise family.

    So n missing tokens of one gap cost what they cost slot by slot, plus -log p(gap) each.
    """
    rng = np.random.default_rng(3)
    first, last = around(package)
    state = (*first, 5, 6, *last)
    shape = (len(state), VOCAB.size)
    opened = range(len(first) - 1, len(first) + 2)
    logits = np.full(shape, -np.inf)
    for gap in opened:
        logits[gap, 5:8] = rng.normal(size=3)
    flat = normal(logits.reshape(1, -1))[0].reshape(shape)
    open_ = torch.tensor([[gap in opened for gap in range(len(state))]])
    rows = torch.from_numpy(logits)[open_[0]]
    for gap in opened:
        own = normal(logits[gap : gap + 1, 5:8])[0]
        where = log(np.exp(flat[gap]).sum())
        for token in (5, 6, 7):
            found = package.gaps.joint_nll(
                rows, open_, torch.tensor([gap]), torch.tensor([0]), torch.tensor([token])
            )
            assert float(found) == pytest.approx(-where - own[token - 5], abs=1e-12)

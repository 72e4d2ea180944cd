"""Losses and likelihoods of drafts: of each kind of edit, against brute force."""

from collections import Counter
from math import exp, log

import pytest
import torch
from laws.build import A, B, C
from laws.decoded import every
from laws.drafted import bound, costs, states
from laws.edited import ALL, TWO, drafts_of, heads, nelbo, noised_at
from laws.examples import one
from laws.scripted import pick, repeat
from laws.stats import mean_is

from xlm_runtime.plug import even

TEXTS = {(A, B): 0.4, (B,): 0.3, (A,): 0.2, (): 0.1}
REPEATS = {(A, A): 0.3, (A, B): 0.3, (): 0.2, (B,): 0.2}


@every(ALL)
@pytest.mark.parametrize("tilt", [0.0, 0.5])
def test_l17_expected_loss(package, tilt):
    t, law = 0.5, {(A, A, B): 1.0}
    net = heads(package, REPEATS | {(A, A, B): 1.0}, tilt)
    known = Counter()
    for chance, _, state, left in states(law, drafts_of(package), t):
        for name, cost in costs(net, state, left, t).items():
            known[name] += chance * cost * 0.999 / t  # the hazard of 1 - t, by the range of t
    batch = repeat(one(package, (A, A, B)), 600)
    noised = noised_at(package, batch, t)
    found = {name: [] for name in known}
    for row in range(len(batch.x0)):
        index = torch.tensor([row])
        parts = package.family.loss(net, pick(noised, index), pick(batch, index)).terms
        for name, value in parts.items():
            found[name].append(float(value))
    for name in parts:
        mean_is(torch.tensor(found[name]), known[name])


@every(ALL)
def test_l17_exact_heads_cost_least(package):
    """The gradient is zero at the expected numbers of edits and the conditional chances."""
    level, law, drafts = 0.6, REPEATS, drafts_of(package)

    def cost(tilt):
        net = heads(package, law, tilt)
        return sum(
            p * sum(costs(net, s, e, level).values()) for p, _, s, e in states(law, drafts, level)
        )

    assert cost(0.0) < min(cost(0.05), cost(0.3)) - 1e-5
    assert cost(1e-4) - cost(0.0) < 1e-3


@every(["edit_empty"])
@pytest.mark.parametrize(
    ("law", "values"),
    [
        ({(A, B): 0.5, (B,): 0.3, (A,): 0.2}, {}),
        ({(A, B, C): 0.6, (C, A): 0.4}, {}),
        ({(A, A): 0.5, (A,): 0.5}, {(A, A): 1.3863}),
        ({(A, A, A): 0.5, (A,): 0.5}, {(A, A, A): 2.2539}),
    ],
)
def test_l17_from_an_empty_draft_only_repeats_cost_more(package, law, values):
    """Keyed by gaps: `aa` costs log 2 more, and nothing where no token is repeated."""
    net = heads(package, law)
    for text, p in law.items():
        assert bound(net, text) == pytest.approx(values.get(text, -log(p)), abs=2e-4)
        batch = repeat(one(package, text), 3000)
        mean_is(nelbo(package, net, batch), values.get(text, -log(p)))


@every(TWO)
@pytest.mark.parametrize("tilt", [0.0, 0.5])
def test_l17_the_likelihood_is_the_bound(package, tilt):
    net = heads(package, TEXTS, tilt)
    total = 0.0
    for text, p in TEXTS.items():
        known = bound(net, text, 24)
        mean_is(nelbo(package, net, repeat(one(package, text), 3000)), known)
        assert tilt or known > -log(p) - 1e-3
        total += exp(-known)
    assert total < 1 + 1e-3


@every([*ALL, "edit_size", "edit_copy"])
def test_l17_the_claim_is_a_bound(package):
    assert package.family.claim.value == "bound"
    assert package.family.samples["default"].law == "limit"
    assert package.family.claim.tilt is even

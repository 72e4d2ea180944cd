"""Decoders of two clocks: how many masks they reveal, which first, and what stands in them."""

import itertools
from collections import Counter
from math import comb, exp, factorial

import numpy as np
import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B, C
from laws.decoded import samplers
from laws.examples import one, strings
from laws.flow import SAMPLERS, exact
from laws.scripted import draw, repeat
from laws.stats import follows, samples_of

MASK = VOCAB["mask"]
LETTER = {(A,): 0.6, (B,): 0.4}
# Of three independent tokens each order takes the first in another way: the first two by entropy,
# the last by confidence and margin, which differ in the second.
PLACES = ({A: 0.5, B: 0.25, C: 0.25}, {A: 0.55, B: 0.45}, {A: 0.6, B: 0.2, C: 0.2})
APART = {
    (a, b, c): p * q * r
    for (a, p), (b, q), (c, r) in itertools.product(*(place.items() for place in PLACES))
}


def orders(name, sampler):
    """The orders in which a decoder of a spec may reveal masks; none where each has its chance."""
    spec = zoo.SPECS[name]
    found = spec.says(sampler, r"unmask .* by (\w+)")
    if found is None or spec.says(sampler, r"unmask (\w+)")[1] == "chance":
        return []
    param = spec.says(sampler, r"param order = ([\w |]+)")
    return param[1].split(" | ") if found[1] == "order" else [found[1]]


ORDERED = [
    (name, sampler, order)
    for name, sampler in SAMPLERS
    for order in orders(name, sampler)
    if order != "random"
]
RANDOM = [(name, sampler) for name, sampler in SAMPLERS if "random" in orders(name, sampler)]


def run(package, law, name, steps, rows, limit=6, **params):
    """The exact heads, the states of the grid from 1 to 0, and the end."""
    flow = exact(package, law)
    batch = repeat(one(package, (A,)), rows)
    sampler = package.sampler(name, steps=steps, **params)
    decoded = sampler(flow, batch, draw(batch, 47), limit, True)
    return flow, decoded.history[: steps + 1], decoded


@samplers(SAMPLERS)
def test_d6_masks_of_the_last_step_are_drawn_as_the_end_says(package, name):
    """All that comes in the only step is left over: P(top) = p1 + (1 - p1) f, f = 1 if greedy."""
    _, states, decoded = run(package, LETTER, name, 1, 3000, limit=1)
    came = (states[1] == MASK).sum(1)
    assert torch.equal(decoded.body.sum(1), came)
    made = Counter(decoded.x[decoded.body].tolist())
    greedy = package.spec.says(name, r"finish [{][^}]*greedy") is not None
    samples_of(made, {A: 1.0} if greedy else {A: 0.6, B: 0.4})
    assert made.total() > 800


@samplers(SAMPLERS)
def test_d12_a_mask_is_revealed_by_the_law_of_its_state(package, name):
    """In a step as at the end, whichever it is: .6 and .4."""
    _, states, decoded = run(package, LETTER, name, 3, 4000, limit=1)
    early = (states[3] >= A).any(1) & decoded.body.any(1)
    made = Counter(decoded.x[decoded.body & early[:, None]].tolist())
    samples_of(made, {A: 0.6, B: 0.4})
    assert made.total() > 400


def numbers(spec, name, m, share):
    """The law of how many of m masks a step reveals whose clock fires with a chance."""
    match spec.says(name, r"unmask (\w+)")[1]:
        case "one":
            return [float(k == 1) for k in range(m + 1)]
        case "poisson":
            law = [exp(-m * share) * (m * share) ** k / factorial(k) for k in range(m)]
            return [*law, 1 - sum(law)]
    return [comb(m, k) * share**k * (1 - share) ** (m - k) for k in range(m + 1)]


@samplers(SAMPLERS)
def test_d7_as_many_masks_are_revealed_as_the_decoder_says(package, name):
    """Of m: one, or each with the chance reveal, or min(m, Poisson(m reveal))."""
    steps, seen, alpha = 4, 0, package.spec.alpha
    _, states, _ = run(package, strings(3), name, steps, 2500)
    for i, (before, after) in enumerate(itertools.pairwise(states)):
        t, s = 1 - i / steps, 1 - (i + 1) / steps
        share = min(1.0, (alpha(s) - alpha(t)) / (1 - alpha(t)))
        masks, shown = (before == MASK).sum(1), (after >= A).sum(1) - (before >= A).sum(1)
        assert (shown[masks == 0] == 0).all()
        for m in range(1, 4):
            if (masks == m).sum() < 100:
                continue
            counts = torch.bincount(shown[masks == m], minlength=m + 1)
            follows(counts.tolist(), numbers(package.spec, name, m, share))
            seen += 1
    assert seen >= 3


def revealed(states, t_of):
    """(time, state, masks, those of them that are revealed) of the steps in which nothing came.

    Then every token keeps its place.
    """
    for i, (before, after) in enumerate(itertools.pairwise(states)):
        for pair in zip(before.tolist(), after.tolist(), strict=True):
            old, new = ([x for x in row if x != VOCAB["pad"]] for row in pair)
            if len(old) == len(new):
                masks = [j for j, x in enumerate(old) if x == MASK]
                yield t_of(i), old, masks, [j for j in masks if new[j] != MASK]


def scores(order, chances):
    """How early each place is revealed, by the laws of its token."""
    ranked = -np.sort(-chances, 1)
    logs = np.log(chances, where=chances > 0, out=np.zeros_like(chances))
    match order:
        case "confidence":
            return ranked[:, 0]
        case "margin":
            return ranked[:, 0] - ranked[:, 1]
        case "entropy":
            return (chances * logs).sum(1)
    return -np.arange(len(chances))


@pytest.mark.parametrize(("package", "name", "order"), ORDERED, indirect=["package"])
def test_d22_the_masks_revealed_first_are_the_best(package, name, order):
    """By each order of each decoder, whatever number is revealed."""
    params = {"order": order} if package.spec.says(name, r"by order") else {}
    flow, states, _ = run(package, APART, name, 4, 1500, **params)
    first, told = len(flow.before), 0
    for t, state, masks, shown in revealed(states, lambda i: 1 - i / 4):
        left = [j for j in masks if j not in shown]
        if not shown or not left:
            continue
        chances, _ = flow.heads(tuple(state[first : len(state) - len(flow.after)]), t)
        score = scores(order, chances)
        least, most = min(score[j - first] for j in shown), max(score[j - first] for j in left)
        assert least >= most - 1e-9
        told += least > most + 1e-9
    assert told > 20


@samplers(RANDOM)
def test_d22_a_random_order_prefers_no_mask(package, name):
    _, states, _ = run(package, APART, name, 4, 3000, order="random")
    found = [0, 0]
    for _, _, masks, shown in revealed(states, lambda i: i):
        if len(masks) == 2 and len(shown) == 1:
            found[masks.index(shown[0])] += 1
    follows(found, [0.5, 0.5])
    assert sum(found) > 40

"""Losses and bounds of two clocks: of masks, and of tokens that are gone, against brute force."""

import itertools
import re
from math import comb, exp, factorial, log

import numpy as np
import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B, C
from laws.costs import over
from laws.decoded import every
from laws.examples import layouts, network, one, strings
from laws.flow import (
    COUNTED,
    GONE,
    MASKED,
    Flow,
    chances,
    costs,
    exact,
    hazards,
    integral,
    path_cost,
)
from laws.scripted import Scripted, draw, pick, repeat
from laws.stats import mean_is

TIMES = (0.1, 0.5, 0.83)
DRAWN = [(name, t) for name in zoo.BOTHS for t in TIMES]
DRAWN += [("both_back", 0.5)]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
NEARLY = 1 - 2.0**-53


def fates_of(package, batch, t, fates):
    """A batch of one example whose free tokens have the fates, whatever their chances."""
    places = batch.free[0].nonzero()[:, 0].tolist()
    insert = torch.full(batch.x0.shape, NEARLY, dtype=torch.float64)
    unmask = torch.full(batch.x0.shape, NEARLY, dtype=torch.float64)
    for place, fate in zip(places, fates, strict=True):
        insert[0, place] = 0.0 if fate == GONE else NEARLY
        unmask[0, place] = 0.0 if fate == MASKED else NEARLY
    noise = Scripted(insert=insert, unmask=unmask)
    return package.family.corrupt(batch, torch.tensor([t], dtype=torch.float64), noise, VOCAB)


def weights(spec, t):
    """The weights of the two terms, by the spec's words."""
    span, (unmask, insert) = spec.high - spec.low, hazards(spec, t)
    bound = re.search(r"on mask +weight (bound|min\(bound, cap\))", spec.text)
    token = span * unmask if bound else 0.5
    gap = 2 * insert + t if spec.has("weight 2 * hazard(beta) + t") else span * insert
    return token, 1.0 if spec.has("cross_entropy(gone)") else gap


@pytest.mark.parametrize(("package", "t"), DRAWN, indirect=["package"])
def test_l1_expected_terms_at_a_time(package, t):
    """Every fate of every token: the terms are the weights times the expected costs."""
    body, spec = (A, B, A), package.spec
    flow = exact(package, strings(3), wrong=0.4)
    batch = one(package, body)
    status, totals = chances(spec, t), {"token": 0.0, "gap": 0.0}
    params = {p.name for p in package.family.params["loss"]}
    free = {"cap": 1e9} if "cap" in params else {}
    for fates in itertools.product(range(3), repeat=3):
        noised = fates_of(package, batch, t, fates)
        terms = package.family.loss(flow, noised, batch, **free).terms
        share = float(np.prod([status[fate] for fate in fates])) * over(package, noised, batch)
        for name, term in terms.items():
            totals[name] += share * float(term)
    own = 3 if spec.over == "tokens per sequence" else 1
    token, gap = costs(spec, flow, body, t)
    wanted = weights(spec, t)
    assert totals["token"] == pytest.approx(wanted[0] * token / own, rel=1e-5)
    assert totals["gap"] == pytest.approx(wanted[1] * gap / own, rel=1e-5)


@every(COUNTED)
def test_l15_the_cost_of_a_number(package):
    """At least 0, and 0 where it is what was expected."""
    cost = package.counts.poisson_cost
    means = torch.linspace(0.01, 6, 600, dtype=torch.float64)
    assert (cost(means[:, None], torch.arange(6)) >= -1e-12).all()
    assert cost(torch.arange(6).double(), torch.arange(6)).abs().max() < 1e-12
    assert torch.allclose(cost(means, torch.zeros(600, dtype=torch.long)), means)
    one_more = float(cost(torch.tensor([2.0]).double(), torch.tensor([3])))
    assert one_more == pytest.approx(2 - 3 + 3 * log(1.5), rel=1e-12)


@every(COUNTED)
def test_l25_the_cost_of_a_number_is_that_of_poisson(package):
    """With log n! - n log n + n, which no rate changes: -log of the chance of n at that mean."""
    cost = package.counts.poisson_cost
    for mean in (0.01, 0.7, 3.0, 40.0):
        for n in (0, 1, 2, 9):
            found = float(cost(torch.tensor(mean, dtype=torch.float64), torch.tensor(n)))
            fixed = log(factorial(n)) - n * log(n or 1) + n
            chance = exp(-mean) * mean**n / factorial(n)
            assert found + fixed == pytest.approx(-log(chance), rel=1e-12)


@every(["flexmdm"])
def test_l15_a_birth_process_merged_and_by_gap(package):
    """Lengths {1: .5, 3: .5} of one letter: -log p if merged, for each gap 2.2539 at length 3."""
    cost = package.counts.poisson_cost
    for n in (1, 3):
        assert birth(cost, n, merged=True) == pytest.approx(log(2), abs=1e-6)
    assert birth(cost, 1, merged=False) == pytest.approx(log(2), abs=1e-6)
    assert birth(cost, 3, merged=False) == pytest.approx(2.2539, abs=1e-4)


def birth(cost, n, merged):
    """The bound of a^n where masks are revealed as soon as they come, with exact heads."""

    def rate(t):
        total = 0.0
        for k in range(n + 1):
            both = {m: comb(m, k) * t ** (m - k) for m in (1, 3) if m >= k}
            mean = sum(w * (m - k) for m, w in both.items()) / sum(both.values())
            chance = comb(n, k) * (1 - t) ** k * t ** (n - k)
            total += chance * sum(gap_costs(cost, n, k, mean, merged)) / t
        return total

    return integral(rate, 0.0, 1.0)


def gap_costs(cost, n, k, mean, merged):
    """The costs of the gaps if k of n tokens are left, averaged over which; of all as one."""
    if merged:
        yield float(cost(torch.tensor(mean).double(), torch.tensor(n - k)))
        return
    for kept in itertools.combinations(range(n), k):
        ends = [-1, *kept, n]
        missing = torch.tensor([b - a - 1 for a, b in itertools.pairwise(ends)])
        expected = torch.full((k + 1,), mean / (k + 1), dtype=torch.float64)
        yield float(cost(expected, missing).sum()) / comb(n, k)


def bound(package, flow, body):
    """The mean of the package's bound, over all its noise can do, by quadrature over its draws."""
    batch = one(package, body)
    places = batch.free[0].nonzero()[:, 0].tolist()
    every_fate = list(itertools.product(range(3), repeat=len(body)))
    cases = [(x, w, fates) for x, w in quadrature() for fates in every_fate]
    draws = {name: torch.full((len(cases), batch.x0.shape[1]), NEARLY).double() for name in HITS}
    for name, hit in HITS.items():
        for row, (_, _, fates) in enumerate(cases):
            draws[name][row, [p for p, f in zip(places, fates, strict=True) if f == hit]] = 0.0
    amount = torch.tensor([[1 - x] for x, _, _ in cases], dtype=torch.float64)
    noise = Scripted(amount=amount, **draws)
    nats = package.family.nelbo(flow, repeat(batch, len(cases)), noise).nats
    total = 0.0
    for t, value, (_, w, fates) in zip(flow.told[-1], nats, cases, strict=True):
        status = chances(package.spec, float(t))
        total += w * float(value) * float(np.prod([status[fate] for fate in fates]))
    return total


HITS = {"insert": GONE, "unmask": MASKED}


def quadrature():
    return list(zip((NODES + 1) / 2, WEIGHTS / 2, strict=True))


@every(COUNTED)
@pytest.mark.parametrize("wrong", [0.0, 0.5], ids=["exact", "wrong"])
def test_l1_the_bound_is_the_cost_of_the_paths(package, wrong):
    """Hazards times costs over all times; above -log p, as masks hide which token they are."""
    law = {(A, B): 0.6, (B,): 0.3, (): 0.1}
    flow = exact(package, law, wrong)
    mean = 0.0
    for body, p in law.items():
        expected = path_cost(package.spec, flow, body)
        assert bound(package, flow, body) == pytest.approx(expected, rel=1e-4)
        assert expected > -log(p) - 1e-9 or wrong
        mean += p * expected
    assert mean > -sum(p * log(p) for p in law.values())


@every(["flexmdm", "both_mixed"])
@pytest.mark.parametrize(("length", "nats"), [(2, 0.693147), (3, 1.560710), (4, 2.513223)])
def test_l1_the_slack_of_the_design(package, length, nats):
    """Data that is one string, and heads that know it: what is left is the hidden alignment."""
    body = (A, B, C, A)[:length]
    flow = exact(package, {body: 1.0})
    found = path_cost(package.spec, flow, body)
    if package.spec.beta(0.25) == 0.75:
        assert found == pytest.approx(nats, abs=1e-5)
    assert bound(package, flow, body) == pytest.approx(found, rel=1e-4)


def test_l1_the_slack_of_the_design_at_length_5():
    flow = Flow(zoo.SPECS["flexmdm"], {(A, B, C, A, B): 1.0}, ((2,), (3,)))
    assert path_cost(flow.spec, flow, (A, B, C, A, B)) == pytest.approx(3.51627, abs=1e-4)


@every(COUNTED)
def test_l1_the_bound_is_unbiased(package):
    """The mean of single draws, for wrong answers; their variance is finite."""
    body = (A, B)
    flow = exact(package, strings(2), wrong=0.5)
    batch = repeat(one(package, body), 2_000)
    found = package.family.nelbo(flow, batch, draw(batch, 32))
    mean_is(found.nats, path_cost(package.spec, flow, body))


@every(zoo.BOTHS)
def test_l23_finite_whatever_is_corrupted(package):
    """The loss and its slopes, with empty bodies and with nothing else, at both ends."""
    spec = package.spec
    for name, _, batch in layouts(package):
        net = network(package, name)
        for part in (batch, pick(batch, slice(1, 2))):
            for t in (max(spec.low, 1e-6), min(spec.high, 1 - 1e-9)):
                times = torch.full((len(part.x0),), t, dtype=torch.float64)
                noised = package.family.corrupt(part, times, draw(part), VOCAB)
                net.zero_grad()
                losses = package.family.loss(net, noised, part)
                losses.total.backward()
                assert losses.total.isfinite()
                slopes = [w.grad for w in net.parameters() if w.grad is not None]
                assert all(slope.isfinite().all() for slope in slopes)

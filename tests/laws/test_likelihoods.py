"""Likelihoods against exact tables: tight, or bounds, as each family claims."""

from itertools import permutations
from math import exp, lgamma, log

import numpy as np
import pytest
from laws import zoo
from laws.answers import gone_table, mask_table, nelbo, uniform
from laws.build import A, B
from laws.costs import mask_cost, masked, row_of
from laws.decoded import every
from laws.examples import MIXED, REPEATS, around, one, strings
from laws.scripted import draw, repeat
from laws.stats import mean_is
from laws.table import (
    chain_costs,
    conditionals,
    generated,
    insertion_heads,
    masked_costs,
    normalised,
)

LIKELY = zoo.MASKS + zoo.GONES


def test_l1_the_table_is_exact():
    """The tables themselves: conditionals of the law, and insertions that generate it."""
    law = strings(3)
    tables = conditionals(law, range(3))
    for row, p in law.items():
        chances = np.exp(np.negative(chain_costs(tables, row, [0, 1, 2])))
        assert chances == pytest.approx([p] * 6)
    assert np.exp(tables[masked((A, B, A), [0, 1, 2])][0]).sum() == pytest.approx(1)
    for string_law in (MIXED, REPEATS):
        heads = insertion_heads(string_law, lambda n: n + 1, (2,))
        made = generated(*heads, (2,), (), limit=9)
        assert {k: v for k, v in made.items() if v > 1e-15} == pytest.approx(string_law)


@every(zoo.MASKS)
def test_l1_nelbo_of_exact_conditionals_is_minus_log_p(package):
    """Pointwise, whatever the schedule: atlas L1, with L5's estimator by exact counts."""
    law = strings(3)
    _, table = mask_table(package, law)
    assert package.family.claim.value == "tight"
    for body, p in law.items():
        assert nelbo(package, table, body) == pytest.approx(-log(p), abs=1e-12)


@every(zoo.GONES)
@pytest.mark.parametrize("law", [MIXED, REPEATS], ids=["mixed", "repeats"])
def test_l1_nelbo_of_exact_insertions_is_minus_log_p(package, law):
    """With the heads that weight L + 1 trains: lengths differ, tokens repeat."""
    _, _, table = gone_table(package, law, weighted=True)
    for body, p in law.items():
        assert nelbo(package, table, body) == pytest.approx(-log(p), abs=1e-11)


@every(zoo.GONES)
@pytest.mark.parametrize("law", [MIXED, REPEATS], ids=["mixed", "repeats"])
def test_l1_nelbo_of_insertions_trained_with_weight_1_has_slack(package, law):
    """They model p / (L + 1): the bound is tight for that law, and above the entropy of p."""
    _, _, table = gone_table(package, law, weighted=False)
    other = normalised({body: p / (len(body) + 1) for body, p in law.items()})
    mean = 0.0
    for body, p in law.items():
        found = nelbo(package, table, body)
        assert found == pytest.approx(-log(other[body]), abs=1e-11)
        mean += p * found
    assert mean > -sum(p * log(p) for p in law.values()) + 0.01


def tilted_cost(package, tables, table, row, free):
    """The bound of answers that depend on the time: the integral of dp / p over p = 1 - alpha."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    total = 0.0
    for x, w in zip((nodes + 1) / 2, weights / 2, strict=True):
        told = -log(1 - x) if package.spec.has("condition = sigma") else when(package.spec, x)
        tilt = {
            s: tables[s] + told * table.tilt[i, : len(s)].numpy() for s, i in table.states.items()
        }
        costs, length = masked_costs(tilt.__getitem__, row, free), len(free)
        for k in range(1, length + 1):
            sets = lgamma(length + 1) - lgamma(k + 1) - lgamma(length - k + 1)
            total += w / x * exp(sets) * x**k * (1 - x) ** (length - k) * costs[k]
    return total


def when(spec, p):
    """The time at which 1 - alpha(t) = p, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - spec.alpha(middle) < p else (low, middle)
    return low


@every(zoo.those("dit(condition"))
def test_l1_nelbo_of_answers_that_depend_on_time(package):
    """Its mean is the integral of hazard times cross-entropies, for any answers."""
    tables, table = mask_table(package, strings(2), wrong=True, tilt=2.0)
    row, free = row_of(package, (A, B))
    expected = tilted_cost(package, tables, table, row, free)
    flat = mask_cost(zoo.SPECS["mdlm"], tables.__getitem__, row, free)
    assert abs(expected - flat) > 0.05  # the time matters here
    batch = repeat(one(package, (A, B)), 8_000)
    mean_is(package.family.nelbo(table, batch, draw(batch, 31)).nats, expected)


@every(LIKELY)
def test_l1_nelbo_is_unbiased(package):
    """The mean of single draws, for wrong answers."""
    body = (A, A, B)
    batch = repeat(one(package, body), 8_000)
    if package.has("noise.close"):
        *_, table = gone_table(package, MIXED, weighted=False, wrong=True)
    else:
        _, table = mask_table(package, strings(3), wrong=True)
    found = package.family.nelbo(table, batch, draw(batch, 32))
    mean_is(found.nats, nelbo(package, table, body))


@every(LIKELY)
def test_l4_a_uniform_network_costs_log_v_a_token(package):
    """V = 3 tokens, no specials; with insertions each decision to stop costs log 2."""
    body = (A, B, B, A)
    stops = (len(body) + 1) * log(2) if package.has("noise.close") else 0.0
    table = uniform(package, body)
    assert nelbo(package, table, body) == pytest.approx(4 * log(3) + stops, abs=1e-11)


@every(zoo.MASKS)
def test_l4_a_network_that_knows_costs_nothing(package):
    _, table = mask_table(package, {(A, B, B): 1.0})
    assert nelbo(package, table, (A, B, B)) == pytest.approx(0, abs=1e-12)


@every(zoo.GONES)
def test_l4_insertions_that_know_cost_nothing(package):
    *_, table = gone_table(package, {(A, B, B): 1.0}, weighted=True)
    assert nelbo(package, table, (A, B, B)) == pytest.approx(0, abs=1e-11)


@every(zoo.MASKS)
def test_l22_nelbo_of_wrong_answers_is_the_mean_over_orders(package):
    """Hence above -log of the chance that revealing in a random order gives the row."""
    law = strings(3)
    tables, table = mask_table(package, law, wrong=True)
    mean = 0.0
    for body, p in law.items():
        row, free = row_of(package, body)
        costs = chain_costs(tables, row, free)
        assert len(costs) == len(list(permutations(free)))
        found = nelbo(package, table, body)
        assert found == pytest.approx(np.mean(costs), abs=1e-11)
        assert found >= -log(np.mean(np.exp(-np.array(costs)))) - 1e-12
        mean += p * found
    assert mean > -sum(p * log(p) for p in law.values())


@every(zoo.GONES)
@pytest.mark.parametrize("law", [MIXED, REPEATS], ids=["mixed", "repeats"])
def test_l22_nelbo_of_wrong_insertions_bounds_what_they_generate(package, law):
    logits, odds, table = gone_table(package, law, weighted=False, wrong=True)
    made = generated(logits, odds, *around(package), limit=9)
    mean = 0.0
    for body, p in law.items():
        found = nelbo(package, table, body)
        assert found >= -log(made[body]) - 1e-11
        mean += p * found
    assert mean > -sum(p * log(p) for p in law.values())

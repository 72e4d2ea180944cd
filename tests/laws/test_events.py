"""Tokens that compete for events: corruption, likelihood and decoders against brute force."""

from collections import Counter
from itertools import combinations
from math import comb, lgamma, log

import numpy as np
import pytest
import torch
from laws.build import VOCAB, A, B
from laws.decoded import every
from laws.examples import MIXED, one
from laws.inserted import APART, Exact, bodies, run
from laws.scripted import Scripted, draw, repeat
from laws.stats import distance, samples_of

STRUCK = ["struck_pairs", "struck_gaps"]


def events(t):
    return 30 * t**2


def poisson(k, mean):
    return np.exp(k * np.log(mean) - mean - lgamma(k + 1)) if k >= 0 else 0.0


def left(k, length, t):
    """The chance that so many of the tokens of a row are gone."""
    if k < length:
        return poisson(k, events(t))
    return sum(poisson(j, events(t)) for j in range(length, length + 120))


def due(k, length, t):
    """The number of tokens that return, in hazards: f P(k - 1) / P(k), with f events expected."""
    chance = left(k, length, t)
    return events(t) * poisson(k - 1, events(t)) / chance if k and chance else 0.0


def expected(law, state, t):
    """The rate at which each token is expected to return to each gap of a state, in hazards."""
    found, total = np.zeros((len(state) + 1, VOCAB.size)), 0.0
    for row, p in law.items():
        gone = len(row) - len(state)
        for kept in combinations(range(len(row)), len(state)):
            if tuple(row[i] for i in kept) != state:
                continue
            chance = p * left(gone, len(row), t) / comb(len(row), gone)
            total += chance
            for i in set(range(len(row))) - {*kept}:
                share = due(gone, len(row), t) / gone
                found[sum(k < i for k in kept), row[i]] += chance * share
    return found / total if total else found


class Struck(Exact):
    """A network that knows the law of texts."""

    expects = staticmethod(expected)


def heads(package, law):
    pairs = package.spec.has("joint_cross_entropy")
    return Struck(law, joint=pairs, mean=pairs)


@every(["struck_pairs"])
@pytest.mark.parametrize("t", [0.2, 0.4])
def test_c7_a_poisson_number_is_dropped_any_set_alike(package, t):
    rows = repeat(one(package, (A, A, B)), 20_000)
    noised = package.noise.corrupt(rows, torch.full((20_000,), t).double(), draw(rows, 3), VOCAB)
    places = rows.free[0].nonzero()[:, 0].tolist()
    seen = Counter(tuple(row) for row in noised.gone[:, places].tolist())
    law = {
        tuple(i in gone for i in range(3)): left(k, 3, t) / comb(3, k)
        for k in range(4)
        for gone in combinations(range(3), k)
    }
    samples_of(seen, law)


@every(["struck_pairs"])
def test_c13_nothing_survives_until_t_1(package):
    rows = repeat(one(package, (A,) * 8), 500)
    noised = package.noise.corrupt(rows, torch.ones(500).double(), draw(rows, 3), VOCAB)
    assert (noised.count == 8).all()
    package.events.all_gone(torch.tensor([3, 15]), torch.tensor([30.0, 30.0]))
    with pytest.raises(ValueError, match="30 events leave tokens in rows of 16"):
        package.events.all_gone(torch.tensor([3, 16]), torch.tensor([30.0, 30.0]))


@every(["struck_pairs"])
@pytest.mark.parametrize(
    ("mean", "length"), [(3.7, 4), (1e-3, 1), (1e-9, 3), (50.0, 12), (720.0, 900)]
)
def test_l16_the_pace_of_an_empty_row_is_1_over_1f1(package, mean, length):
    """P(N = L - 1) / P(N >= L) is 0.41261 for 3.7 events and 4 tokens."""
    found = package.events.pace(
        torch.tensor([mean, mean]).double(),
        torch.tensor([length, 0]),
        torch.tensor([length, length]),
    )
    series, term = 0.0, 1.0
    for k in range(1, 5000):
        series, term = series + term, term * mean / (length + k)
    assert float(found[0]) == pytest.approx(1 / series, rel=1e-7)
    assert float(found[1]) == 1
    if length == 4:
        assert float(found[0]) * length / mean == pytest.approx(0.41261, abs=1e-5)


@every(["struck_pairs"])
def test_l16_the_pace_of_impossible_rows_is_a_number(package):
    found = package.events.pace(
        torch.tensor([1e-3, 10.0]), torch.tensor([500, 500]), torch.tensor([500, 500])
    )
    assert found.tolist() == pytest.approx([1.0, 1 - 10 / 501], rel=1e-3)


def nats(package, net, body, points=300):
    """The bound of one text, over a grid of times and every corruption."""
    batch = one(package, body)
    free = batch.free[0].nonzero()[:, 0].tolist()
    amount = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    total = 0.0
    for k in range(len(free) + 1):
        for gone in combinations(free, k):
            t = ((1 - amount) ** 2).numpy()  # as the likelihood draws it
            below = sum(poisson(j, events(t)) for j in range(k)) + np.zeros(points)
            chance = left(k, len(free), t)
            some = chance > 1e-9
            u = torch.full((int(some.sum()), batch.x0.shape[1]), 1 - 2.0**-53, dtype=torch.float64)
            u[:, list(gone)] = 0.0
            number = torch.tensor(below + chance / 2)[some]
            noise = Scripted(amount=amount[some][:, None], number=number[:, None], corrupt=u)
            found = package.likelihood.nelbo(net, repeat(batch, len(u)), noise).nats.numpy()
            total += (found * chance[some]).sum() / comb(len(free), k)
    return float(total / points)


@every(STRUCK)
@pytest.mark.parametrize("body", APART)
def test_l16_the_bound_is_tight_where_no_text_repeats_a_token(package, body):
    assert nats(package, heads(package, APART), body) == pytest.approx(-log(APART[body]), abs=5e-3)


@every(STRUCK)
@pytest.mark.parametrize("body", [(A, A, B), (A,)])
def test_l16_the_bound_is_a_bound_where_texts_repeat_tokens(package, body):
    found = nats(package, heads(package, MIXED), body, points=100)
    assert -log(MIXED[body]) - 1e-2 < found < -log(MIXED[body]) + 2


def decoded_law(law, steps):
    """The law of what a grid of so many steps ends in: each gap gets a token on its own."""
    now = {(): 1.0}
    for i in range(steps):
        t, s = 1 - i / steps, 1 - (i + 1) / steps
        later = Counter()
        for state, p in now.items():
            found = [((), p)]
            for place, gap in enumerate(expected(law, state, t)):
                chance = min(1.0, gap.sum() * (1 - events(s) / events(t)))
                ways = [((x,), chance * gap[x] / gap.sum()) for x in (A, B) if gap[x]]
                ways.append(((), 1 - chance))
                after = state[place : place + 1]
                found = [(row + new + after, a * b) for row, a in found for new, b in ways if b]
            for row, chance in found:
                later[row] += chance
        now = later
    return now


def test_d18_more_steps_end_nearer_to_the_data():
    far = [distance(decoded_law(MIXED, steps), MIXED) for steps in (16, 64, 256)]
    assert far[0] > 3 * far[1] > 9 * far[2] > 0
    assert far[2] < 0.05


@every(STRUCK)
def test_d18_each_gap_gets_a_token_with_its_own_chance(package):
    decoded = run(package, heads(package, MIXED), "default", steps=12)
    samples_of(Counter(bodies(decoded.x)), decoded_law(MIXED, 12))


@every(STRUCK)
def test_c7_the_pace_of_rows_is_1_but_where_nothing_is_left(package):
    assert package.family.claim.value == "bound"
    assert package.family.samples["default"].law == "limit"
    batch = repeat(one(package, (A, B)), 64)
    t = torch.full((64,), 0.4).double()
    noised = package.noise.corrupt(batch, t, draw(batch, 3), VOCAB)
    empty = noised.count == 2
    assert 0 < empty.sum() < 64
    share = poisson(2, events(0.4)) / left(2, 2, 0.4)
    assert noised.pace[empty].tolist() == pytest.approx([share] * int(empty.sum()))
    assert (noised.pace[~empty] == 1).all()

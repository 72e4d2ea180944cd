"""Corruption: what noise does to tokens, and to which."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A
from laws.examples import layouts, one
from laws.scripted import chosen, corrupted, draw, missing_amount, repeat
from laws.stats import follows

DRAWS = 8_000


def every(names):
    return pytest.mark.parametrize("package", names, indirect=True)


def noised_places(package, noised):
    return noised.gone if package.has("noise.close") else noised.masked


@every(zoo.NOISED)
def test_c1_no_noise_changes_nothing(package):
    for _, _, batch in layouts(package):
        amount = missing_amount(package, batch, 0)
        noised = package.family.corrupt(batch, amount, draw(batch), VOCAB)
        assert torch.equal(noised.xt, batch.x0)
        assert not noised.count.any()
        if package.has("noise.close"):
            assert torch.equal(noised.open, batch.open)


@every(zoo.NOISED)
def test_c1_full_noise_takes_all_that_is_free(package):
    left = package.spec.alpha(1.0)  # the share that survives until t = 1
    for _, _, batch in layouts(package):
        amount = missing_amount(package, batch, 1)
        taken = [
            noised_places(package, package.family.corrupt(batch, amount, draw(batch, s), VOCAB))
            for s in range(40)
        ]
        assert not any((places & ~batch.free).any() for places in taken)
        kept = sum(int((batch.free & ~places).sum()) for places in taken)
        assert kept <= (0 if left < 1e-12 else 12 * left * 40 * int(batch.free.sum()))


def count_law(spec, length):
    """The law of the number of corrupted tokens: uniform, or binomial averaged over t."""
    if spec.has("count ~ uniform(1"):
        return np.array([0.0] + [1 / length] * length)
    if spec.has("count ~ uniform(0"):
        return np.full(length + 1, 1 / (length + 1))
    nodes, weights = np.polynomial.legendre.leggauss(60)
    times = spec.low + (spec.high - spec.low) * (nodes + 1) / 2
    p = np.array([1 - spec.alpha(t) for t in times])
    law = [comb(length, k) * p**k * (1 - p) ** (length - k) for k in range(length + 1)]
    return np.array([float(row @ weights) / 2 for row in law])


@every(zoo.NOISED)
def test_c2_counts_and_sets(package):
    """Counts uniform on 0..L for t ~ U and a linear survival; each set of a size alike."""
    length = 4
    batch = repeat(one(package, (A,) * length), DRAWS)
    noised = corrupted(package, batch, draw(batch, seed=11))
    taken = noised_places(package, noised)
    assert torch.equal(noised.count, taken.sum(1))
    law = count_law(package.spec, length)
    places = batch.free[0].nonzero()[:, 0].tolist()
    codes = (taken[:, places].long() * 2 ** torch.arange(length)).sum(1)
    found = torch.bincount(codes, minlength=2**length)
    sets = [c for k in range(length + 1) for c in combinations(range(length), k)]
    counts = [int(found[sum(2**i for i in c)]) for c in sets]
    follows(counts, [law[len(c)] / comb(length, len(c)) for c in sets])


@every(zoo.PLAIN)
def test_c2_steps_are_independent(package):
    """The corruption of one step says nothing about the next (spread times are a row's own)."""
    batch = repeat(one(package, (A, A)), DRAWS)
    cells = []
    for step in (3, 4):
        taken = noised_places(package, corrupted(package, batch, draw(batch, 12, step)))
        cells.append((taken[batch.free].view(-1, 2).long() * torch.tensor([1, 2])).sum(1))
    law = count_law(package.spec, 2)
    single = np.array([law[0], law[1] / 2, law[1] / 2, law[2]])
    pairs = torch.bincount(4 * cells[0] + cells[1], minlength=16)
    follows(pairs.tolist(), np.outer(single, single).ravel().tolist())


@every(zoo.NOISED)
def test_c3_fixed_tokens_stay(package):
    for _, _, batch in layouts(package):
        for seed in range(6):
            noised = corrupted(package, batch, draw(batch, seed))
            taken = noised_places(package, noised)
            assert not (taken & ~batch.free).any()
            if package.has("noise.hide"):
                assert torch.equal(noised.xt[~taken], batch.x0[~taken])
                assert (noised.xt[taken] == VOCAB["mask"]).all()
                continue
            for i in range(len(batch.x0)):
                stays = ~taken[i] if batch.attend is None else ~taken[i] & batch.attend[i]
                assert noised.xt[i][noised.attend[i]].tolist() == batch.x0[i][stays].tolist()


@every(zoo.GONES)
def test_c4_reinserting_what_is_missing_restores_the_row(package):
    for _, _, batch in layouts(package):
        for seed in range(6):
            noised = corrupted(package, batch, draw(batch, seed))
            for i in range(len(batch.x0)):
                seen = [True] * batch.x0.shape[1] if batch.attend is None else batch.attend[i]
                whole = batch.x0[i][torch.as_tensor(seen)].tolist()
                assert int(noised.count[i]) + int(noised.attend[i].sum()) == len(whole)
                assert reinserted(batch, noised, i) == whole


def reinserted(batch, noised, i):
    """Behind every position, the tokens that are missing in its gap, which must be open."""
    row = []
    for position in range(batch.x0.shape[1]):
        if noised.attend[i, position]:
            row.append(int(noised.xt[i, position]))
        here = (noised.gone[i] & (noised.gap[i] == position)).nonzero()[:, 0]
        assert noised.open[i, position] or not len(here)
        row += batch.x0[i, here].tolist()
    return row


@every(zoo.GONES)
def test_c4_the_open_gaps_are_those_between_the_brackets(package):
    """One more than there are tokens left inside the brackets, whatever was dropped."""
    for _, _, batch in layouts(package):
        noised = corrupted(package, batch, draw(batch, 3))
        assert torch.equal(noised.open.sum(1), batch.open.sum(1) - noised.count)
        assert not (noised.open & ~noised.attend).any()


@every(zoo.those("dit(condition = t)", "amount count"))
def test_c2_the_time_of_a_count_is_its_order_statistic(package):
    """Given n of L: 1 - alpha(t) ~ Beta(n, L + 1 - n), at which E[L / n ...] is the bound."""
    batch = repeat(one(package, (A,) * 3), DRAWS)
    noised = corrupted(package, batch, draw(batch, 21))
    p = torch.tensor([1 - package.spec.alpha(float(t)) for t in noised.t])
    grid = np.linspace(0, 1, 9)
    for n in (1, 2, 3):
        at_least = [sum(comb(3, k) * x**k * (1 - x) ** (3 - k) for k in range(n, 4)) for x in grid]
        counts = torch.histogram(p[noised.count == n].double(), torch.tensor(grid)).hist
        follows(counts.tolist(), np.diff(at_least).tolist())


@every(zoo.those("-> mask", "amount t"))
def test_c2_the_chance_of_each_token_is_that_of_the_clock(package):
    """At a fixed t every free token is masked with the chance 1 - alpha(t), by itself."""
    batch = repeat(one(package, (A, A)), DRAWS)
    t = 0.37
    times = torch.full((DRAWS,), t, dtype=torch.float64)
    noised = package.family.corrupt(batch, times, draw(batch, 5), VOCAB)
    cells = (noised.masked[batch.free].view(-1, 2).long() * torch.tensor([1, 2])).sum(1)
    p = 1 - package.spec.alpha(t)
    expected = [(1 - p) ** 2, p * (1 - p), p * (1 - p), p * p]
    follows(torch.bincount(cells, minlength=4).tolist(), expected)


@every(zoo.MASKS)
def test_c3_a_chosen_set_is_masked_and_no_other(package):
    """The smallest draws decide, each place by its own."""
    batch = one(package, (A, A, A))
    batch = repeat(batch, 3)
    gone = torch.zeros_like(batch.free)
    gone[torch.arange(3), torch.arange(1, 4)] = True
    amount = torch.ones(3, dtype=torch.long)
    if not package.spec.has("amount count"):
        amount = torch.full((3,), 0.4, dtype=torch.float64)
    assert torch.equal(chosen(package, batch, amount, gone).masked, gone)

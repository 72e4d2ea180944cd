"""The fates of tokens under two clocks, masks or nothing, against brute force."""

import itertools
from collections import Counter

import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B
from laws.decoded import every
from laws.examples import layouts, one
from laws.flow import CLEAN, GONE, MASKED, chances
from laws.scripted import corrupted, draw, repeat
from laws.stats import follows

MASK = VOCAB["mask"]
TIMES = (0.1, 0.5, 0.83)


def test_c5_the_example_of_the_design():
    """Clean .154, mask .346, gone .5 at t = .5 for 1 - t and 1 - t."""
    assert chances(zoo.SPECS["flexmdm"], 0.5) == pytest.approx((0.15343, 0.34657, 0.5), abs=1e-5)


def test_c6_the_example_of_kumaraswamy():
    """Gone .592704, mask .354337 for a = 2, b = 3 and 1.5, where 1 - t = .4."""
    _, masked, gone = chances(zoo.SPECS["both_powers"], 0.6)
    assert (masked, gone) == pytest.approx((0.354337, 0.592704), abs=1e-6)


@every([*zoo.BOTHS, "both_powers"])
@pytest.mark.parametrize("t", TIMES)
def test_c5_the_fates_of_tokens_are_those_of_the_clocks(package, t):
    """Each by itself: clean, masked or gone, by the reverse clocks."""
    batch = repeat(one(package, (A, B)), 8_000)
    times = torch.full((8_000,), t, dtype=torch.float64)
    noised = package.family.corrupt(batch, times, draw(batch, 3), VOCAB)
    # bos, what is left of A and B, eos; where both are not gone, which is which is seen from clean
    found = Counter()
    for xt, clean, attend in zip(noised.xt, noised.clean, seen(noised), strict=True):
        left = dict(zip(clean[attend].tolist(), xt[attend].tolist(), strict=True))
        fates = [GONE if x not in left else MASKED if left[x] == MASK else CLEAN for x in (A, B)]
        found[tuple(fates)] += 1
    status = chances(package.spec, t)
    cells = list(itertools.product(range(3), repeat=2))
    follows([found[cell] for cell in cells], [status[a] * status[b] for a, b in cells])


def seen(noised):
    return torch.ones_like(noised.masked) if noised.attend is None else noised.attend


@every(zoo.BOTHS)
def test_c1_nothing_at_t_0_and_all_at_t_1(package):
    for _, _, batch in layouts(package):
        times = torch.zeros(len(batch.x0), dtype=torch.float64)
        noised = package.family.corrupt(batch, times, draw(batch), VOCAB)
        assert torch.equal(noised.xt, batch.x0)
        assert not noised.missing.any()
        noised = package.family.corrupt(batch, times + 1, draw(batch), VOCAB)
        assert torch.equal(noised.missing.sum(1), batch.free.sum(1))
        assert not noised.masked.any()


@every(zoo.BOTHS)
def test_c3_c4_what_is_left_and_what_is_missing_make_up_the_row(package):
    """The numbers of the gaps say where each token stood; nothing fixed is masked or gone."""
    for _, _, batch in layouts(package):
        for seed in range(8):
            noised = corrupted(package, batch, draw(batch, seed))
            assert torch.equal(noised.xt, torch.where(noised.masked, MASK, noised.clean))
            for i in range(len(batch.x0)):
                is_row(batch, noised, i)


def is_row(batch, noised, i):
    """One row of a noised batch put together again, gap by gap."""
    whole = torch.ones_like(batch.free[i]) if batch.attend is None else batch.attend[i]
    ids, free = batch.x0[i][whole].tolist(), batch.free[i][whole].tolist()
    left = seen(noised)[i].nonzero()[:, 0].tolist()
    place = 0
    for j in left:
        assert int(noised.clean[i, j]) == ids[place]
        assert free[place] or not noised.masked[i, j]
        missing = int(noised.missing[i, j])
        assert all(free[place + 1 : place + 1 + missing])
        assert noised.open[i, j] or not missing
        place += 1 + missing
    assert place == len(ids)
    assert int(noised.open[i].sum()) == int(batch.open[i].sum() - noised.missing[i].sum())

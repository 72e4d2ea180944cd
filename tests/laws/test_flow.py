"""Decoders of two clocks: what their steps come to, what they cost, and what they never do."""

import itertools
import re
from math import exp, factorial

import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, C
from laws.decoded import bodies, every, samplers
from laws.examples import MIXED, examples, network, one, strings, tokens
from laws.flow import COUNTED, SAMPLERS, chances, exact
from laws.scripted import draw, repeat
from laws.stats import distance

MASK = VOCAB["mask"]
LIMIT = 8
LAWS = {"fixed": strings(2), "mixed": MIXED}
NEARLY = 1 - 2.0**-53


def made(package, law, name="default", rows=4_000, record=False, **params):
    flow = exact(package, law)
    batch = repeat(one(package, (A,)), rows)
    sampler = package.sampler(name, **params)
    return flow, sampler(flow, batch, draw(batch, 41), LIMIT, record)


# (package, decoder, its params, law): every rule, order and clock
LIMITS = [
    *(
        (name, "default", {}, "mixed")
        for name in [*zoo.BOTHS, "both_early", "both_late", "both_powers"]
    ),
    ("flexmdm", "default", {}, "fixed"),
    ("both_left", "default", {}, "fixed"),
    ("flexmdm", "adaptive", {"order": "margin"}, "mixed"),
    ("both_square", "adaptive", {"order": "left"}, "fixed"),
    ("both_square", "adaptive", {"order": "random"}, "mixed"),
    ("both_left", "adaptive", {"order": "entropy"}, "mixed"),
    ("both_geometric", "adaptive", {"order": "confidence"}, "mixed"),
]


@pytest.mark.parametrize(("package", "name", "params", "law"), LIMITS, indirect=["package"])
def test_d2_more_steps_come_closer_to_the_data(package, name, params, law):
    """In any order, by any clock: what is drawn apart, and inserted too much, is O(1 / steps)."""
    few, many = (
        distance(bodies(made(package, LAWS[law], name, 2_000, steps=steps, **params)[1]), LAWS[law])
        for steps in (6, 48)
    )
    assert few < 0.65
    assert many < 0.45 * few


@pytest.mark.slow
@every(["flexmdm", "both_mixed"])
def test_d2_many_steps_give_the_data(package):
    _, decoded = made(package, MIXED, steps=160)
    assert distance(bodies(decoded), MIXED) < 0.03


@every(["flexmdm", "both_square", "both_left", "both_mixed"])
def test_d2_a_decoder_passes_the_states_of_the_noise(package):
    """At every time of the grid as many tokens and masks as the noise leaves, on average."""
    law, steps = strings(2), 40
    _, decoded = made(package, law, rows=2_000, record=True, steps=steps)
    for i in (10, 20, 30):
        clean, masked, gone = chances(package.spec, 1 - i / steps)
        state = decoded.history[i]
        masks = float((state == MASK).sum(1).double().mean())
        tokens = float((state >= A).sum(1).double().mean())
        assert masks == pytest.approx(2 * masked, abs=0.1)
        assert tokens == pytest.approx(2 * clean, abs=0.1)
        assert gone < 1


@samplers([(name, sampler) for name, sampler in SAMPLERS if name != "both_mixed"])
def test_d5_every_step_calls_the_network_once(package, name):
    """And once more for the rows in which masks are left in the end."""
    flow, decoded = made(package, strings(2), name, rows=100, record=True, steps=5)
    left = (decoded.history[-2] == MASK).any(1)
    assert not (decoded.x == MASK).any()
    assert torch.equal(decoded.nfe, 5 + left.long())
    assert flow.rows == int(decoded.nfe.sum())
    assert [float(told[0]) for told in flow.told] == pytest.approx(
        [1, 0.8, 0.6, 0.4, 0.2] + [0] * bool(left.any())
    )


@samplers([("flexmdm", "default"), ("flexmdm", "adaptive")])
def test_d5_a_row_of_which_nothing_is_missing_is_not_asked(package, name):
    """With exact heads nothing else changes, whatever ends it: few missing tokens, or the limit."""
    law, how = strings(2), {"rows": 200, "steps": 40}
    _, whole = made(package, law, name, **how)
    flow, ended = made(package, law, name, early=1e-9, **how)
    assert bodies(ended) == bodies(whole)
    assert flow.rows == int(ended.nfe.sum())
    assert set(whole.nfe.tolist()) <= {40, 41}
    assert ended.nfe.double().mean() < 36
    batch = repeat(one(package, (A,)), 200)
    full, both = (
        package.sampler(name, steps=40, early=e)(flow, batch, draw(batch, 41), 2)
        for e in (0.0, 1e-9)
    )
    assert bodies(full) == bodies(both)
    assert torch.equal(full.nfe, both.nfe)
    assert full.nfe.double().mean() < 36


@samplers([("flexmdm", "default"), ("flexmdm", "adaptive")])
def test_d5_the_fewer_may_be_missing_the_longer_a_row_goes_on(package, name):
    found = [made(package, MIXED, name, rows=100, steps=20, early=e)[1] for e in (0.9, 0.1, 1e-3)]
    calls = [int(one.nfe.sum()) for one in found]
    assert calls == sorted(calls)
    assert calls[0] < calls[-1]
    assert all(not (one.x == MASK).any() for one in found)


@samplers(SAMPLERS)
def test_d14_tokens_only_appear_in_masks_and_masks_only_in_open_gaps(package, name):
    """Of each state the next one is made by revealing masks and putting others between."""
    for layout in package.family.layouts:
        batch, net = package.layout(layout, 5)(examples(layout)), network(package, layout)
        decoded = package.quick(name)(net, batch, draw(batch, 3), LIMIT, record=True)
        for i in range(len(batch.x0)):
            fixed = ~batch.free[i] & (batch.x0[i] != VOCAB["pad"])
            rows = [tokens(state[i]) for state in decoded.history]
            assert rows[0] == batch.x0[i][fixed].tolist()
            assert rows[-1] == tokens(decoded.x[i])
            for before, after in itertools.pairwise(rows):
                assert grows(before, after)
            column = int(batch.open[i].nonzero()[0, 0]) + 1
            before = tokens(batch.x0[i, :column])
            assert rows[-1][: len(before)] == before
            behind = len(tokens(batch.x0[i])) - len(tokens(batch.x0[i][: open_end(batch, i)]))
            assert rows[-1][len(rows[-1]) - behind :] == tokens(batch.x0[i])[-behind:]
            assert MASK not in rows[-1]


def open_end(batch, i):
    """The first position behind the brackets."""
    return int(batch.open[i].nonzero()[-1, 0]) + 1


def grows(before, after):
    """Whether the items of one state stand in the next, masks also as tokens, masks between."""
    items = [f"[{chr(MASK)}{chr(A)}-{chr(C)}]" if x == MASK else re.escape(chr(x)) for x in before]
    new = f"{re.escape(chr(MASK))}*"
    return re.fullmatch(new.join(["", *items, ""]), "".join(map(chr, after))) is not None


@samplers(SAMPLERS)
@pytest.mark.parametrize("limit", [0, 1, 3])
def test_d16_no_more_tokens_than_the_limit(package, name, limit):
    """Unless more were given."""
    for layout in package.family.layouts:
        batch, net = package.layout(layout, 5)(examples(layout)), network(package, layout)
        kept = batch.open.sum(1) - 1 - batch.free.sum(1)
        decoded = package.quick(name)(net, batch, draw(batch, 5), limit)
        length = decoded.body.sum(1)
        assert (length <= kept.clamp(min=limit)).all()
        assert (length >= kept).all()


@every(["flexmdm", "both_geometric"])
def test_d16_what_finds_no_room(package):
    """None of a row's insertions if they do not all fit; or those that fit, from the left."""
    growing = package.growing
    number = torch.tensor([[1, 0, 2], [3, 0, 0], [0, 1, 0]])
    room = torch.tensor([2, 3, -1])
    if package.spec.has("drop_right"):
        found = growing.drop_right(number, room)
        assert found.tolist() == [[1, 0, 1], [3, 0, 0], [0, 0, 0]]
    else:
        assert growing.skip_row(number, room).tolist() == [[0, 0, 0], [3, 0, 0], [0, 0, 0]]


@every(COUNTED)
def test_draws_of_numbers_are_those_of_poisson(package):
    """Poisson laws by inversion, from very small to large means."""
    poisson = package.counts.poisson
    u = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    for mean in (0.0, 1e-9, 0.3, 4.0, 30.0, 900.0):
        found = poisson(torch.tensor(mean, dtype=torch.float64), u).double()
        assert float(found.mean()) == pytest.approx(mean, rel=2e-3, abs=1e-4)
        assert float(found.var()) == pytest.approx(mean, rel=2e-2, abs=1e-4)
        assert (found.diff() >= 0).all()
    alone = poisson(torch.tensor([3.0]), torch.tensor([NEARLY], dtype=torch.float64))
    both = poisson(torch.tensor([3.0, 5000.0]), torch.tensor([NEARLY, 0.5], dtype=torch.float64))
    assert alone[0] == both[0] < 80
    share = [exp(-4.0) * 4.0**k / factorial(k) for k in range(12)]
    counts = torch.bincount(poisson(torch.tensor(4.0), u), minlength=12)[:12]
    assert (counts / 20_000).tolist() == pytest.approx(share, abs=1e-4)


@every(["both_early", "both_late"])
def test_d25_clocks_that_strike_almost_at_once(package):
    """If all masks come at the start it is a canvas; if they are revealed at once, insertion."""
    for t in (0.1, 0.5):
        clean, masked, gone = chances(package.spec, t)
        if package.spec.has("beta(t) = 1 - t**"):
            assert gone < 0.001
            assert masked == pytest.approx(t, abs=0.05)
        else:
            assert masked < 0.05
            assert (clean, gone) == pytest.approx((1 - t, t), abs=0.05)
    _, decoded = made(package, MIXED, steps=60)
    assert distance(bodies(decoded), MIXED) < 0.06

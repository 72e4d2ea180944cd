"""Two clocks: tokens that become masks, and masks that go; against brute force."""

import itertools
import re
from collections import Counter
from math import comb, exp, factorial, log

import numpy as np
import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B, C
from laws.costs import over
from laws.decoded import bodies
from laws.examples import MIXED, around, examples, layouts, network, one, strings, tokens
from laws.flow import CLEAN, GONE, MASKED, Flow, chances, costs, hazards, integral, path_cost
from laws.scripted import Scripted, corrupted, draw, pick, repeat
from laws.stats import distance, follows, mean_is

MASK = VOCAB["mask"]
LIMIT = 8
TIMES = (0.1, 0.5, 0.83)
LAWS = {"fixed": strings(2), "mixed": MIXED}
COUNTED = [name for name in zoo.BOTHS if not zoo.SPECS[name].has("distribution")]
SAMPLERS = [(name, sampler) for name in zoo.BOTHS for sampler in zoo.SPECS[name].samplers]
DRAWN = [(name, t) for name in zoo.BOTHS for t in TIMES]
DRAWN += [("both_back", 0.5)]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
NEARLY = 1 - 2.0**-53


def every(names):
    return pytest.mark.parametrize("package", names, indirect=True)


def samplers(pairs):
    return pytest.mark.parametrize(("package", "name"), pairs, indirect=["package"])


def exact(package, law, wrong=0.0):
    size = 6 if package.spec.has("distribution") else None
    return Flow(package.spec, law, around(package), wrong, size)


# Corruption


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


# Losses


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


# Decoders


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

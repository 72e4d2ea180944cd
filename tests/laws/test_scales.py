"""Two clocks whose scales are learned: fates, costs, slopes and steps, against brute force."""

from collections import Counter
from dataclasses import replace
from itertools import product
from math import exp, factorial, log, prod

import mpmath
import numpy as np
import pytest
import torch
from laws.build import SIZE, VOCAB, A, B, C
from laws.decoded import bodies
from laws.examples import MIXED, around, examples, network, one
from laws.flow import CLEAN, GONE, MASKED, Flow
from laws.scripted import Scripted, draw, repeat
from laws.stats import distance, follows, mean_is

from xlm_runtime.plug import Example

MASK = VOCAB["mask"]
NAMES = ["scaled", "scaled_gaps"]  # the second one has scales of insertion alone
SCALES = {A: (0.5, 2.0), B: (3.0, 0.7), C: (1.5, 1.4)}  # of unmasking and of insertion
LAW = {(A, B): 0.5, (B,): 0.2, (B, A): 0.3}
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def packages(*names):
    return pytest.mark.parametrize("package", names or NAMES, indirect=True)


def clock(package, t):
    """The chance at a scale of 1 that a clock has not fired, and its hazard, by the spec."""
    return (
        (t, 1 / t)
        if package.spec.has("- t**")
        else (1 - (1 - t) ** 2, (2 - 2 * t) / (2 * t - t**2))
    )


def scales_of(package, row):
    """The scales of the tokens of a text: they depend on how many come before, too."""
    both = package.spec.has("poisson(mask)")
    return [
        (SCALES[x][0] * 1.2**i if both else 1.0, SCALES[x][1] * 1.3**i) for i, x in enumerate(row)
    ]


def chances_of(u, w, v):
    """Of a token to be clean, a mask and gone: the closed form of the paper, and its limit."""
    gone = u**v
    masked = v / (v - w) * (u**w - u**v) if w != v else -gone * log(gone)
    return 1 - gone - masked, masked, gone


def state_of(row, fates, scales):
    """A row as it is seen, and what is due there: tokens and scales of masks, sums of gaps."""
    seen, hidden, missing = [], [], [0.0]
    for token, fate, (w, v) in zip(row, fates, scales, strict=True):
        if fate == GONE:
            missing[-1] += v
        else:
            seen.append(MASK if fate == MASKED else token)
            hidden.append((token, w))
            missing.append(0.0)
    return tuple(seen), hidden, missing


def every(row):
    return product((CLEAN, MASKED, GONE), repeat=len(row))


class Known(Flow):
    """Scales of each text, and the exact rates of a law: of a mask to each token, of a gap."""

    def __init__(self, package, law, wrong=0.0):
        super().__init__(package.spec, law, around(package), wrong)
        self.package, self.law = package, law
        self.paces = []

    def clocks(self, x0, attend):
        found = torch.ones(2, *x0.shape, dtype=torch.float64)
        for i, ids in enumerate(x0.tolist()):
            places = [j for j, x in enumerate(ids) if x >= A]
            for j, pair in zip(
                places, scales_of(self.package, [ids[j] for j in places]), strict=True
            ):
                found[:, i, j] = torch.tensor(pair, dtype=torch.float64)
        return self.package.fates.Scales(*found)

    def rates(self, state, t):
        """The mean rates given a state: (place, token), and gap."""
        u, total = clock(self.package, max(t, 1e-12))[0], 0.0  # at 0 as if some were rare
        masks, gaps = np.zeros((len(state), VOCAB.size)), np.zeros(len(state) + 1)
        for row, p in self.law.items():
            scales = scales_of(self.package, row)
            for fates in every(row):
                seen, hidden, missing = state_of(row, fates, scales)
                if seen == state:
                    chance = p * prod(
                        chances_of(u, *pair)[fate] for pair, fate in zip(scales, fates, strict=True)
                    )
                    total += chance
                    gaps += chance * np.array(missing)
                    for i, (token, w) in enumerate(hidden):
                        masks[i, token] += chance * w
        if not total:  # long steps insert too much: nothing is known
            masks[:, A], total = 1.0, 1.0
        return masks / total, gaps / total

    def heads(self, state, t):
        masks, gaps = self.rates(state, t)
        if self.wrong:
            rng = np.random.default_rng([*state, 7])
            masks = masks * np.exp(self.wrong * rng.normal(size=masks.shape))
            gaps = gaps * np.exp(self.wrong * rng.normal(size=gaps.shape))
        self.last = self.around(masks.sum(1))
        return masks / masks.sum(1, keepdims=True).clip(1e-300), gaps

    def around(self, paces):
        """Scales of a body, and some for what is before and after it."""
        return np.concatenate([np.zeros(len(self.before)), paces, np.zeros(len(self.after))])

    def _answer(self, row, t):
        new = (row, t) not in self.known
        found = super()._answer(row, t)
        self.paces += [self.last] if new else []
        return found

    def pace(self, hidden):
        return self._read(self.paces, hidden, ())


def cost_of(package, flow, row, fates, t):
    """The cost of one state at a time, from the definition: of its masks, and of its gaps."""
    state, hidden, missing = state_of(row, fates, scales_of(package, row))
    law, gaps = flow.heads(state, t)
    paces = flow.last[len(flow.before) :]
    if not package.spec.has("poisson(mask)"):
        paces = np.ones(len(state) + 1)
    masks = sum(
        r - w + w * log(w / r) - w * log(law[i, token])
        for i, ((token, w), r) in enumerate(zip(hidden, paces, strict=False))
        if state[i] == MASK
    )
    return masks + sum(
        r - v + (v * log(v / r) if v else 0.0) for v, r in zip(missing, gaps, strict=True)
    )


def mean_cost(package, flow, row, t):
    """The expected cost of a text at a time, over all fates of its tokens."""
    u, scales = clock(package, t)[0], scales_of(package, row)
    shares = [chances_of(u, *pair) for pair in scales]
    return sum(
        prod(share[fate] for share, fate in zip(shares, fates, strict=True))
        * cost_of(package, flow, row, fates, t)
        for fates in every(row)
    )


def path_cost(package, flow, row):
    """The bound of a text: the hazard times the cost, over all times."""
    total = 0.0
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        x = (node + 1) / 2
        t = x**4  # dense near t = 0
        total += weight / 2 * 4 * x**3 * clock(package, t)[1] * mean_cost(package, flow, row, t)
    return total


def given(batch, fates, twins, package, net, t):
    """A batch of one row, whose free tokens have these fates, and those of its twin others."""
    scales = net.clocks(batch.x0, batch.attend)
    u = torch.tensor([[clock(package, t)[0]]], dtype=torch.float64)
    chance = package.fates.chances(u, scales).detach()
    draws = {}
    for stream, own in (("corrupt", fates), ("twin", twins)):
        at = torch.full(batch.x0.shape, 1 - 2.0**-53, dtype=torch.float64)
        for place, fate in zip(batch.free[0].nonzero()[:, 0].tolist(), own, strict=True):
            clean, masked, gone = (float(c[0, place]) for c in chance)
            at[0, place] = {GONE: gone / 2, MASKED: gone + masked / 2, CLEAN: 1 - clean / 2}[fate]
        draws[stream] = at
    times = torch.tensor([t], dtype=torch.float64)
    return package.family.corrupt(batch, times, Scripted(**draws), net)


# Fates


@packages("scaled")
def test_c6_chances_of_fates_keep_their_digits(package):
    """Against 60 digits: for scales far apart, nearly and exactly alike, at both ends of time."""
    for w, v in [
        (1.5, 3.0),
        (0.25, 4.0),
        (4.0, 0.25),
        (1.0, 1.0),
        (2.0, 2.0 + 1e-9),
        (0.7, 0.7001),
    ]:
        for t in (1e-30, 1e-3, 0.3, 0.84, 0.999, 1 - 1e-5):
            one_of = (
                torch.tensor([[w]], dtype=torch.float64),
                torch.tensor([[v]], dtype=torch.float64),
            )
            found = package.fates.chances(
                torch.tensor([[t]], dtype=torch.float64), package.fates.Scales(*one_of)
            ).flatten()
            with mpmath.workdps(60):
                u, a, b = mpmath.mpf(t), mpmath.mpf(w), mpmath.mpf(v)
                gone = u**b
                masked = b / (b - a) * (u**a - gone) if a != b else -gone * mpmath.log(gone)
                due = [float(1 - gone - masked), float(masked), float(gone)]
            assert found.tolist() == pytest.approx(due, rel=3e-9, abs=1e-300)
            assert float(found.sum()) == pytest.approx(1, abs=1e-12)
    _, masked, gone = chances_of(0.84, 1.5, 3.0)
    assert (gone, masked) == pytest.approx((0.592704, 0.354337), abs=1e-6)


@packages("scaled")
def test_c6_chances_of_fates_are_those_of_hazards_in_a_row(package):
    """A gone token returns at v / t, and then becomes clean at w / t: from the slopes."""
    t = torch.linspace(0.05, 0.95, 19, dtype=torch.float64)[:, None].requires_grad_()
    for w, v in [(1.5, 3.0), (1.0, 1.0), (0.3, 0.31)]:
        scales = package.fates.Scales(torch.full((19, 1), w), torch.full((19, 1), v))
        clean, masked, gone = package.fates.chances(t, scales)
        (back,) = torch.autograd.grad(gone.sum(), t, retain_graph=True)
        (shown,) = torch.autograd.grad(clean.sum(), t)
        assert torch.allclose(back, gone * v / t, rtol=1e-6)
        assert torch.allclose(-shown, masked * w / t, rtol=1e-6)


@packages("scaled")
def test_s11_chances_have_slopes_at_scales_that_are_equal(package):
    """As before training: those of the formula on both sides, and nothing is infinite."""

    def logs(t, pair):
        scales = package.fates.Scales(*pair[:, None, None])
        return package.fates.chances(torch.tensor([[t]]).double(), scales).log().flatten()

    ones, step = torch.ones(2, dtype=torch.float64), 1e-3
    for t in (1e-3, 0.5, 0.9999):
        slopes = torch.autograd.functional.jacobian(lambda pair, t=t: logs(t, pair), ones)
        sides = [
            (logs(t, ones + off) - logs(t, ones - off)) / (2 * step)
            for off in step * torch.eye(2, dtype=torch.float64)
        ]
        assert torch.allclose(slopes, torch.stack(sides, 1), rtol=1e-4, atol=1e-6)


@packages()
@pytest.mark.parametrize("t", [0.3, 0.8])
def test_c15_each_token_has_the_fates_of_its_own_clocks(package, t):
    """Given tokens stay; the twin is drawn independently, at the same time."""
    flow, number = Known(package, LAW), 8_000
    row = Example(0, (A, B, C), (), (False, False, True))
    batch = repeat(package.layout("infill")([row]), number)
    times = torch.full((number,), t, dtype=torch.float64)
    noised = package.family.corrupt(batch, times, draw(batch, 3), flow)
    u = clock(package, t)[0]
    scales = scales_of(package, (A, B, C))
    free = batch.free[0].nonzero()[:, 0].tolist()
    assert len(free) == 2
    for fate in (noised.fate, noised.twin_fate):
        assert not fate[~batch.free].any()
        found = Counter(map(tuple, fate[:, free].tolist()))
        law = {
            pair: chances_of(u, *scales[0])[pair[0]] * chances_of(u, *scales[1])[pair[1]]
            for pair in product(range(3), repeat=2)
        }
        follows([found[pair] for pair in law], [*law.values()])
    both = Counter(
        zip(noised.fate[:, free[0]].tolist(), noised.twin_fate[:, free[0]].tolist(), strict=True)
    )
    own = chances_of(u, *scales[0])
    follows([both[pair] for pair in product(range(3), repeat=2)],
            [own[a] * own[b] for a, b in product(range(3), repeat=2)])  # fmt: skip


@packages()
def test_c3_what_is_left_and_the_places_of_tokens_make_up_the_row(package):
    """Also of the twin: masks and tokens are where ``place`` says, and gaps miss sums of scales."""
    for name in package.family.layouts:
        batch, net = package.layout(name, 5)(examples(name)), network(package, name)
        scales = net.clocks(batch.x0, batch.attend)
        times = torch.linspace(0.2, 0.9, len(batch.x0), dtype=torch.float64)
        first = package.family.corrupt(batch, times, draw(batch, 2), net)
        second = first.swapped()
        assert torch.equal(second.twin_fate, first.fate)
        for noised in (first, second):
            there = (noised.fate != GONE) & (batch.x0 != VOCAB["pad"])
            row, place = there.nonzero(as_tuple=True)
            shown = torch.where(noised.fate == MASKED, MASK, batch.x0)[there]
            assert torch.equal(noised.xt[row, noised.place[row, place]], shown)
            due = torch.zeros_like(scales.insertion)
            for i, j in (noised.fate == GONE).nonzero().tolist():
                before = int((noised.fate[i, :j] != GONE).sum()) - 1
                due[i, before] += scales.insertion[i, j]
            assert torch.allclose(package.noise.gap_scales(noised, scales), due)
            assert not (due[~noised.open] > 0).any()


# Losses


@packages()
@pytest.mark.parametrize(("layout", "body"), [("text", (A,)), ("infill", (A, B, C))])
def test_l20_the_expected_slope_is_that_of_the_enumerated_objective(package, layout, body):
    """Over all pairs of corruptions of a row: for the clocks and for the first network."""
    net, t = network(package), 0.6
    kept = (False, False, True) if layout == "infill" else ()
    batch = package.layout(layout, len(body))([Example(0, body, (), kept)])
    weights = [*net.parameters()]
    sets = list(product(range(3), repeat=int(batch.free.sum())))
    u, hazard = clock(package, t)

    def chance_of(fates):
        scales = net.clocks(batch.x0, batch.attend)
        total = torch.ones((), dtype=torch.float64)
        for place, fate in zip(batch.free[0].nonzero()[:, 0].tolist(), fates, strict=True):
            w, v = scales.unmasking[0, place], scales.insertion[0, place]
            gone, masked = u**v, v / (v - w) * (u**w - u**v)
            total = total * (1 - gone - masked, masked, gone)[fate]
        return total

    def cost(fates):
        ids, free = batch.x0[0].tolist(), batch.free[0].nonzero()[:, 0].tolist()
        scales, fate = net.clocks(batch.x0, batch.attend), dict(zip(free, fates, strict=True))
        left = [j for j in range(len(ids)) if fate.get(j) != GONE]
        xt = torch.tensor([[MASK if fate.get(j) == MASKED else ids[j] for j in left]])
        hidden = net.trunk(xt, None, torch.tensor([t], dtype=torch.float64))[0]
        total = torch.zeros((), dtype=torch.float64)
        for i, j in enumerate(left):
            if fate.get(j) == MASKED:
                w, law = scales.unmasking[0, j], net.token(hidden[i : i + 1])[0].log_softmax(-1)
                total = total - w * law[ids[j]]
                if package.spec.has("poisson(mask)"):
                    r = net.pace(hidden[i : i + 1])[0]
                    total = total + r - w + w * (w / r).log()
            if batch.open[0, j]:
                gone = [k for k in free if fate[k] == GONE and j < k < [*left, len(ids)][i + 1]]
                v, r = sum(scales.insertion[0, k] for k in gone), net.gap(hidden[i : i + 1])[0]
                total = total + r - v + (v * (v / r).log() if gone else 0.0)
        return total

    width = 0.999 * hazard
    over = batch.room * len(batch.x0)
    whole = sum(chance_of(one_) * cost(one_) for one_ in sets) * width / over
    wanted = torch.autograd.grad(whole, weights, allow_unused=True)
    found, value = [torch.zeros_like(w) for w in weights], 0.0
    for first, second in product(sets, sets):
        noised = given(batch, first, second, package, net, t)
        both = float((chance_of(first) * chance_of(second)).detach())
        loss = package.family.loss(net, noised, batch, cap=1e9).total
        value += both * float(loss.detach())
        slopes = torch.autograd.grad(loss, weights, allow_unused=True)
        found = [a if b is None else a + both * b for a, b in zip(found, slopes, strict=True)]
    assert value == pytest.approx(float(whole.detach()), rel=1e-9)
    for name, mine, due in zip(dict(net.named_parameters()), found, wanted, strict=True):
        assert torch.allclose(mine, torch.zeros_like(mine) if due is None else due, atol=1e-9), name
    clocks = [
        one_ for n, one_ in zip(dict(net.named_parameters()), found, strict=True) if "clocks" in n
    ]
    assert max(float(one_.abs().max()) for one_ in clocks) > 1e-4


@packages()
def test_l20_the_slope_adds_nothing_to_the_value(package):
    """The loss is the mean of the costs of both corruptions, and finite at both ends of time."""
    net, batch = network(package), package.layout("text", 5)(examples("text"))
    for low, high in ((0.2, 0.9), (1e-3, 1e-3), (1 - 1e-9, 1 - 1e-9), (1.0, 1.0)):
        t = torch.linspace(low, high, len(batch.x0), dtype=torch.float64)
        noised = package.family.corrupt(batch, t, draw(batch), net)
        twin = noised.swapped()
        scales, total = net.clocks(batch.x0, batch.attend), 0.0
        for own in (noised, twin):
            hidden = net.trunk(own.xt, own.attend, own.t)
            given = {"network": net, "hidden": hidden, "noised": own, "scales": scales, "cap": 1.0}
            total += package.loss.token_term(**given, batch=batch).sum()
            total += package.loss.gap_term(**given).sum()
            if package.spec.has("poisson(mask)"):
                total += package.loss.pace_term(**given).sum()
        net.zero_grad()
        found = package.family.loss(net, noised, batch, cap=1.0)
        found.total.backward()
        assert float(found.total.detach()) == pytest.approx(
            float(total.detach()) / 2 / found.over, rel=1e-12
        )
        slopes = [one_.grad for one_ in net.parameters() if one_.grad is not None]
        assert all(bool(slope.isfinite().all()) for slope in slopes)


@packages()
def test_l30_no_rates_cost_less_than_the_exact_ones(package):
    """The mean of each state over the data: of masks and gaps, at any time."""
    exact = Known(package, LAW)
    others = [Known(package, LAW, wrong) for wrong in (0.1, -0.1, 0.5)]
    for t in (0.2, 0.7):
        found = [
            sum(p * mean_cost(package, flow, row, t) for row, p in LAW.items())
            for flow in (exact, *others)
        ]
        assert all(found[0] < one_ for one_ in found[1:])


@packages()
@pytest.mark.parametrize("wrong", [0.0, 0.5], ids=["exact", "wrong"])
def test_l30_the_bound_is_the_cost_of_the_paths(package, wrong):
    """For any rates and any scales; not below -log p, and its draws are unbiased."""
    flow = Known(package, LAW, wrong)
    row = (A, B)
    due = path_cost(package, flow, row)
    assert due > -log(LAW[row])
    batch = repeat(one(package, row), 3_000)
    mean_is(package.family.nelbo(flow, batch, draw(batch, 32)).nats, due)


@packages()
def test_l30_the_loss_is_the_cost_of_its_states(package):
    """For wrong rates: that of each corruption, with the hazard at a scale of 1 for its weight."""
    flow, row, t = Known(package, LAW, 0.5), (A, B), 0.4
    batch = one(package, row)
    for first, second in [((MASKED, GONE), (CLEAN, CLEAN)), ((GONE, GONE), (MASKED, MASKED))]:
        noised = given(batch, first, second, package, flow, t)
        found = package.family.loss(flow, noised, batch, cap=1e9)
        due = sum(cost_of(package, flow, row, fates, t) for fates in (first, second)) / 2
        assert float(found.total) * batch.room == pytest.approx(0.999 * clock(package, t)[1] * due)


@packages("scaled")
def test_l30_at_scales_of_1_it_is_the_family_without_scales(package, workshop):
    """Of equal states the same loss, of equal noise the same samples; rates of 1 cost nothing."""
    plain_, net = (
        workshop.package("flexmdm"),
        package.family.network(VOCAB, VOCAB.allowed(()), SIZE),
    )
    net.requires_grad_(False)
    batch = package.layout("text", 5)(examples("text"))
    scales = net.clocks(batch.x0, batch.attend)
    assert (scales.unmasking == 1).all()
    assert (scales.insertion == 1).all()
    flow = Flow(workshop.specs["flexmdm"], MIXED, around(plain_), 0.5)
    flow.clocks, flow.pace = net.clocks, lambda hidden: torch.ones(len(hidden), dtype=torch.float64)
    row, t = (A, A, B), 0.4
    batch = one(package, row)
    for fates in every(row):
        noised = given(batch, fates, fates, package, flow, t)
        assert int(noised.fate.sum()) == sum(fates)
        both = package.family.loss(flow, noised, batch, cap=1e9).terms
        same = plain_.family.loss(flow, flexible(plain_, batch, fates, t), batch, cap=1e9).terms
        for name, term in same.items():
            assert float(both[name]) == pytest.approx(float(term), rel=1e-6, abs=1e-12)
        assert float(both["pace"]) == pytest.approx(0, abs=1e-12)
    batch = repeat(one(package, (A,)), 300)
    for name in ("default", "adaptive"):
        found, due = (
            made.sampler(name, steps=12)(flow, batch, draw(batch, 5), 6)
            for made in (package, plain_)
        )
        assert bodies(found) == bodies(due)


def flexible(package, batch, fates, t):
    """The same fates under the family without scales."""
    draws = {
        name: torch.full(batch.x0.shape, 1 - 2.0**-53).double() for name in ("insert", "unmask")
    }
    for place, fate in zip(batch.free[0].nonzero()[:, 0].tolist(), fates, strict=True):
        draws["insert"][0, place] = 0.0 if fate == GONE else 1 - 2.0**-53
        draws["unmask"][0, place] = 0.0 if fate == MASKED else 1 - 2.0**-53
    return package.family.corrupt(batch, torch.tensor([t]).double(), Scripted(**draws), VOCAB)


# The second network and the decoders


@packages()
def test_s11_the_second_network_sees_the_text_alone_and_drops_nothing(package):
    """Scales depend on what is around a token, not on padding, and are the same in each call.

    They are 1 before training.
    """
    made = package.family.network(VOCAB, VOCAB.allowed(()), replace(SIZE, dropout=0.5))
    net = network(package)
    made.load_state_dict(net.state_dict())
    made.double().requires_grad_(False).train()
    rows = [Example(0, (A, B, C)), Example(1, (A, C, C)), Example(2, (A, B, C, A, A))]
    batch = package.layout("text", 5)(rows)
    fresh = package.family.network(VOCAB, VOCAB.allowed(()), SIZE)
    assert (fresh.clocks(batch.x0, batch.attend).insertion == 1).all()
    found = made.clocks(batch.x0, batch.attend).insertion
    assert torch.equal(found, made.clocks(batch.x0, batch.attend).insertion)
    assert bool(((found > 0.25) & (found < 4)).all())
    assert float((found[0] - found[1])[1].abs()) > 1e-3
    short = package.layout("text", 3)(rows[:1])
    alone = made.clocks(short.x0, short.attend).insertion
    assert torch.allclose(alone[0], found[0, : alone.shape[1]], atol=1e-12)


@packages("scaled")
def test_d42_a_mask_is_revealed_by_its_rate_and_masks_come_by_that_of_the_gap(package):
    """From t to s: with 1 - (s / t)^r, and in a Poisson number of mean r (t - s) / t."""
    number, rates = 8_000, (0.3, 2.5)

    class Told(Known):
        def heads(self, state, t):
            law = np.zeros((len(state), VOCAB.size))
            law[:, B] = 1.0
            self.last = self.around(np.resize(rates, len(state)))
            return law, np.full(len(state) + 1, 0.8)

    flow = Told(package, LAW)
    batch = repeat(package.layout("text")([Example(0, (A, A))]), number)
    batch = replace(batch, x0=torch.where(batch.free, MASK, batch.x0))
    canvas = package.canvas.Canvas.of(flow, batch, 12)
    times = [torch.tensor(x, dtype=torch.float64) for x in (0.8, 0.6)]
    after = package.sampler(steps=4).step(canvas, package.ticks.Tick(*times), draw(batch, 9))
    gaps = int(batch.open[0].sum())
    added = Counter((after.free.sum(1) - 2).tolist())
    mean = gaps * 0.8 * 0.25
    law = [exp(-mean) * mean**k / factorial(k) for k in range(8)]
    follows([added[k] for k in range(8)], [one_ / sum(law) for one_ in law])
    stays = [0.75**rate for rate in rates]
    same = after.free.sum(1) == 2  # where none came between
    masks = (after.x[same] == MASK).long()
    ids = after.free[same].long()
    found = Counter(tuple(row[own.bool()].tolist()) for row, own in zip(masks, ids, strict=True))
    law = {(a, b): (stays[0] if a else 1 - stays[0]) * (stays[1] if b else 1 - stays[1])
           for a, b in product((0, 1), repeat=2)}  # fmt: skip
    follows([found[pair] for pair in law], [*law.values()])


@packages()
def test_d2_many_steps_give_the_data(package):
    """With exact rates; the tokens and masks on the way are those of the noise."""
    flow, number, steps = Known(package, LAW), 1_500, 120
    batch = repeat(one(package, (A,)), number)
    made = package.sampler(steps=steps)(flow, batch, draw(batch, 41), 6, True)
    few = package.sampler(steps=8)(flow, batch, draw(batch, 41), 6)
    assert distance(bodies(made), LAW) < 0.1
    assert distance(bodies(few), LAW) > 2 * distance(bodies(made), LAW)
    for i in (40, 80):
        u, due = clock(package, 1 - i / steps)[0], np.zeros(3)
        for row, p in LAW.items():
            due += p * sum(np.array(chances_of(u, *pair)) for pair in scales_of(package, row))
        state = made.history[i]
        assert float((state == MASK).sum(1).double().mean()) == pytest.approx(due[1], abs=0.08)
        assert float((state >= A).sum(1).double().mean()) == pytest.approx(due[0], abs=0.08)


def test_claims_with_scales(workshop):
    """The default decoder follows the rates; the adaptive one by confidence does not."""
    for name in NAMES:
        family = workshop.package(name).family
        assert family.claim.value == "bound"
        assert family.learned
        assert not family.clocks
        assert family.samples["default"].law == "limit"
    family = workshop.package("scaled").family
    assert family.samples["adaptive"].law == "none"

"""Two clocks whose scales are learned: fates, the second network and steps, against brute force."""

from collections import Counter
from dataclasses import replace
from itertools import product
from math import exp, factorial

import mpmath
import numpy as np
import pytest
import torch
from laws.build import SIZE, VOCAB, A, B, C
from laws.decoded import bodies
from laws.examples import examples, network, one
from laws.flow import GONE, MASKED
from laws.scaled import LAW, NAMES, Known, chances_of, clock, packages, scales_of
from laws.scripted import draw, repeat
from laws.stats import distance, follows

from xlm_runtime.plug import Example

MASK = VOCAB["mask"]


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

"""Losses and bounds of two clocks whose scales are learned, and the slopes, against brute force."""

from itertools import product
from math import log

import pytest
import torch
from laws.build import SIZE, VOCAB, A, B, C
from laws.decoded import bodies
from laws.examples import MIXED, around, examples, network, one
from laws.flow import CLEAN, GONE, MASKED, Flow
from laws.scaled import LAW, Known, clock, cost_of, every, given, mean_cost, packages, path_cost
from laws.scripted import Scripted, draw, repeat
from laws.stats import mean_is

from xlm_runtime.plug import Example

MASK = VOCAB["mask"]


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

"""Samplers that correct what masked diffusion has written, on the network of another sampler."""

import itertools
from math import comb, exp

import pytest
import torch
from laws.build import VOCAB, A, B, Package, Workshop
from laws.decoded import APART, LIMIT, bodies, filled, mask_table
from laws.examples import examples, layouts, network, strings
from laws.scripted import draw
from laws.stats import follows, samples_of

MASK = VOCAB["mask"]


@pytest.fixture
def dfm(workshop: Workshop) -> Package:
    return workshop.package("dfm")


@pytest.fixture
def conf(workshop: Workshop) -> Package:
    return workshop.package("remdm_conf")


@pytest.fixture
def p2(workshop: Workshop) -> Package:
    return workshop.package("p2")


def same_as_mdlm(package, mdlm, **off) -> None:
    for layout in ("text", "seq2seq", "infill"):
        batch = mdlm.layout(layout, 5)(examples(layout))
        net = network(mdlm, layout)
        made = package.sampler(steps=5, **off)(net, batch, draw(batch, 3), LIMIT)
        plain = mdlm.sampler(steps=5)(net, batch, draw(batch, 3), LIMIT)
        assert torch.equal(made.x, plain.x)


@pytest.mark.parametrize("name", ["dfm", "remdm_conf"])
def test_d9_a_corrector_that_is_off_is_masked_diffusion(workshop, name) -> None:
    off = {"strength": 0.0} if name == "dfm" else {"eta": 0.0}
    same_as_mdlm(workshop.package(name), workshop.package("mdlm"), **off)


@pytest.mark.parametrize("strength", [0.5, 10.0])
def test_d9_a_corrector_keeps_the_marginals(dfm, strength) -> None:
    """At every time of the grid the masks are binomial with 1 - alpha(t), however many go back."""
    steps, table = 6, mask_table(dfm, APART)
    sampler = dfm.sampler(strength=strength, steps=steps)
    _, decoded = filled(dfm, table, sampler, 2, rows=6000, record=True)
    for i, state in enumerate(decoded.history[: steps + 1]):
        p = i / steps
        law = [comb(2, k) * (1 - p) ** k * p ** (2 - k) for k in range(3)]
        follows(torch.bincount((state == MASK).sum(1), minlength=3).tolist(), law)
    samples_of(bodies(decoded), APART)


def test_d9_a_corrector_goes_back_at_its_rate(dfm) -> None:
    """A share strength (s (1 - s))^(1/4) (alpha(s) / alpha(t) - 1) of the tokens that are there."""
    steps, table = 8, mask_table(dfm, APART)
    sampler = dfm.sampler(strength=0.8, steps=steps)
    _, decoded = filled(dfm, table, sampler, 2, rows=6000, record=True)
    for i, (before, after) in enumerate(itertools.pairwise(decoded.history[: steps + 1])):
        t, s = 1 - i / steps, 1 - (i + 1) / steps
        written = (before != MASK)[:, 1:3]
        if i:
            back = 0.8 * (s * (1 - s)) ** 0.25 * ((1 - s) / (1 - t) - 1)
            gone = int(((after == MASK)[:, 1:3] & written).sum())
            total = int(written.sum())
            follows([gone, total - gone], [min(back, s / (1 - t)), 1 - min(back, s / (1 - t))])


def test_d9_what_was_least_sure_comes_back_by_a_softmax(conf) -> None:
    """Of two tokens that are there one comes back with the chance softmax(-confidence)."""
    table = mask_table(conf, APART)  # whose confidence is that of the token, whenever it is drawn
    sure = ({A: 0.8, B: 0.2}, {A: 0.3, B: 0.7})
    _, decoded = filled(conf, table, conf.sampler(steps=12), 2, rows=40_000, record=True)
    counts: dict[tuple[int, int], list[int]] = {}
    for before, after in itertools.pairwise(decoded.history[:13]):
        lost = ((before != MASK) & (after == MASK))[:, 1:3]
        one = (before[:, 1:3] != MASK).all(1) & (lost.sum(1) == 1)
        for pair, second in zip(
            before[one][:, 1:3].tolist(), lost[one][:, 1].tolist(), strict=True
        ):
            counts.setdefault((pair[0], pair[1]), [0, 0])[second] += 1
    assert len(counts) == 4
    for (first, second), found in counts.items():
        low, high = exp(-sure[0][first]), exp(-sure[1][second])
        follows(found, [low / (low + high), high / (low + high)])


def test_d9_one_token_a_step_comes_back_at_most_on_average(conf) -> None:
    """A Poisson number, of mean min(eta, (1 - alpha(s)) / alpha(t)), as far as there are some."""
    table, seen = mask_table(conf, APART), 0
    _, decoded = filled(conf, table, conf.sampler(steps=12), 2, rows=10_000, record=True)
    for i, (before, after) in enumerate(itertools.pairwise(decoded.history[:13])):
        t, s = 1 - i / 12, 1 - (i + 1) / 12
        full = (before[:, 1:3] != MASK).all(1)
        if int(full.sum()) > 500:
            seen += 1
            rate = min(1.0, s / (1 - t))
            counts = torch.bincount((after[full][:, 1:3] == MASK).sum(1), minlength=3).tolist()
            none, one = exp(-rate), rate * exp(-rate)
            follows(counts, [none, one, 1 - none - one])
    assert seen > 3


def test_d38_as_many_places_have_a_token_as_the_plan_says(p2) -> None:
    """floor(length (1 - s)) of each row after a step to s; no mask is left."""
    for name, _, batch in layouts(p2):
        made = p2.sampler(steps=4)(network(p2, name), batch, draw(batch), LIMIT, record=True)
        length = batch.free.sum(1)
        for i, state in enumerate(made.history[:5]):
            shown = ((state != MASK) & batch.free).sum(1)
            assert torch.equal(shown, (length * i / 4 + 1e-9).floor().long())
            assert torch.equal(state[~batch.free], batch.x0[~batch.free])
        assert not (made.x == MASK).any()


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0, 2.0])
def test_d38_the_places_that_lose_have_the_unlikeliest_tokens(p2, eta: float) -> None:
    """A token that is taken back is less likely than any that is there afterwards.

    The chances of those that were there before are to the power of eta.
    """
    net, lost = network(p2), 0
    batch = p2.layout("text", 5)(examples("text"))
    for seed in range(60):
        sampler = p2.sampler(steps=5, eta=eta)
        made = sampler(net, batch, draw(batch, seed), LIMIT, record=True)
        for before, after in itertools.pairwise(made.history[:6]):
            law = net.token(net.trunk(before, batch.attend).flatten(0, 1)).softmax(-1)
            law = law.view(*before.shape, -1)
            back = (before != MASK) & (after == MASK) & batch.free
            there = (after != MASK) & batch.free
            sure = law.gather(2, torch.where(back, before, after)[..., None])[..., 0]
            sure = torch.where(before == MASK, sure, sure**eta)
            most = torch.where(back, sure, 0).amax(1)
            least = torch.where(there, sure, 1).amin(1)
            assert (most <= least + 1e-9).all()
            lost += int(back.sum())
    assert lost > 20 or eta < 1
    assert lost == 0 or eta > 0


def test_d38_where_what_is_written_is_certain_it_is_never_taken_back(p2) -> None:
    """With exact answers a plan is the quota of the surest that were drawn, token by token."""
    table = mask_table(p2, strings(3))
    made = [
        filled(p2, table, p2.sampler(name, steps=5), 3, rows=400, record=True)[1]
        for name in ("default", "plain")
    ]
    assert torch.equal(made[0].x, made[1].x)
    for one, other in zip(*(part.history[:6] for part in made), strict=True):
        assert torch.equal(one, other)
    assert p2.family.samples["default"].law == "none"


def test_d38_at_weight_0_it_is_the_quota_of_the_surest(p2) -> None:
    """Whatever the network says of tokens that are there."""
    batch = p2.layout("text", 5)(examples("text"))
    for seed in range(5):
        made = [
            p2.sampler(name, steps=5, **told)(network(p2), batch, draw(batch, seed), LIMIT)
            for name, told in (("default", {"eta": 0.0}), ("plain", {}))
        ]
        assert torch.equal(made[0].x, made[1].x)


def test_d38_a_token_that_stays_is_never_drawn_anew(p2) -> None:
    """Only places that were masks get another token."""
    net, batch = network(p2), p2.layout("text", 5)(examples("text"))
    for seed in range(5):
        made = p2.sampler(steps=5)(net, batch, draw(batch, seed), LIMIT, record=True)
        for before, after in itertools.pairwise(made.history[:6]):
            stays = (before != MASK) & (after != MASK)
            assert torch.equal(before[stays], after[stays])

"""Samplers that correct what masked diffusion has written, on the network of another sampler."""

import itertools
from math import comb, exp

import pytest
import torch
from laws.build import VOCAB, Package, Workshop
from laws.examples import examples, network, strings
from laws.scripted import draw
from laws.stats import follows, samples_of
from laws.test_decoders import LIMIT, bodies, filled, mask_table
from laws.test_remask import APART

MASK = VOCAB["mask"]


@pytest.fixture
def dfm(workshop: Workshop) -> Package:
    return workshop.package("dfm")


@pytest.fixture
def conf(workshop: Workshop) -> Package:
    return workshop.package("remdm_conf")


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
    """Of the tokens that are there a share of strength (s (1 - s))^(1/4) (alpha(s) / alpha(t) - 1)."""
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
    table = mask_table(conf, strings(2))
    sampler = conf.sampler(steps=12)
    _, decoded = filled(conf, table, sampler, 2, rows=30_000, record=True)
    counts: dict[tuple[float, float], list[int]] = {}
    for i, (before, after) in enumerate(itertools.pairwise(decoded.history[:12])):
        if i:
            both = ((before != MASK) & (after == MASK))[:, 1:3].sum(1) == 1
            earlier = decoded.history[i - 1]
            fresh = both & (earlier[:, 1:3] == MASK).all(1) & (before[:, 1:3] != MASK).all(1)
            hidden = table.trunk(earlier[fresh], None)
            chances = table.token(hidden.flatten(0, 1)).softmax(-1).detach()
            chances = chances.view(*hidden.shape[:2], -1)
            for row, old, new in zip(chances, before[fresh], after[fresh], strict=True):
                sure = tuple(round(float(row[p, old[p]]), 6) for p in (1, 2))
                counts.setdefault(sure, [0, 0])[int(new[2] == MASK)] += 1
    assert sum(map(sum, counts.values())) > 200
    for (first, second), found in counts.items():
        low, high = exp(-first), exp(-second)
        follows(found, [low / (low + high), high / (low + high)])


def test_d9_one_token_a_step_comes_back_at_most_on_average(conf) -> None:
    """As many as min(eta, (1 - alpha(s)) / alpha(t)), where there are enough."""
    table = mask_table(conf, strings(3))
    _, decoded = filled(conf, table, conf.sampler(steps=8), 3, rows=6000, record=True)
    for i, (before, after) in enumerate(itertools.pairwise(decoded.history[:9])):
        t, s = 1 - i / 8, 1 - (i + 1) / 8
        again = ((before != MASK) & (after == MASK))[:, 1:4].sum(1)
        full = (before[:, 1:4] != MASK).all(1)
        if int(full.sum()) > 500:
            rate = min(1.0, s / max(1 - t, 1e-9))
            law = [exp(-rate) * rate**k / [1, 1, 2][k] for k in range(3)]
            counts = torch.bincount(again[full], minlength=4).tolist()
            follows(counts[:4], [*law, 1 - sum(law)])

"""Draws of tokens: temperatures, truncations, and what is drawn at all."""

from math import inf, log

import pytest
import torch
from laws import zoo
from laws.build import A, B, C
from laws.decoded import EVERY, LIMIT, bodies, cases, every, samplers, table_of
from laws.examples import one
from laws.scripted import draw, repeat
from laws.stats import samples_of

ONE_TOKEN = {(A,): 0.5, (B,): 0.3, (C,): 0.2}
CUTS = [
    ({}, (0.5, 0.3, 0.2)),
    ({"temperature": 0.0}, (1.0, 0.0, 0.0)),
    ({"temperature": 0.5}, (25 / 38, 9 / 38, 4 / 38)),
    ({"top_k": 1}, (1.0, 0.0, 0.0)),
    ({"top_k": 2}, (0.625, 0.375, 0.0)),
    ({"top_p": 0.0}, (1.0, 0.0, 0.0)),
    ({"top_p": 0.45}, (1.0, 0.0, 0.0)),
    ({"top_p": 0.7}, (0.625, 0.375, 0.0)),
    ({"top_p": 0.9}, (0.5, 0.3, 0.2)),
    ({"temperature": 0.5, "top_p": 0.6}, (1.0, 0.0, 0.0)),
]
CUTTING = [(name, sampler) for name, sampler in EVERY if zoo.SPECS[name].cuts(sampler)]


@samplers(CUTTING)
def test_d12_temperature_and_truncation(package, name):
    """T = 0 gives the likeliest, T = 1 the law; nucleus keeps the token that crosses p (D13).

    In every family, in its steps and in what is left for the end: of bodies of one token.
    """
    table, cuts = table_of(package, ONE_TOKEN), package.spec.cuts(name)
    neutral = {cut: {"temperature": 1.0, "top_k": 0, "top_p": 1.0}[cut] for cut in cuts}
    if "steps" in {param.name for param in package.family.params[name]}:
        neutral["steps"] = 3
    for params, chances in CUTS:
        if not set(params) <= set(cuts):
            continue
        sampler = package.sampler(name, **(neutral | params))
        batch = repeat(one(package, (A,)), 1500)
        found = bodies(sampler(table, batch, draw(batch, 43), 1))
        if package.spec.two:
            del found[()]  # rows into which nothing, or too much, was inserted
        assert found.total() > 300
        law = dict(zip(ONE_TOKEN, chances, strict=True))
        samples_of(found, {row: p for row, p in law.items() if p})


UNSAMPLED = [  # decoders whose orders do not look at the token that is drawn
    *(("mlm", name) for name in ("default", "threshold", "bounded")),
    *(("mask_orders", name) for name in ("default", "single", "loud", "threshold")),
    *(("dream", name) for name in ("threshold", "bounded", "origin")),
    ("flexmdm", "adaptive"),
]


@samplers(UNSAMPLED)
def test_d10_only_what_is_revealed_is_drawn(package, name, monkeypatch):
    """Once for each place, however many masks the network was asked about."""
    drawn, categorical = [], package.sampling.categorical

    def counted(logits, u):
        drawn.append(len(u))
        return categorical(logits, u)

    monkeypatch.setattr(package.sampling, "categorical", counted)
    if hasattr(package.decoder, "categorical"):
        monkeypatch.setattr(package.decoder, "categorical", counted)
    warm = "temperature" in package.sampler(name).__dataclass_fields__
    own = {"temperature": 1.0} if warm else {}
    for _, batch, net in cases(package):
        drawn.clear()
        decoded = package.sampler(name, **own)(net, batch, draw(batch, 3), LIMIT)
        kept = batch.inside & ~batch.free
        assert sum(drawn) == int(decoded.body.sum() - kept.sum())


@every(zoo.those("temperature", "top_k", "top_p"))
def test_d12_a_draw_at_temperature_0_takes_the_first_of_the_likeliest(package):
    """As if all but the likeliest, of equal ones the first, had been cut off."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randint(0, 4, (500, 9), generator=generator).double()
    logits[:, 2] = -inf
    u = torch.rand(500, generator=generator, dtype=torch.float64)
    found = package.sampling.drawn(logits, u, temperature=0.0, top_k=3, top_p=0.5)
    assert torch.equal(found, logits.argsort(dim=-1, descending=True, stable=True)[:, 0])


@pytest.mark.slow
@every(zoo.those("top_p"))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_d13_nucleus(package, dtype, order):
    """(.5, .3, .2): .5 keeps one, .7 and .8 two, near 1 all."""
    chances = torch.tensor([0.5, 0.3, 0.2], dtype=dtype)[list(order)]
    for p, kept in [(0, 1), (0.3, 1), (0.5, 1), (0.7, 2), (0.8, 2), (0.99, 3), (1, 3)]:
        found = package.sampling.keep_top_p(chances.log()[None], p)[0]
        assert found.isfinite().tolist() == [rank < kept for rank in order], p


@every(zoo.those("draw"))
def test_d12_draws_invert_the_law(package):
    """Every u gives the outcome at which the distribution function passes it; none of chance 0."""
    logits = torch.tensor([-inf, log(0.5), -inf, log(0.25), log(0.25), -inf])
    u = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    found = package.sampling.categorical(logits.expand(1000, -1), u)
    assert torch.bincount(found, minlength=6).tolist() == [0, 500, 0, 250, 250, 0]
    ends = torch.tensor([0.0, 1 - 2.0**-53], dtype=torch.float64)
    assert package.sampling.categorical(logits.expand(2, -1), ends).tolist() == [1, 4]


@every(zoo.those("temperature", "top_k", "top_p"))
def test_d12_every_temperature_keeps_to_the_law(package):
    """However low or high: float32 would divide by 0, and give the id behind the last."""
    whole = {"top_k": 0, "top_p": 1.0}
    logits = torch.tensor([0.0, 1.0, 1.5, -inf]).expand(3, -1)
    u = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    for temperature in (5e-324, 1e-320, 1e-46, 1e-39, 1e-7):
        assert package.sampling.drawn(logits, u, temperature, **whole).tolist() == [2, 2, 2]
    for temperature in (1e9, 1e39, 1e300):
        assert package.sampling.drawn(logits, u, temperature, **whole).tolist() == [0, 1, 2]


@every(zoo.those("tempered("))
def test_d12_the_temperature_of_a_chance(package):
    odds = torch.tensor([-3.0, -0.1, 0.0, 2.0], dtype=torch.float64)
    chance = package.sampling.tempered_chance
    assert torch.equal(chance(odds, 1.0), odds.sigmoid())
    assert torch.allclose(chance(odds, 2.0), 1 / (1 + (-odds / 2).exp()))
    assert chance(odds, 0.0).tolist() == [0, 0, 0, 1]
    for low in (5e-324, 1e-46, 1e-39):
        assert chance(odds.float(), low).tolist() == [0, 0, 0.5, 1]

"""A text is corrected after the last step: its tokens give way to surer ones, one after another."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from laws.build import VOCAB, A, B, C, Package, Workshop
from laws.examples import layouts, network
from laws.fixed import LAWS, Fixed, enumerated
from laws.scripted import alone, draw, repeat
from laws.stats import samples_of

from xlm_runtime.plug import Example

PAD = VOCAB["pad"]
COLD = {"steps": 3, "cold": 0.0, "corrections": 40}


@pytest.fixture(params=["gidd", "udlm_corrected"])
def package(request, workshop: Workshop) -> Package:
    return workshop.package(request.param)


@pytest.fixture
def masked(workshop: Workshop) -> Package:
    return workshop.package("gidd")


def by_hand(net, row, free, least):
    """The row after all corrections, and their number; the last changes nothing, or is the 40th."""
    t, calls, before = torch.tensor([least], dtype=torch.float64), 0, None
    while row != before and calls < COLD["corrections"]:
        before, calls = list(row), calls + 1
        with torch.no_grad():
            law = net.token(net.trunk(torch.tensor([row]), None, t)[0]).softmax(-1)
        sure, likeliest = law.max(-1)
        other = [i for i in free if int(likeliest[i]) != row[i]]
        for i in sorted(other, key=lambda i: -float(sure[i]))[:1]:
            row = [*row[:i], int(likeliest[i]), *row[i + 1 :]]
    return row, calls


def test_d26_the_surest_token_that_would_change_does_until_none_would(package) -> None:
    """Against plain Python, which takes up the text that the steps leave: tokens and calls."""
    body, least = (A, B, C, A, B), package.spec.low
    plain = package.sampler(steps=3)
    cold = package.sampler("corrected", **COLD)
    changed = 0
    for seed in range(8):
        batch = package.layout("text")([Example(seed, body)])
        net = network(package, seed=seed)
        left, made = (one(net, batch, draw(batch), 5) for one in (plain, cold))
        free = batch.free[0].nonzero()[:, 0].tolist()
        row, calls = by_hand(net, left.x[0].tolist(), free, least)
        assert made.x[0].tolist() == row
        assert int(made.nfe[0]) == 3 + calls
        changed += 1 < calls < COLD["corrections"]
    assert changed > 1


def test_d26_a_text_of_the_likeliest_tokens_stays(package) -> None:
    (_, _, batch), *_ = layouts(package)
    net, sampler = network(package), package.sampler("corrected", **COLD)
    made = sampler(net, batch, draw(batch), 5)
    canvas = sampler.canvas.of(net, replace(batch, x0=made.x), 5)
    *_, tick = sampler.ticks(canvas, draw(batch))
    after, done = sampler.correct(canvas, tick, draw(batch)).x, made.nfe < 43
    assert done.any()
    assert torch.equal(after[done], made.x[done])


def test_d26_without_corrections_it_is_the_decoder_that_it_follows(package) -> None:
    (_, _, batch), *_ = layouts(package)
    net = network(package)
    told = {"steps": 4, "corrections": 0}
    one = package.sampler("corrected", **told)(net, batch, draw(batch), 5, record=True)
    other = package.sampler(steps=4)(net, batch, draw(batch), 5, record=True)
    assert torch.equal(one.x, other.x)
    assert torch.equal(one.nfe, other.nfe)
    assert len(one.history) == len(other.history)


@pytest.mark.parametrize("body", [(A, A, A), (B, A, C)])
def test_d26_a_correction_has_the_law_of_all_draws(masked, body) -> None:
    """Of the draws that differ from the text the one with the highest chance takes its place."""

    def best(tokens, other):
        return sorted(other, key=lambda i: (-LAWS[i][tokens[i]], i))[:1]

    batch = repeat(masked.layout("text", 3)([Example(0, body)]), 20_000)
    sampler = masked.sampler("corrected", cold=1.0)
    canvas = sampler.canvas.of(Timed(*LAWS), batch, 3)
    *_, tick = sampler.ticks(canvas, draw(batch))
    after = sampler.correct(canvas, tick, draw(batch))
    found = Counter(map(tuple, after.x[:, 1:4].tolist()))
    samples_of(found, enumerated(body, best))


class Timed(Fixed):
    """A network whose law is given, and that is told the time, which it keeps."""

    def trunk(self, xt, attend, t):
        self.t = float(t.min())
        return super().trunk(xt, attend)


def test_d26_the_network_is_told_the_least_time_of_training(package) -> None:
    batch = package.layout("text", 3)([Example(0, (A, A, A))])
    net = Timed(*LAWS)
    package.sampler("corrected", **COLD)(net, batch, draw(batch), 3)
    assert net.t == pytest.approx(package.spec.low)


def test_d26_given_tokens_stay_and_rows_beside_others_change_nothing(package) -> None:
    for kind, _, batch in layouts(package):
        net, sampler = network(package, kind), package.sampler("corrected", **COLD)
        together = sampler(net, batch, draw(batch), 5)
        assert torch.equal(together.x[~batch.free], batch.x0[~batch.free])
        for i in range(len(batch.x0)):
            noise = replace(draw(batch), example=batch.example[i : i + 1])
            made = sampler(net, alone(batch, i), noise, 5)
            seen = together.x[i][together.x[i] != PAD].tolist()
            assert made.x[0][made.x[0] != PAD].tolist() == seen
            assert int(made.nfe[0]) == int(together.nfe[i])

"""Tokens that turn into random ones: the noise, the cost of the rates back, and the steps."""

from collections import Counter
from itertools import product
from math import log

import pytest
import torch
from laws.build import VOCAB, A, B, C, Package, Workshop
from laws.examples import TOKENS, examples, layouts, network
from laws.scripted import draw, loss_of, repeat
from laws.stats import follows, mean_is, near

from xlm_runtime.plug import Example

K = len(TOKENS)
LETTERS = torch.tensor(TOKENS)
EVEN = VOCAB.allowed(())
ONE = {(A,): 0.5, (B,): 0.3, (C,): 0.2}
PAIRS = {(A, B): 0.35, (B, A): 0.25, (A, A): 0.2, (C, C): 0.1, (B, C): 0.1}


@pytest.fixture(params=["udlm", "random_square"])
def package(request, workshop: Workshop) -> Package:
    return workshop.package(request.param)


class Others:
    """A network that knows the law of texts of one length: of each token given all others."""

    def __init__(self, package: Package, law: dict[tuple[int, ...], float]) -> None:
        self.vocab, self.alpha = VOCAB, package.spec.alpha
        self.rows = torch.tensor(list(law))
        self.chances = torch.tensor(list(law.values()), dtype=torch.float64)

    def trunk(self, xt, attend, t):
        """Return the log-law of each token of the body, for the ids."""
        alpha = torch.tensor([self.alpha(float(one)) for one in t], dtype=torch.float64)
        places = xt[:, 1 : 1 + self.rows.shape[1]]
        same = places[:, None] == self.rows
        seen = alpha[:, None, None] * same + ((1 - alpha) / K)[:, None, None]  # rows texts places
        hidden = torch.full((*xt.shape, VOCAB.size), -torch.inf, dtype=torch.float64)
        for i in range(self.rows.shape[1]):
            others = torch.cat([seen[:, :, :i], seen[:, :, i + 1 :]], 2).prod(2) * self.chances
            law = torch.stack([(others * (self.rows[:, i] == x)).sum(1) for x in TOKENS], 1)
            hidden[:, 1 + i, LETTERS] = (law / law.sum(1, keepdim=True)).log()
        return hidden

    def token(self, hidden):
        return hidden


def direct(log_p: torch.Tensor, z: int, x: int, lost: float) -> float:
    """The divergence of the rates back, added up token by token."""
    alpha, b = 1 - lost, (1 - (1 - lost)) / K
    total = 0.0
    for y in range(VOCAB.size):
        if y == z:
            continue
        q = alpha * (y == x) + b * bool(EVEN[y])
        guess = alpha * float(log_p[y].exp()) + b * bool(EVEN[y])
        here = alpha * (z == x) + b
        there = alpha * float(log_p[z].exp()) + b
        true, ours = b / alpha * q / here, b / alpha * guess / there
        total += ours - true + (true * log(true / ours) if true else 0)
    return total


def test_l10_the_cost_is_the_sum_over_all_rates(package) -> None:
    """Also where the true token is a special one; and 0 where the token that is seen is one."""
    allowed = VOCAB.allowed(("eos",))
    logits = torch.randn(VOCAB.size, generator=torch.Generator().manual_seed(1)).double()
    log_p = logits.masked_fill(~allowed, -torch.inf).log_softmax(-1)
    eos = VOCAB["eos"]
    cells = [*product(TOKENS, (*TOKENS, eos), (1e-4, 0.2, 0.7, 0.999)), (eos, eos, 0.3)]
    z, x = (torch.tensor([cell[i] for cell in cells]) for i in (0, 1))
    lost = torch.tensor([cell[2] for cell in cells], dtype=torch.float64)
    level = package.randoms.Level(lost, lost)
    every = torch.ones_like(lost)
    found = package.posterior.divergence(log_p.expand(len(cells), -1), z, x, level, every, VOCAB)
    for cell, value in zip(cells, found.tolist(), strict=True):
        expected = 0.0 if cell[0] == eos else direct(log_p, *cell)
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("law", [ONE, PAIRS])
def test_l10_the_law_of_each_token_given_the_others_gives_minus_log_p(package, law) -> None:
    """For every text, not on the average alone; training agrees with the likelihood."""
    net = Others(package, law)
    for row, chance in law.items():
        layout = package.layout("text", len(row))
        batch = repeat(layout([Example(0, row)]), 60_000)
        mean_is(package.family.nelbo(net, batch, draw(batch)).nats, -log(chance))
    train = repeat(layout([Example(0, row)]), 20_000)
    losses = torch.stack([loss_of(package, net, train, seed).total for seed in range(12)])
    mean_is(losses * len(row), -log(chance))


def test_l10_a_law_that_adds_the_token_itself_costs_more(package) -> None:
    """So the bound is for heads of a token given all *others*: 1.337 for A, not .693."""
    net, layout = Others(package, ONE), package.layout("text", 1)
    others = net.trunk

    def whole(xt, attend, t):
        alpha = torch.tensor([net.alpha(float(one)) for one in t], dtype=torch.float64)
        seen = (1 - alpha)[:, None, None] / K + alpha[:, None, None] * (
            torch.arange(VOCAB.size) == xt[:, :, None]
        )
        return others(xt, attend, t) + seen.log()

    net.trunk = whole
    batch = repeat(layout([Example(0, (A,))]), 60_000)
    mean_is(package.family.nelbo(net, batch, draw(batch)).nats, 1.337)


def test_c8_a_token_is_itself_or_any_other_one(package) -> None:
    """Each ordinary token as likely; what is given stays, and so do specials around the body."""
    batch = repeat(package.layout("infill", 2)([Example(0, (A, B), (), (False, True))]), 30_000)
    t = torch.full((30_000,), 0.6, dtype=torch.float64)
    noised = package.family.corrupt(batch, t, draw(batch), VOCAB)
    lost = 1 - package.spec.alpha(0.6)
    counts = Counter(noised.xt[:, 1].tolist())
    follows([counts[x] for x in TOKENS], [1 - lost + lost / K, lost / K, lost / K])
    assert (noised.xt[:, 2:] == batch.x0[:, 2:]).all()
    assert not noised.struck[:, 2:].any()
    assert set(counts) == set(TOKENS)


@pytest.mark.parametrize(("t", "s"), [(1.0, 0.4), (0.8, 0.5), (0.3, 0.0), (0.6, 0.6)])
def test_d35_a_step_leads_from_the_law_at_t_to_that_at_s(package, t, s) -> None:
    """For one token, whose law is known, exactly; the step from t to t changes nothing."""
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    logits = torch.full((K, VOCAB.size), -torch.inf, dtype=torch.float64)
    logits[:, LETTERS] = p.log()
    lost = [1 - package.spec.alpha(one) for one in (t, s)]
    now, then = (package.randoms.Level(*2 * [torch.tensor(one).double()]) for one in lost)
    kernel = package.posterior.posterior(logits, LETTERS, now, then, VOCAB).softmax(-1)[:, LETTERS]
    at_t, at_s = ((1 - one) * p + one / K for one in lost)
    assert torch.allclose(at_t @ kernel, at_s, atol=1e-12)
    if t == s:
        assert torch.allclose(kernel, torch.eye(K, dtype=torch.float64))


@pytest.mark.parametrize("t", [1.0, 0.7])
def test_d35_a_special_token_stays_though_the_answer_excludes_it(package, t) -> None:
    """It does as guidance or a cut of the next step takes its chance away: noise makes none."""
    logits = torch.full((1, VOCAB.size), -torch.inf, dtype=torch.float64)
    logits[:, LETTERS] = 0.0
    eos = torch.tensor([VOCAB["eos"]])
    lost = [1 - package.spec.alpha(one) for one in (t, 0.4)]
    now, then = (package.randoms.Level(*2 * [torch.tensor(one).double()]) for one in lost)
    law = package.posterior.posterior(logits, eos, now, then, VOCAB).softmax(-1)
    assert law[0, eos].tolist() == [1.0]


def distance(package, law, steps: int, draws: int = 20_000) -> float:
    net, size = Others(package, law), len(next(iter(law)))
    blank = package.layout("text", size)([Example(0, (A,) * size)])
    batch = repeat(blank, draws)
    made = package.sampler(steps=steps)(net, batch, draw(batch), size)
    counts = Counter(map(tuple, made.x[:, 1 : 1 + size].tolist()))
    every = {*counts, *law}
    return sum(abs(counts[x] / draws - law.get(x, 0.0)) for x in every) / 2


def test_d35_one_token_is_drawn_exactly_at_any_number_of_steps(package) -> None:
    net = Others(package, ONE)
    batch = repeat(package.layout("text", 1)([Example(0, (A,))]), 20_000)
    for steps in (1, 3):
        made = package.sampler(steps=steps)(net, batch, draw(batch), 1)
        near(Counter((x,) for x in made.x[:, 1].tolist()), ONE)


@pytest.mark.slow
def test_d35_two_tokens_follow_their_law_as_the_steps_become_many(package) -> None:
    """The error falls like 1 / steps; a perfect sampler is about .006 away."""
    far = [distance(package, PAIRS, steps) for steps in (1, 8, 64)]
    assert far[0] > 0.1
    assert far[1] < far[0] / 3
    assert far[2] < 0.025
    assert package.family.samples["default"].law == "limit"


@pytest.mark.parametrize("layout", ["text", "seq2seq", "infill"])
def test_d14_what_is_given_is_never_changed(package, layout) -> None:
    """Nor is a special token, once it is there: random tokens are ordinary ones."""
    made = package.layout(layout, 5)
    batch = made(examples(layout))
    net = network(package, layout)
    decoded = package.sampler(steps=6)(net, batch, draw(batch), 5, record=True)
    ends = torch.zeros_like(batch.free)
    for state in decoded.history:
        assert (state == batch.x0)[~batch.free].all()
        assert (state[ends] < A).all()
        ends = batch.free & (state < A)
    body = decoded.x[batch.free]
    assert VOCAB.allowed(made.predicts)[body].all()


def test_d35_draws_of_the_answer_forget_the_token(workshop) -> None:
    """Without `from posterior` a step draws the tokens of t = 0, which claims nothing."""
    package = workshop.package("random_forgets")
    net = Others(package, ONE)
    batch = repeat(package.layout("text", 1)([Example(0, (A,))]), 20_000)
    made = package.sampler(steps=2)(net, batch, draw(batch), 1)
    near(Counter((x,) for x in made.x[:, 1].tolist()), ONE)
    worth = package.family.samples["default"]
    assert (worth.law, worth.why) == ("none", "tokens are drawn for t = 0 at every step")


def test_d35_cuts_act_on_the_answer_before_the_step(package) -> None:
    """At s = 0 only tokens are left that the answer keeps; at temperature 0 the likeliest."""
    net = Others(package, ONE)
    batch = repeat(package.layout("text", 1)([Example(0, (A,))]), 500)
    for cut, kept in (({"top_k": 2}, {A, B}), ({"temperature": 0.0}, {A}), ({"top_p": 0.4}, {A})):
        made = package.sampler(steps=3, **cut)(net, batch, draw(batch), 1)
        assert set(made.x[:, 1].tolist()) == kept


def test_l10_chunks_give_the_cost_and_gradient_of_the_whole(package, monkeypatch) -> None:
    net = network(package)
    batch = package.layout("text", 5)(examples("text"))

    def cost() -> tuple[float, torch.Tensor]:
        net.zero_grad()
        total = loss_of(package, net, batch).total
        total.backward()
        return float(total.detach()), net.to_token.weight.grad.clone()

    whole = cost()
    monkeypatch.setattr(
        package.costs, "chunks", lambda n, _: [slice(i, i + 3) for i in range(0, n, 3)]
    )
    parts = cost()
    assert parts[0] == pytest.approx(whole[0], rel=1e-12)
    assert torch.allclose(parts[1], whole[1], atol=1e-12)


def test_d35_guidance_leads_away_from_the_answer_without_the_prompt(package) -> None:
    """At scale 0 nothing else is asked; above it a step takes two calls, one without the prompt."""
    batch = package.layout("seq2seq", 5)(examples("seq2seq")[:3])
    net, found = network(package, "seq2seq"), {}
    for scale in (0.0, 3.0):
        sampler = package.sampler(steps=4, cfg_scale=scale)
        begun = sampler.start(sampler.canvas.of(net, batch, 5), draw(batch))
        tick = next(iter(sampler.ticks(begun, draw(batch))))
        canvas, logits = sampler.logits(begun, tick)
        found[scale] = logits[:, LETTERS]
        assert canvas.calls.tolist() == [1 + (scale > 0)] * 3
    bare = begun.remove(~begun.inside & (begun.x >= A)).query(tick)
    alone = net.token(bare.hidden(bare.free))[:, LETTERS]
    assert torch.allclose(found[3.0], alone + 4 * (found[0.0] - alone), atol=1e-9)
    assert not torch.allclose(found[0.0], alone)


def test_d35_all_layouts_are_decoded(package) -> None:
    for name, _, batch in layouts(package):
        made = package.sampler(steps=3)(network(package, name), batch, draw(batch), 5)
        assert made.x.shape == batch.x0.shape

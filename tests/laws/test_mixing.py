"""Tokens that become masks or random ones: the noise, the cost of the rates back, and the steps."""

from collections import Counter
from itertools import product
from math import log, sqrt

import pytest
import torch
from laws.build import VOCAB, A, B, C, Package, Workshop
from laws.examples import TOKENS, examples, layouts, network
from laws.scripted import draw, loss_of, repeat
from laws.stats import follows, mean_is, near

from xlm_runtime.plug import Example

K, MASK = len(TOKENS), VOCAB["mask"]
STATES = (*TOKENS, MASK)
EVEN = VOCAB.allowed(())
ONE = {(A,): 0.5, (B,): 0.3, (C,): 0.2}
PAIRS = {(A, B): 0.35, (B, A): 0.25, (A, A): 0.2, (C, C): 0.1, (B, C): 0.1}
LOOSE = {0.1: (1.030, 1.429, 1.717), 0.2: (1.169, 1.509, 1.747)}  # by the share at t = 1/2


@pytest.fixture(params=["gidd", "gidd_mixed"])
def package(request, workshop: Workshop) -> Package:
    return workshop.package(request.param)


@pytest.fixture
def masks(workshop: Workshop) -> Package:
    """The noise without random tokens."""
    return workshop.package("gidd_masks")


def c(t: float, p: float) -> float:
    return 2 * p / (1 - p) * sqrt(t * (1 - t))


class Others:
    """A network that knows the law of texts of one length: of each token given all others.

    Or given all tokens, with ``whole``.
    """

    def __init__(self, p: float, law: dict[tuple[int, ...], float], whole: bool = False) -> None:
        self.vocab, self.p, self.whole = VOCAB, p, whole
        self.rows = torch.tensor(list(law))
        self.chances = torch.tensor(list(law.values()), dtype=torch.float64)

    def seen(self, z: torch.Tensor, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """The chance of z at t where the clean token is x."""
        odds = 2 * self.p / (1 - self.p) * (t * (1 - t)).sqrt()
        random, mask, clean = (one / (1 + odds) for one in (odds / K, t, 1 - t))
        return torch.where(z == MASK, mask, random) + clean * (z == x)

    def trunk(self, xt, attend, t):
        """Return the log-law of each token of the body, for the ids."""
        t = t.double()[:, None, None]
        places = xt[:, 1 : 1 + self.rows.shape[1]]
        seen = self.seen(places[:, None], self.rows[None], t)  # rows texts places
        hidden = torch.full((*xt.shape, VOCAB.size), -torch.inf, dtype=torch.float64)
        for i in range(self.rows.shape[1]):
            parts = seen if self.whole else torch.cat([seen[:, :, :i], seen[:, :, i + 1 :]], 2)
            others = parts.prod(2) * self.chances
            law = torch.stack([(others * (self.rows[:, i] == x)).sum(1) for x in TOKENS], 1)
            hidden[:, 1 + i, TOKENS] = (law / law.sum(1, keepdim=True)).log()
        return hidden

    def token(self, hidden):
        return hidden


def answers(seed: int, rows: int, *specials: str) -> torch.Tensor:
    """Random logits of tokens and of some specials, which masks never are."""
    noise = torch.randn(rows, VOCAB.size, generator=torch.Generator().manual_seed(seed)).double()
    return noise.masked_fill(~VOCAB.allowed(specials), -torch.inf)


def published(log_p: torch.Tensor, z: int, x: int, t: float, p: float) -> float:
    """The term of von Ruette et al. (2025): W (KL + IS), with the weights that they print."""
    clean, odds = 1 - t, c(t, p)
    slope = odds * (1 - 2 * t) / (2 * t * (1 - t))
    weight = {
        MASK: 1 / (t * (1 - t)),
        x: (odds + clean * slope) / K / (clean * (clean + odds / K)),
    }.get(z, (odds + clean * slope) / (clean * odds))
    q, guess = (
        [(clean * law[y] + odds / K * bool(EVEN[y]) + t * (y == MASK)) / (1 + odds) for y in every]
        for every in [range(VOCAB.size)]
        for law in ([float(y == x) for y in every], log_p.exp().tolist())
    )
    divergence = sum(a * log(a / b) for a, b in zip(q, guess, strict=True) if a)
    return weight * (divergence + q[z] / guess[z] - log(q[z] / guess[z]) - 1)


def costs(package, logits, z, x, t):
    """The cost at some places, in units of time."""
    noise, clock = package.noise, package.schedule.Clock()
    level, written = noise.level_at(t, clock), noise.written(t, clock)
    found = package.posterior.divergence(logits, z, x, level, written, VOCAB)
    return found * package.schedule.hazard(t, clock)


def test_l10_the_cost_is_the_term_of_the_paper(package) -> None:
    """Also where the true token is a special one; and 0 where the token that is seen is one."""
    eos, p = VOCAB["eos"], package.schedule.Clock().p_uniform
    cells = [*product(STATES, (*TOKENS, eos), (1e-3, 0.2, 0.5, 0.7, 0.999)), (eos, eos, 0.3)]
    z, x = (torch.tensor([cell[i] for cell in cells]) for i in (0, 1))
    t = torch.tensor([cell[2] for cell in cells], dtype=torch.float64)
    logits = answers(1, len(cells), "eos")
    found = costs(package, logits, z, x, t)
    for cell, row, value in zip(cells, logits.log_softmax(-1), found.tolist(), strict=True):
        expected = 0.0 if cell[0] == eos else published(row, *cell, p)
        assert value == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_l9_without_random_tokens_the_cost_is_the_cross_entropy_of_masks(masks) -> None:
    """In units of the hazard, 1 / t; and a token that is there costs nothing."""
    cells = [*product(STATES, TOKENS, (1e-4, 0.2, 0.7, 0.9999))]
    cells = [cell for cell in cells if cell[0] in (cell[1], MASK)]
    z, x = (torch.tensor([cell[i] for cell in cells]) for i in (0, 1))
    t = torch.tensor([cell[2] for cell in cells], dtype=torch.float64)
    logits = answers(2, len(cells))
    found = costs(masks, logits, z, x, t)
    nll = -logits.log_softmax(-1)[torch.arange(len(cells)), x]
    assert torch.allclose(found, torch.where(z == MASK, nll / t, 0), rtol=1e-9, atol=0)


def test_l9_without_random_tokens_losses_and_steps_are_those_of_masks(masks, workshop) -> None:
    """From the same draws: of masked diffusion with the time as its amount."""
    plain, batch = workshop.package("mask_timed"), masks.layout("text", 5)(examples("text"))
    net = network(masks)
    t = torch.linspace(0.05, 0.95, len(batch.x0), dtype=torch.float64)
    noised, same = (one.family.corrupt(batch, t, draw(batch), VOCAB) for one in (masks, plain))
    assert (noised.xt == same.xt).all()
    with torch.no_grad():
        loss, wanted = masks.family.loss(net, noised, batch), plain.family.loss(net, same, batch)
    assert float(loss.total) == pytest.approx(float(wanted.total), rel=1e-9)
    logits, clock = answers(3, 1), masks.schedule.Clock()
    times = torch.tensor([0.7, 0.4], dtype=torch.float64)
    now, then = (masks.noise.level_at(one, clock) for one in times)
    law = masks.posterior.posterior(logits, torch.tensor([MASK]), now, then, VOCAB).softmax(-1)
    assert float(law[0, MASK]) == pytest.approx(0.4 / 0.7, rel=1e-12)
    assert torch.allclose(law[0, TOKENS], 0.3 / 0.7 * logits.softmax(-1)[0, TOKENS], atol=1e-12)
    there = masks.posterior.posterior(logits, torch.tensor([A]), now, then, VOCAB).softmax(-1)
    assert float(there[0, A]) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("law", [ONE, PAIRS])
def test_l10_with_masks_the_law_given_the_others_gives_minus_log_p(package, law) -> None:
    """For every text, not on the average alone; training agrees with the likelihood."""
    net = Others(package.schedule.Clock().p_uniform, law)
    for row, chance in law.items():
        layout = package.layout("text", len(row))
        batch = repeat(layout([Example(0, row)]), 60_000)
        mean_is(package.family.nelbo(net, batch, draw(batch)).nats, -log(chance))
    train = repeat(layout([Example(0, row)]), 20_000)
    losses = torch.stack([loss_of(package, net, train, seed).total for seed in range(12)])
    mean_is(losses * len(row), -log(chance))


def test_l10_with_masks_a_law_that_adds_the_token_itself_costs_more(package) -> None:
    p = package.schedule.Clock().p_uniform
    net = Others(p, ONE, whole=True)
    for row, expected in zip(ONE, LOOSE[p], strict=True):
        batch = repeat(package.layout("text", 1)([Example(0, row)]), 60_000)
        mean_is(package.family.nelbo(net, batch, draw(batch)).nats, expected)


def test_c9_the_shares_of_masks_and_random_tokens(package) -> None:
    """At t = 1/2 a share p of all tokens is random, the same one or another; (1 - p) / 2 masks.

    What is given stays, and so do specials around the body.
    """
    p = package.schedule.Clock().p_uniform
    batch = repeat(package.layout("infill", 2)([Example(0, (A, B), (), (False, True))]), 30_000)
    t = torch.full((30_000,), 0.5, dtype=torch.float64)
    noised = package.family.corrupt(batch, t, draw(batch), VOCAB)
    counts = Counter(noised.xt[:, 1].tolist())
    clean = mask = (1 - p) / 2
    follows([counts[x] for x in STATES], [clean + p / K, p / K, p / K, mask])
    assert set(counts) == {*STATES}
    assert (noised.xt[:, 2:] == batch.x0[:, 2:]).all()
    assert not noised.struck[:, 2:].any()


@pytest.mark.parametrize(("t", "s"), [(1.0, 0.4), (0.8, 0.5), (0.3, 0.0), (0.6, 0.6)])
def test_d35_with_masks_a_step_leads_from_the_law_at_t_to_that_at_s(package, t, s) -> None:
    """For one token, whose law is known, exactly; the step from t to t changes nothing."""
    p, states = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64), torch.tensor(STATES)
    logits = torch.full((len(STATES), VOCAB.size), -torch.inf, dtype=torch.float64)
    logits[:, TOKENS] = p.log()
    times = [torch.tensor(one, dtype=torch.float64) for one in (t, s)]
    clock = package.schedule.Clock()
    now, then = (package.noise.level_at(one, clock) for one in times)
    kernel = package.posterior.posterior(logits, states, now, then, VOCAB).softmax(-1)[:, STATES]
    net = Others(clock.p_uniform, ONE)
    laws = []
    for one in times:
        seen = net.seen(states[:, None], torch.tensor(TOKENS)[None], one)
        laws.append(seen @ p)
    present = laws[0] > 0  # at t = 1 there are only masks
    assert torch.allclose(laws[0][present] @ kernel[present], laws[1], atol=1e-12)
    if t == s:
        assert torch.allclose(kernel, torch.eye(len(STATES), dtype=torch.float64))


def distance(package, law, steps: int, draws: int = 20_000) -> float:
    net, size = Others(package.schedule.Clock().p_uniform, law), len(next(iter(law)))
    blank = package.layout("text", size)([Example(0, (A,) * size)])
    batch = repeat(blank, draws)
    made = package.sampler(steps=steps)(net, batch, draw(batch), size)
    counts = Counter(map(tuple, made.x[:, 1 : 1 + size].tolist()))
    every = {*counts, *law}
    return sum(abs(counts[x] / draws - law.get(x, 0.0)) for x in every) / 2


def test_d35_with_masks_one_token_is_drawn_exactly_at_any_number_of_steps(package) -> None:
    net = Others(package.schedule.Clock().p_uniform, ONE)
    batch = repeat(package.layout("text", 1)([Example(0, (A,))]), 20_000)
    for steps in (1, 3):
        made = package.sampler(steps=steps)(net, batch, draw(batch), 1, record=True)
        assert (made.history[0][:, 1] == MASK).all()
        near(Counter((x,) for x in made.x[:, 1].tolist()), ONE)


def test_d35_with_masks_two_tokens_follow_their_law_as_the_steps_become_many(package) -> None:
    """The error falls like 1 / steps; a perfect sampler is about .006 away."""
    far = [distance(package, PAIRS, steps) for steps in (1, 8, 64)]
    assert far[0] > 0.1
    assert far[1] < far[0] / 3
    assert far[2] < 0.025
    assert package.family.samples["default"].law == "limit"


@pytest.mark.parametrize("layout", ["text", "seq2seq", "infill"])
def test_d14_with_masks_what_is_given_is_never_changed(package, layout) -> None:
    """And no mask is left at the end."""
    made = package.layout(layout, 5)
    batch = made(examples(layout))
    decoded = package.sampler(steps=6)(network(package, layout), batch, draw(batch), 5, record=True)
    for state in decoded.history:
        assert (state == batch.x0)[~batch.free].all()
    assert VOCAB.allowed(made.predicts)[decoded.x[batch.free]].all()


def test_l10_with_masks_gradients_are_finite_also_without_random_tokens(package, masks) -> None:
    """Answers in float32, some of them certain."""
    for one in (package, masks):
        batch = repeat(one.layout("text", 5)(examples("text")[:1]), 64)
        net = network(one).float()
        with torch.no_grad():
            net.to_token.weight.mul_(200)
        loss_of(one, net, batch).total.backward()
        assert net.to_token.weight.grad.isfinite().all()


def test_d35_with_masks_all_layouts_are_decoded(package) -> None:
    for name, _, batch in layouts(package):
        made = package.sampler(steps=3)(network(package, name), batch, draw(batch), 5)
        assert made.x.shape == batch.x0.shape


def test_l9_rates_of_masks_alone_cost_the_cross_entropy(workshop) -> None:
    """Loss and gradient are those of `cross_entropy`, and the sum over all rates is that."""
    gradients, totals = [], []
    for name in ("mask_posterior", "mask_t"):
        package = workshop.package(name)
        net, batch = network(package), package.layout("text", 5)(examples("text"))
        total = loss_of(package, net, batch).total
        total.backward()
        totals.append(float(total.detach()))
        gradients.append(net.to_token.weight.grad)
    assert totals[0] == totals[1]
    assert (gradients[0] == gradients[1]).all()
    p = answers(4, 1)[0, TOKENS].softmax(-1)
    rates = p.sum() - 1 - p[0].log()  # r^ - r + r log(r / r^), where r is 1 for the true token
    assert float(rates) == pytest.approx(-log(p[0]), abs=1e-12)

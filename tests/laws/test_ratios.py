"""Ratios of chances: the score entropy of masks and of random tokens, and the steps they give."""

from collections import Counter
from itertools import product
from math import exp, log

import pytest
import torch
from laws.build import VOCAB, A, B, C, Package, Workshop
from laws.examples import TOKENS, examples, layouts, network
from laws.scripted import draw, loss_of, pick, repeat
from laws.stats import mean_is, near

from xlm_runtime.plug import Example

K, MASK = len(TOKENS), VOCAB["mask"]
LETTERS = torch.tensor(TOKENS)
EVEN = VOCAB.allowed(())
ONE = {(A,): 0.5, (B,): 0.3, (C,): 0.2}
PAIRS = {(A, B): 0.35, (B, A): 0.25, (A, A): 0.2, (C, C): 0.1, (B, C): 0.1}


@pytest.fixture(params=["ratios", "ratios_even"])
def package(request, workshop: Workshop) -> Package:
    return workshop.package(request.param)


@pytest.fixture(params=["sedd", "mask_ratios"])
def masks(request, workshop: Workshop) -> Package:
    return workshop.package(request.param)


class Exact:
    """A network that knows the law of texts of one length: the ratios of the law at each time."""

    def __init__(self, package: Package, law: dict[tuple[int, ...], float]) -> None:
        self.vocab, self.alpha = VOCAB, package.spec.alpha
        self.random = "-> random" in package.spec.text
        self.rows = torch.tensor(list(law))
        self.chances = torch.tensor(list(law.values()), dtype=torch.float64)

    def seen(self, xt, alpha):
        """The chance of each token that is seen, for each text: rows texts places."""
        same = (xt[:, None] == self.rows) * alpha[:, None, None]
        lost = (1 - alpha)[:, None, None]
        return same + (lost / K if self.random else lost * (xt[:, None] == MASK))

    def trunk(self, xt, attend, t=None):
        """Return the logarithms of the ratios at each token of the body, for the ids."""
        t = torch.full((len(xt),), 0.5) if t is None else t  # masks need none
        times, index = t.unique(return_inverse=True)
        alpha = torch.tensor([self.alpha(float(one)) for one in times], dtype=torch.float64)[index]
        places = xt[:, 1 : 1 + self.rows.shape[1]]
        seen = self.seen(places, alpha)
        hidden = torch.full((*xt.shape, VOCAB.size), -torch.inf, dtype=torch.float64)
        for i in range(self.rows.shape[1]):
            others = torch.cat([seen[:, :, :i], seen[:, :, i + 1 :]], 2).prod(2) * self.chances
            law = torch.stack([(others * (self.rows[:, i] == x)).sum(1) for x in TOKENS], 1)
            law = law / law.sum(1, keepdim=True)
            if self.random:
                law = alpha[:, None] * law + (1 - alpha)[:, None] / K
                law = law / law.gather(1, places[:, i, None] - A)
            hidden[:, 1 + i, LETTERS] = law.log()
        return hidden

    def token(self, hidden):
        return hidden


def direct(log_s: torch.Tensor, z: int, x: int, lost: float) -> float:
    """The score entropy of Lou et al. (2024), added up token by token, in units of the hazard."""
    alpha, even = 1 - lost, lost / K
    q = [alpha * (y == x) + even * bool(EVEN[y]) for y in range(VOCAB.size)]
    total = 0.0
    for y in range(VOCAB.size):
        if y != z:
            ratio, guess = q[y] / q[z], float(log_s[y])
            total += exp(guess) - (ratio * guess if ratio else 0)
            total += ratio * (log(ratio) - 1) if ratio else 0
    return lost / alpha / K * total


def test_l8_the_cost_is_the_score_entropy_of_all_ratios(package) -> None:
    """Also where the true token is a special one; and 0 where the token that is seen is one."""
    eos = VOCAB["eos"]
    cells = [*product(TOKENS, (*TOKENS, eos), (1e-4, 0.2, 0.7, 0.999)), (eos, eos, 0.3)]
    z, x = (torch.tensor([cell[i] for cell in cells]) for i in (0, 1))
    lost = torch.tensor([cell[2] for cell in cells], dtype=torch.float64)
    noise = torch.randn(len(cells), VOCAB.size, generator=torch.Generator().manual_seed(1))
    log_s = noise.double().masked_fill(~VOCAB.allowed(("eos",)), -torch.inf)
    found = package.ratios.of_random(log_s, z, x, lost, VOCAB)
    for cell, row, value in zip(cells, log_s, found.tolist(), strict=True):
        expected = 0.0 if cell[0] == eos else direct(row, *cell)
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_l8_true_ratios_cost_nothing_beyond_the_law(package) -> None:
    """The score entropy is 0 at the ratios of the law given the clean token, and above it else."""
    z, x = (torch.tensor([pair[i] for pair in product(TOKENS, TOKENS)]) for i in (0, 1))
    lost = torch.full((len(z),), 0.4, dtype=torch.float64)
    q = 0.6 * (x[:, None] == torch.arange(VOCAB.size)).double() + 0.4 / K * EVEN.double()
    log_s = (q / q.gather(1, z[:, None])).log()
    assert package.ratios.of_random(log_s, z, x, lost, VOCAB).abs().max() < 1e-12
    assert (package.ratios.of_random(log_s + 0.1, z, x, lost, VOCAB) > 1e-4).all()


@pytest.mark.parametrize("law", [ONE, PAIRS])
def test_l8_exact_ratios_give_minus_log_p(package, law) -> None:
    """For every text, not on the average alone; training agrees with the likelihood."""
    gives_minus_log_p(package, law)


@pytest.mark.parametrize("law", [ONE, PAIRS])
def test_l8_exact_ratios_to_masks_give_minus_log_p(masks, law) -> None:
    gives_minus_log_p(masks, law)


def gives_minus_log_p(package, law) -> None:
    net = Exact(package, law)
    for row, chance in law.items():
        batch = repeat(package.layout("text", len(row))([Example(0, row)]), 60_000)
        mean_is(package.family.nelbo(net, batch, draw(batch)).nats, -log(chance))
    train = repeat(package.layout("text", len(row))([Example(0, row)]), 20_000)
    losses = torch.stack([loss_of(package, net, train, seed).total for seed in range(12)])
    assert float(losses.mean()) * len(row) == pytest.approx(-log(chance), abs=0.03)


def test_l8_ratios_that_are_a_law_cost_the_cross_entropy(masks) -> None:
    """Of masked diffusion, from the same draws; a sum above 1 costs what is above it."""
    batch = masks.layout("text", 5)(examples("text"))
    net = network(masks)
    t = torch.linspace(0.05, 0.95, len(batch.x0), dtype=torch.float64)
    noised = masks.family.corrupt(batch, t, draw(batch), VOCAB)
    hidden = net.trunk(noised.xt, batch.attend, t)
    row, place = noised.masked.nonzero(as_tuple=True)
    logits, target = net.token(hidden[row, place]), batch.x0[row, place]
    nll = torch.nn.functional.cross_entropy(logits, target, reduction="none")
    log_p = logits.log_softmax(-1)
    assert torch.allclose(masks.ratios.of_masks(log_p, target), nll, atol=1e-12)
    above = masks.ratios.of_masks(log_p + 0.7, target) - nll
    assert torch.allclose(above, torch.full_like(nll, exp(0.7) - 1 - 0.7), atol=1e-9)
    head = net.token
    net.token = lambda states: head(states).log_softmax(-1)
    hazards = masks.schedule.hazard(t)
    with torch.no_grad():
        loss = masks.family.loss(net, noised, batch)
    width = 1 - masks.spec.low
    assert float(loss.total) == pytest.approx(
        float((width * hazards[row] * nll.detach()).sum() / batch.free.sum()), rel=1e-6
    )


def test_l8_ratios_begin_with_a_sum_of_one(masks) -> None:
    allowed = VOCAB.allowed(masks.family.layouts["text"].predicts)
    net = masks.family.network(VOCAB, allowed, network(masks).backbone.size)
    log_s = net.token(torch.zeros(1, 8))
    assert float(log_s.exp().sum().detach()) == pytest.approx(1.0, abs=1e-5)


def test_l10_chunks_give_the_score_entropy_and_gradient_of_the_whole(package, monkeypatch) -> None:
    net, batch = network(package), package.layout("text", 5)(examples("text"))

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


def kernel(package, t: float, s: float, law: str) -> torch.Tensor:
    """The law at s given each token at t, for one token whose law is known."""
    p = torch.tensor(list(ONE.values()), dtype=torch.float64)
    alpha = package.spec.alpha
    q = alpha(t) * p + (1 - alpha(t)) / K
    log_s = torch.full((K, VOCAB.size), -torch.inf, dtype=torch.float64)
    log_s[:, LETTERS] = (q / q[:, None]).log()
    time, then = (torch.tensor(one, dtype=torch.float64) for one in (t, s))
    schedule, ratios = package.schedule, package.ratios
    if law == "euler":
        made = ratios.euler(log_s, LETTERS, schedule.dsigma(time) * (time - then), VOCAB)
    else:
        kept = schedule.alpha(time) / schedule.alpha(then)
        made = ratios.analytic(log_s, LETTERS, kept, VOCAB)
    return (made / made.sum(-1, keepdim=True))[:, LETTERS]


@pytest.mark.parametrize(("t", "s"), [(0.9, 0.4), (0.8, 0.5), (0.3, 0.0), (0.6, 0.6)])
def test_d37_a_step_by_ratios_leads_from_the_law_at_t_to_that_at_s(package, t, s) -> None:
    """For one token, whose law is known, exactly; the step from t to t changes nothing."""
    p = torch.tensor(list(ONE.values()), dtype=torch.float64)
    found = kernel(package, t, s, "posterior")
    laws = [package.spec.alpha(x) * p + (1 - package.spec.alpha(x)) / K for x in (t, s)]
    assert torch.allclose(laws[0] @ found, laws[1], atol=1e-9)
    if t == s:
        assert torch.allclose(found, torch.eye(K, dtype=torch.float64))


def test_d37_a_step_of_euler_errs_by_the_square_of_its_length(package) -> None:
    far = []
    for length in (2e-2, 1e-2):
        exact, frozen = (kernel(package, 0.7, 0.7 - length, law) for law in ("posterior", "euler"))
        far.append(float((exact - frozen).abs().max()))
    assert far[0] < 0.05
    assert far[0] / far[1] == pytest.approx(4, rel=0.15)


def test_d37_a_special_token_stays_whatever_its_ratios(package) -> None:
    eos = torch.tensor([VOCAB["eos"]])
    log_s = torch.zeros(1, VOCAB.size).double().masked_fill(~VOCAB.allowed(("eos",)), -torch.inf)
    half = torch.tensor(0.5, dtype=torch.float64)
    for step in (package.ratios.analytic, package.ratios.euler):
        law = step(log_s, eos, half, VOCAB)
        assert float(law[0, eos] / law.sum()) == 1.0


@pytest.mark.parametrize("steps", [1, 3])
def test_d37_one_mask_is_drawn_exactly_at_any_number_of_steps(masks, steps) -> None:
    net = Exact(masks, ONE)
    batch = repeat(masks.layout("text", 1)([Example(0, (A,))]), 20_000)
    made = masks.sampler(steps=steps)(net, batch, draw(batch), 1, record=True)
    assert (made.history[0][:, 1] == MASK).all()
    near(Counter((x,) for x in made.x[:, 1].tolist()), ONE)


def test_d37_ratios_to_masks_reveal_as_many_as_masked_diffusion(masks) -> None:
    """The share of masks after a step is (1 - alpha(s)) / (1 - alpha(t)); of a sum of 1/2 more."""
    net, alpha = Exact(masks, PAIRS), masks.spec.alpha
    batch = repeat(masks.layout("text", 2)([Example(0, (A, B))]), 20_000)
    for shift, left in ((0.0, 1 - alpha(0.5)), (log(0.5), 1 - alpha(0.5) / 2)):
        net.token = lambda hidden, shift=shift: hidden + shift
        made = masks.sampler(steps=2)(net, batch, draw(batch), 2, record=True)
        share = made.history[1][:, 1:3] == MASK
        mean_is(share.double().flatten(), left)
        assert not (made.x == MASK).any()


def distance(package, name: str, law, steps: int, draws: int = 8_000) -> float:
    net, size = Exact(package, law), len(next(iter(law)))
    batch = repeat(package.layout("text", size)([Example(0, (A,) * size)]), draws)
    made = package.sampler(name, steps=steps)(net, batch, draw(batch), size)
    counts = Counter(map(tuple, made.x[:, 1 : 1 + size].tolist()))
    return sum(abs(counts[x] / draws - law.get(x, 0.0)) for x in {*counts, *law}) / 2


@pytest.mark.parametrize("name", ["default", "euler"])
def test_d37_two_tokens_follow_their_law_as_the_steps_become_many(package, name) -> None:
    """A perfect sampler is about .01 away."""
    far = [distance(package, name, PAIRS, steps) for steps in (2, 64)]
    assert far[0] > 0.1
    assert far[1] < 0.04
    assert package.family.samples[name].law == "limit"


@pytest.mark.parametrize("name", ["default", "euler"])
def test_d37_two_masks_follow_their_law_as_the_steps_become_many(masks, name) -> None:
    far = [distance(masks, name, PAIRS, steps) for steps in (1, 64)]
    assert far[0] > 0.1
    assert far[1] < 0.03
    assert masks.family.samples[name].law == "limit"


@pytest.fixture
def blocked(workshop: Workshop) -> Package:
    return workshop.package("mask_ratios_blocked")


def test_d37_blocks_draw_their_masks_by_the_clock_of_each_row(blocked) -> None:
    """A law that blocks do not change; rows of two lengths have steps of their own."""
    package = blocked
    net = Exact(package, PAIRS)
    batch = repeat(package.layout("text", 2)([Example(0, (A, B))]), 20_000)
    made = package.sampler(steps=2, size=1)(net, batch, draw(batch), 2)
    near(Counter(map(tuple, made.x[:, 1:3].tolist())), PAIRS)
    for name, _, some in layouts(package):
        for size in (1, 2):
            sampler = package.sampler(steps=12, size=size)
            decoded = sampler(network(package, name), some, draw(some), 5)
            assert not (decoded.x == MASK).any()
            other = pick(some, torch.arange(len(some.x0)).flip(0))
            turned = sampler(network(package, name), other, draw(other), 5)
            assert (turned.x.flip(0) == decoded.x).all()


@pytest.mark.parametrize("layout", ["text", "seq2seq", "infill"])
def test_d14_by_ratios_what_is_given_is_never_changed(package, masks, layout) -> None:
    """Nor is a special token, once it is there."""
    for one in (package, masks):
        made = one.layout(layout, 5)
        batch = made(examples(layout))
        net = network(one, layout)
        for name in ("default", "euler"):
            decoded = one.sampler(name, steps=6)(net, batch, draw(batch), 5, record=True)
            for state in decoded.history:
                assert (state == batch.x0)[~batch.free].all()
            assert VOCAB.allowed(made.predicts)[decoded.x[batch.free]].all()

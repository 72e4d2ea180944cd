"""Clocks that are learned: the noise, the cost of masks, the slope for the clocks, the steps."""

from collections import Counter
from itertools import product
from math import log
from types import SimpleNamespace

import pytest
import torch
from laws.build import SIZE, VOCAB, A, B, C, Package, Workshop
from laws.examples import TOKENS, examples, network
from laws.scripted import Scripted, draw, pick, repeat
from laws.stats import follows, mean_is

from xlm_runtime.model.nelbo import enumerable
from xlm_runtime.plug import Example

MASK = VOCAB["mask"]
W = {A: 1.0, B: 3.0, C: 0.5}
PAIRS = {(A, B): 0.35, (B, A): 0.25, (A, A): 0.2, (C, C): 0.1, (B, C): 0.1}
TINY = 2.0**-53


@pytest.fixture
def package(workshop: Workshop) -> Package:
    return workshop.package("learned")


def clocked(net, clocks):
    """A network whose clocks of A, B and C have these scales, and all others 1."""
    widest = log(4)
    with torch.no_grad():
        net.clocks.to_w.weight.zero_()
        for token, w in clocks.items():
            net.clocks.to_w.weight[token] = widest * torch.atanh(torch.tensor(log(w) / widest))
    return net


class Known:
    """Clocks of a package, and answers by the law of the texts, of each token given all others.

    Without a ``law`` it answers alike with A and B, whatever it sees.
    """

    def __init__(self, package: Package, law=None) -> None:
        self.vocab, self.law = VOCAB, law
        self.clocks = clocked(network(package), W).clocks

    def trunk(self, xt, attend, t):
        hidden = torch.full((*xt.shape, VOCAB.size), -torch.inf, dtype=torch.float64)
        if self.law is None:
            hidden[..., [A, B]] = log(0.5)
            return hidden
        length = len(next(iter(self.law)))
        for i, x in product(range(length), TOKENS):
            hidden[:, 1 + i, x] = self.chance(xt[:, 1 : 1 + length], t.double(), i, x).log()
        return hidden.log_softmax(-1)

    def chance(self, body, t, place, token):
        """The chance of what is seen, and of a token at a place that is masked."""
        total = torch.zeros(len(body), dtype=torch.float64)
        for text, p in self.law.items():
            if text[place] == token:
                each = torch.full((len(body),), p, dtype=torch.float64) * t ** W[token]
                for j, x in enumerate(text):
                    if j != place:
                        clean = (body[:, j] == x) * (1 - t ** W[x])
                        each = each * torch.where(body[:, j] == MASK, t ** W[x], clean)
                total = total + each
        return total

    def token(self, hidden):
        return hidden


def given(batch, t, *masked):
    """Noise under which the marked free places are masked: of one corruption, and of its twin."""
    return Scripted(
        **{
            stream: torch.where(one, 0.0, 1 - TINY).double()
            for stream, one in zip(("corrupt", "twin"), masked, strict=True)
        }
    )


def every(batch):
    """All sets of the free places of one row."""
    places = batch.free[0].nonzero()[:, 0].tolist()
    for marks in product((False, True), repeat=len(places)):
        one = torch.zeros_like(batch.free)
        one[0, places] = torch.tensor(marks)
        yield one


def chance_of(net, batch, t, masked):
    """The chance of a set of masks, from the scales alone."""
    w = net.clocks(batch.x0).w.double()
    each = torch.where(masked, t**w, 1 - t**w)
    return each[batch.free].prod()


def cost_of(package, net, batch, t, masked):
    """The cost of one row whose marked places are masked, from the definition of the divergence."""
    xt = batch.x0.masked_fill(masked, MASK)
    hidden = net.trunk(xt, batch.attend, torch.tensor([t], dtype=torch.float64))
    p = net.token(hidden[masked]).double().softmax(-1)
    hazards = net.clocks.every().w.double() / t
    guess = hazards * p
    each = [*enumerate(batch.x0[masked].tolist())]
    true = [hazards[x] for _, x in each]
    rest = [
        rate * (rate / guess[i, x]).log() - rate for (i, x), rate in zip(each, true, strict=True)
    ]
    return guess.sum() + sum(rest)


def term(package, net, noised, batch):
    """The cost of each row of one corruption."""
    hidden = net.trunk(noised.xt, batch.attend, noised.t)
    return package.loss.token_term(net, hidden, noised, batch)


@pytest.mark.parametrize(
    ("token", "cost", "truth"),
    [(A, 1 + log(2), log(4)), (B, log(2) - 1 / 3, log(4 / 3))],
)
def test_l29_cross_entropy_alone_is_no_bound_where_clocks_differ(
    package, token, cost, truth
) -> None:
    """One token, w = (1, 3), p = (.5, .5): the truth 1.386, the cross-entropy .693, this 1.693."""
    assert cost >= truth
    assert token != A or truth > log(2)
    batch = repeat(package.layout("text", 1)([Example(0, (token,))]), 60_000)
    mean_is(package.family.nelbo(Known(package), batch, draw(batch)).nats, cost)


def test_s9_a_mask_is_revealed_by_the_clock_of_the_token_that_is_drawn(package) -> None:
    """Of many steps a quarter ends as the token of w = 1, and the rest as that of w = 3."""
    net, rows = Known(package), 20_000
    batch = repeat(package.layout("text", 1)([Example(0, (A,))]), rows)
    for steps in (2, 8, 400):
        made = package.sampler(steps=steps)(net, pick(batch, slice(0, rows)), draw(batch), 1)
        counts = Counter(made.x[:, 1].tolist())
        stays, share = 1.0, 0.0
        for k in range(steps, 0, -1):
            share += stays * 0.5 * (1 - (k - 1) / k)
            stays *= 0.5 * (k - 1) / k + 0.5 * ((k - 1) / k) ** 3
        follows([counts[A], counts[B]], [share, 1 - share])
        assert set(counts) == {A, B}
    assert share == pytest.approx(0.25, abs=3e-3)


def test_d12_tokens_stay_at_their_own_places(package) -> None:
    """Each mask of a row gets the token that was drawn for it."""

    class Placed(Known):
        def trunk(self, xt, attend, t):
            hidden = torch.full((*xt.shape, VOCAB.size), -torch.inf, dtype=torch.float64)
            for place, token in enumerate((A, B, C), start=1):
                hidden[:, place, token] = 0.0
            return hidden

    batch = repeat(package.layout("text", 3)([Example(0, (C, C, C))]), 50)
    made = package.sampler(steps=6)(Placed(package), batch, draw(batch), 3)
    assert (made.x[:, 1:4] == torch.tensor([A, B, C])).all()


def test_l29_the_law_given_the_others_gives_minus_log_p(package) -> None:
    """For every text, not on the average alone; training agrees with the likelihood."""
    net = Known(package, PAIRS)
    for row, chance in PAIRS.items():
        batch = repeat(package.layout("text", 2)([Example(0, row)]), 40_000)
        mean_is(package.family.nelbo(net, batch, draw(batch)).nats, -log(chance))
    train = repeat(package.layout("text", 2)([Example(0, row)]), 20_000)
    losses = []
    for seed in range(12):
        noise = draw(train, seed)
        noised = package.family.corrupt(train, package.family.amount(train, noise), noise, net)
        losses.append(package.family.loss(net, noised, train).total.detach())
    mean_is(torch.stack(losses) * 2, -log(chance))


@pytest.mark.parametrize("layout", ["text", "infill"])
@pytest.mark.parametrize("t", [0.2, 0.85])
def test_l20_the_expected_slope_is_that_of_the_enumerated_objective(package, layout, t) -> None:
    """Over all pairs of corruptions of a row: for the clocks and for the first network."""
    net = network(package)
    rows = {"text": Example(0, (A, B)), "infill": Example(0, (A, B, C), (), (False, False, True))}
    batch = package.layout(layout, 3)([rows[layout]])
    sets = list(every(batch))
    weights = [one for one in net.parameters() if one.requires_grad]
    whole = sum(
        chance_of(net, batch, t, one) * cost_of(package, net, batch, t, one) for one in sets
    )
    wanted = torch.autograd.grad(0.9999 * whole / batch.free.sum(), weights, allow_unused=True)
    found = [torch.zeros_like(one) for one in weights]
    value = 0.0
    for first, second in product(sets, sets):
        at = torch.tensor([t], dtype=torch.float64)
        noised = package.family.corrupt(batch, at, given(batch, t, first, second), net)
        assert (noised.masked == first).all()
        assert (noised.twin_masked == second).all()
        both = chance_of(net, batch, t, first) * chance_of(net, batch, t, second)
        chance, loss = float(both.detach()), package.family.loss(net, noised, batch).total
        value += chance * float(loss.detach())
        slopes = torch.autograd.grad(loss, weights, allow_unused=True)
        found = [a if b is None else a + chance * b for a, b in zip(found, slopes, strict=True)]
    assert value == pytest.approx(float(0.9999 * whole.detach() / batch.free.sum()), rel=1e-9)
    for one, due in zip(found, wanted, strict=True):
        assert torch.allclose(one, torch.zeros_like(one) if due is None else due, atol=1e-9)
    assert float(found[[*map(id, weights)].index(id(net.clocks.to_w.weight))].abs().max()) > 1e-3


def test_l20_the_slope_adds_nothing_to_the_value(package) -> None:
    """The loss is the mean of the costs of both corruptions."""
    net, batch = network(package), package.layout("text", 5)(examples("text"))
    t = torch.linspace(0.2, 0.9, len(batch.x0), dtype=torch.float64)
    noised = package.family.corrupt(batch, t, draw(batch), net)
    costs = [term(package, net, one, batch).sum() for one in (noised, noised.swapped())]
    found = package.family.loss(net, noised, batch)
    wanted = float((costs[0] + costs[1]).detach() / 2 / found.over)
    assert float(found.total.detach()) == pytest.approx(wanted, rel=1e-12)
    assert not (noised.masked == noised.twin_masked).all()


def test_c15_each_token_is_masked_by_its_own_clock(package) -> None:
    """Given tokens stay, and so do specials around the body."""
    net, t = clocked(network(package), W), 0.3
    row = Example(0, (A, B, C, C), (), (False, False, False, True))
    batch = repeat(package.layout("infill", 4)([row]), 20_000)
    times = torch.full((20_000,), t, dtype=torch.float64)
    noised = package.family.corrupt(batch, times, draw(batch), net)
    for masked in (noised.masked, noised.twin_masked):
        for place, token in enumerate((A, B, C), start=1):
            hidden = int(masked[:, place].sum())
            follows([hidden, 20_000 - hidden], [t ** W[token], 1 - t ** W[token]])
        assert not masked[:, [0, 4, 5]].any()
    both = int((noised.masked & noised.twin_masked)[:, 1].sum())
    follows([both, 20_000 - both], [t**2, 1 - t**2])
    assert (noised.xt == batch.x0.masked_fill(noised.masked, MASK)).all()
    assert (noised.twin == batch.x0.masked_fill(noised.twin_masked, MASK)).all()


def test_s11_scales_are_1_before_training_and_stay_in_their_range(package) -> None:
    """The slope there is 1, so that a rate of learning is one of their logarithms."""
    fresh = package.family.network(VOCAB, VOCAB.allowed(()), SIZE)
    assert (fresh.clocks.every().w == 1).all()
    assert (fresh.clocks(torch.tensor([[A, B]])).w == 1).all()
    x = torch.tensor([-1e3, -1.0, 0.0, 1e-6, 2.0, 1e3], dtype=torch.float64)
    found = package.clocks.scale(x)
    assert found.tolist() == sorted(found.tolist())
    assert float(found[0]) == pytest.approx(0.25)
    assert float(found[-1]) == pytest.approx(4.0)
    assert float((found[3] - found[2]) / 1e-6) == pytest.approx(1.0, rel=1e-3)
    net = clocked(network(package), W)
    found = net.clocks.every().w.detach()[[A, B, C]]
    assert found.tolist() == pytest.approx([1.0, 3.0, 0.5], rel=1e-6)


def test_l29_with_one_clock_the_loss_is_the_cross_entropy_of_masks(package, workshop) -> None:
    """From the same draws, and with the same weights: of masked diffusion."""
    plain, net = workshop.package("mask_timed"), clocked(network(package), {})
    other = network(plain)
    other.load_state_dict({k: v for k, v in net.state_dict().items() if "clocks" not in k})
    batch = package.layout("text", 5)(examples("text"))
    t = torch.linspace(0.05, 0.95, len(batch.x0), dtype=torch.float64)
    noised = package.family.corrupt(batch, t, draw(batch), net)
    same = plain.family.corrupt(batch, t, draw(batch), VOCAB)
    assert (noised.xt == same.xt).all()
    with torch.no_grad():
        found = term(package, net, noised, batch).sum()
        wanted = plain.loss.token_term(other, other.trunk(same.xt, batch.attend, t), same, batch)
    assert float(found) / 0.9999 == pytest.approx(float(wanted) / 0.9998, rel=1e-6)


def test_l29_parts_of_the_places_cost_and_slope_as_the_whole(package, monkeypatch) -> None:
    """However many logits are held at a time."""
    net, batch = network(package), package.layout("text", 5)(examples("text"))
    batch = repeat(pick(batch, slice(0, 1)), 400)
    t = torch.linspace(0.1, 0.9, 400, dtype=torch.float64)
    noised = package.family.corrupt(batch, t, draw(batch), net)
    weights = [*net.parameters()]

    def slopes():
        total = package.family.loss(net, noised, batch).total
        return float(total.detach()), torch.autograd.grad(total, weights, allow_unused=True)

    whole, due = slopes()
    monkeypatch.setattr(package.costs, "LOGITS", 1)
    assert len(package.costs.chunks(int(noised.masked.sum()), VOCAB.size)) > 1
    parts, found = slopes()
    assert parts == pytest.approx(whole, rel=1e-12)
    for one, other in zip(found, due, strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.allclose(one, other, rtol=1e-9, atol=1e-12)


def test_l29_a_token_that_cannot_be_costs_nothing(package) -> None:
    """No cost or slope is infinite where specials are never predicted."""
    net, batch = network(package), package.layout("text", 5)(examples("text"))
    t = torch.full((len(batch.x0),), 1e-4, dtype=torch.float64)
    everything = given(batch, 1e-4, batch.free, batch.free)
    loss = package.family.loss(net, package.family.corrupt(batch, t, everything, net), batch)
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert all(one.grad is None or one.grad.isfinite().all() for one in net.parameters())


def test_l29_evaluations_draw_times_as_no_order_of_places_tells_what_is_masked(package) -> None:
    """Not even where few tokens are free is the average taken over sets of places."""
    assert package.family.learned
    assert not enumerable(SimpleNamespace(family=package.family), [], 1)

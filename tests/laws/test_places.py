"""Training and decoding touch the same places: what is noised, what is learned, what is filled."""

from collections import Counter

import torch
from laws import zoo
from laws.build import VOCAB
from laws.decoded import EVERY, LIMIT, cases, samplers
from laws.examples import tokens
from laws.scripted import Scripted, draw, missing_amount, pick
from rounding import near

NOISY = [(name, sampler) for name, sampler in EVERY if name not in zoo.NONES]
AHEAD = [(name, sampler) for name, sampler in EVERY if name in zoo.NONES]
INSERTING = [(name, sampler) for name, sampler in NOISY if zoo.SPECS[name].has("-> gone")]


def full_noise(package, batch):
    """A batch at t = 1: everything that noise may take is taken."""
    nothing = torch.zeros(batch.x0.shape, dtype=torch.float64)
    noise = Scripted(corrupt=nothing, insert=nothing, unmask=nothing)
    return package.family.corrupt(batch, missing_amount(package, batch, 1), noise, VOCAB)


@samplers(NOISY)
def test_c3_decoding_begins_where_full_noise_ends(package, name):
    """In every layout the same tokens stand, eos and padding included; the others can be said."""
    for layout, batch, net in cases(package):
        noised = full_noise(package, batch)
        start = package.quick(name)(net, batch, draw(batch, 3), LIMIT, record=True).history[0]
        assert [tokens(row) for row in start] == [tokens(row) for row in noised.xt], layout
        allowed = VOCAB.allowed(package.family.layouts[layout].predicts)
        for i, row in enumerate(batch.x0):
            taken = Counter(row.tolist()) - Counter(start[i].tolist())
            assert all(allowed[x] for x in taken if x != VOCAB["pad"] or allowed[x])


@samplers(INSERTING)
def test_c4_decoding_asks_for_the_gaps_that_training_asks_for(package, name):
    """At t = 1, row by row: the hidden states that the head of the gaps is given."""
    head, asked = "gap" if package.spec.two else "slot", 0
    for _, batch, net in cases(package):
        seen, plain = [], getattr(net, head)
        setattr(net, head, lambda h, seen=seen, plain=plain: seen.append(h) or plain(h))
        for i in batch.free.any(1).nonzero()[:, 0].tolist():
            row = pick(batch, [i])
            package.family.loss(net, full_noise(package, row), row)
            trained = seen.pop().detach()
            package.quick(name)(net, row, draw(row, 3), LIMIT)
            if seen:  # unless it stops at once
                assert seen[0].shape == trained.shape
                assert near(seen[0], trained)
                asked += 1
            seen.clear()
    assert asked >= 4


class Flat(torch.nn.Module):
    """A network that says the same of every token, and of one of them that it hardly happens."""

    def __init__(self, rare):
        super().__init__()
        self.vocab = VOCAB
        self.logits = torch.zeros(VOCAB.size)
        self.logits[rare] = -1e4

    def trunk(self, xt, attend):
        return torch.zeros(*xt.shape, 1)

    def token(self, hidden):
        return self.logits.expand(len(hidden), -1)


@samplers(AHEAD)
def test_c3_what_is_learned_is_what_is_not_there_when_decoding_begins(package, name):
    """From left to right nothing is noised: the tokens that cost, against those that are given."""
    for layout, batch, net in cases(package):
        start = package.quick(name)(net, batch, draw(batch, 3), LIMIT, record=True).history[0]
        for i, row in enumerate(batch.x0):
            made = Counter(tokens(row)) - Counter(tokens(start[i]))
            for token in range(1, VOCAB.size):
                alone = pick(batch, [i])
                cost = float(package.family.loss(Flat(token), alone).total)
                nats = float(package.family.nelbo(Flat(token), alone, None).nats)
                assert (cost > 100, nats > 100) == (token in made, token in made), layout

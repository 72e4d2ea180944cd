"""Losses of batches: finite whatever is in them, and those of their rows by the denominator."""

from math import log

import numpy as np
import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B
from laws.costs import over, weight
from laws.decoded import every
from laws.examples import layouts, network
from laws.scripted import chosen, corrupted, draw, pick

from xlm_runtime.plug import Example


def ends(package, batch):
    """The batch with nothing and with everything corrupted, at the ends of the amount's range."""
    for share in (0, 1):
        gone = batch.free if share else torch.zeros_like(batch.free)
        amount = share * batch.free.sum(1)
        if not package.spec.has("amount count"):
            spec = package.spec
            t = min(spec.high, 1 - 1e-9) if share else spec.low
            amount = torch.full((len(gone),), t, dtype=torch.float64)
            if not amount.any():
                yield package.family.corrupt(batch, amount, draw(batch), VOCAB)
                continue
        yield chosen(package, batch, amount, gone)


@every(zoo.NOISED)
def test_l23_finite_whatever_is_corrupted(package):
    """The loss and its slopes, with empty bodies and with nothing else, too."""
    for name, _layout, batch in layouts(package):
        net = network(package, name)
        for part in (batch, pick(batch, slice(1, 2))):
            for noised in ends(package, part):
                losses = package.family.loss(net, noised, part)
                net.zero_grad()
                losses.total.backward()
                assert losses.total.isfinite()
                slopes = [w.grad for w in net.parameters() if w.grad is not None]
                assert all(slope.isfinite().all() for slope in slopes)
            assert package.family.nelbo(net, part, draw(part)).nats.isfinite().all()


@every(zoo.NOISED)
def test_l23_no_noise_costs_no_tokens(package):
    for name, _, batch in layouts(package):
        noised = next(ends(package, batch))
        terms = package.family.loss(network(package, name), noised, batch).terms
        assert terms["slot" if "slot" in terms else "token"].item() == 0


@every(zoo.NOISED)
def test_l24_a_batch_is_the_weighted_mean_of_its_rows(package):
    """The denominator is the one of the spec; a batch twice over has the same loss."""
    for name, _, batch in layouts(package):
        net = network(package, name)
        noised = corrupted(package, batch, draw(batch, 6))
        losses = package.family.loss(net, noised, batch)
        for term, value in losses.terms.items():
            rows = []
            for i in range(len(batch.x0)):
                alone, row = pick(noised, [i]), pick(batch, [i])
                part = package.family.loss(net, alone, row).terms[term]
                rows.append(part.item() * over(package, alone, row))
            total = sum(rows) / over(package, noised, batch)
            assert value.item() == pytest.approx(total, rel=1e-4, abs=1e-5)
        twice = [*range(len(batch.x0))] * 2
        again = package.family.loss(net, pick(noised, twice), pick(batch, twice))
        assert again.total.item() == pytest.approx(losses.total.item(), rel=1e-4)


ANSWERS = [n for n in zoo.those("[body eos pad]") if not zoo.SPECS[n].has("visible(")]


class Unsure(torch.nn.Module):
    """A network that finds all tokens alike."""

    vocab = VOCAB

    def trunk(self, xt, *_):
        return xt[..., None].double()

    def token(self, hidden):
        return torch.zeros(len(hidden), VOCAB.size)


@every(ANSWERS)
def test_l19_an_answer_in_more_room_costs_what_the_denominator_says(package):
    """The same, all hidden and each token as likely, where the mean is over its own tokens.

    Over sequences in proportion to the room that eos and padding fill; over the block by its share.
    """
    found, expected = [], []
    for room in (4, 7):
        batch = package.layout("seq2seq", room)([Example(0, (A, B), (A, A, B))])
        count = batch.free.sum(1)
        assert count == room + 1
        amount = count if package.spec.has("amount count") else torch.tensor([0.4]).double()
        noised = chosen(package, batch, amount, batch.free)
        found.append(package.family.loss(Unsure(), noised, batch).total.item() / log(VOCAB.size))
        share = weight(package.spec, 0.4, room + 1, room + 1) * (room + 1)
        share /= room + 1 if "per" in package.spec.over else 1
        expected.append(share / over(package, noised, batch))
    assert found == pytest.approx(expected, rel=1e-6)
    if package.spec.over.startswith("tokens"):
        assert found[0] == pytest.approx(found[1], rel=1e-6)


@every([n for n in zoo.NOISED if "per" in zoo.SPECS[n].over or zoo.SPECS[n].over == "sequences"])
def test_l19_a_row_costs_the_same_beside_any_companions(package):
    """With a mean over rows, each divided by its own number."""
    for name, _, batch in layouts(package):
        net = network(package, name)
        noised = corrupted(package, batch, draw(batch, 6))
        alone = [
            package.family.loss(net, pick(noised, [i]), pick(batch, [i])).total.item()
            for i in range(len(batch.x0))
        ]
        for rows in ([0, 2], [2, 3, 4], [5, 1, 0, 3]):
            found = package.family.loss(net, pick(noised, rows), pick(batch, rows)).total.item()
            assert found == pytest.approx(np.mean([alone[i] for i in rows]), rel=1e-4)


@every(zoo.those("param stop_scale"))
def test_l24_a_scale_multiplies_its_own_term_alone(package):
    _, _, batch = layouts(package)[0]
    net = network(package)
    noised = corrupted(package, batch, draw(batch, 6))
    once = package.family.loss(net, noised, batch).terms
    thrice = package.family.loss(net, noised, batch, stop_scale=3.0).terms
    assert thrice["slot"].item() == once["slot"].item()
    assert thrice["done"].item() == pytest.approx(3 * once["done"].item(), rel=1e-6)

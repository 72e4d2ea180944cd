"""A head of the length: a canvas of masks whose length the network draws."""

from dataclasses import replace
from itertools import product
from math import exp, log

import pytest
import torch
from laws.build import VOCAB, A, B, C
from laws.decoded import every
from laws.examples import network, one
from laws.scripted import draw, repeat
from laws.stats import mean_is

from xlm_runtime.plug import Example

SIZED = every(["mask_sized"])
LAW = (0.1, 0.2, 0.3, 0.4)


def certain(package):
    """A network that gives the lengths 0 to 3 the chances of `LAW`, and all tokens the same."""
    net = network(package)
    with torch.no_grad():
        for head in (net.to_size, net.to_token):
            head.weight.zero_()
            head.bias.zero_()
        net.to_size.bias.copy_(torch.tensor(LAW).log())
    return net.eval()


@SIZED
@pytest.mark.parametrize("room", [2, 3, 5])
def test_l27_all_texts_have_the_chance_1(package, room) -> None:
    """The joint law of lengths and texts; lengths without room are left out of it."""
    net = certain(package)
    layout = package.layout("text", room)
    texts = [row for n in range(room + 1) for row in product((A, B, C), repeat=n)]
    batch = layout([Example(i, row) for i, row in enumerate(texts)])
    nats = package.family.nelbo(net, batch, draw(batch)).nats
    assert sum(map(exp, (-nats).tolist())) == pytest.approx(1, abs=1e-6)
    whole = sum(LAW[: room + 1])
    for row, cost in zip(texts, nats.tolist(), strict=True):
        expected = -log(LAW[len(row)] / whole) + len(row) * log(3) if len(row) <= 3 else torch.inf
        assert cost == pytest.approx(expected, abs=1e-5)
    assert package.family.claim.value == "tight"
    assert "length" not in layout.given


@SIZED
def test_d34_lengths_are_drawn_from_the_head(package) -> None:
    """Whatever the length of the row that a decoder gets, and bounded by the limit."""
    net, count = certain(package), 6_000
    for body, limit, law in (((A,), 8, LAW), ((A, B, C, A), 2, [p / 0.6 for p in LAW[:3]])):
        batch = repeat(one(package, body), count)
        made = package.sampler()(net, batch, draw(batch, 3), limit)
        for n, chance in enumerate(law):
            mean_is((made.body.sum(1) == n).double(), chance)
        assert not (made.x[made.body] == VOCAB["mask"]).any()
        assert (made.nfe == made.body.sum(1) + 1).all()


@SIZED
def test_d21_a_row_with_a_length_of_its_own_does_not_depend_on_those_beside_it(package) -> None:
    net = network(package).eval()
    layout = package.layout("seq2seq", 4)
    rows = [Example(3, (A,), (B, B)), Example(9, (A, B), (C,)), Example(4, (), (A, B, C))]
    batch = layout(rows)
    whole = package.sampler()(net, batch, draw(batch, 5), 4)
    for i, row in enumerate(rows):
        alone = layout([row])
        made = package.sampler()(net, alone, draw(alone, 5), 4)
        assert made.x[made.body].tolist() == whole.x[i][whole.body[i]].tolist()


@SIZED
def test_l27_the_head_does_not_see_the_length(package) -> None:
    """Its loss and its law are those of the prompt, whatever the text."""
    net = network(package).eval()
    layout = package.layout("seq2seq", 5)
    rows = [Example(i, body, (B, C)) for i, body in enumerate([(), (A,), (C, B, A, A, B)])]
    batch = layout(rows)
    logits = package.lengths.length_logits(net, net.size, "cls", batch)
    assert torch.allclose(logits, logits[:1].expand_as(logits), atol=1e-5)
    other = layout([replace(rows[1], prompt=(A,))])
    assert not torch.allclose(
        package.lengths.length_logits(net, net.size, "cls", other), logits[:1], atol=1e-3
    )


@SIZED
def test_l27_the_loss_is_the_cross_entropy_of_the_length(package) -> None:
    net, batch = certain(package), package.layout("text", 5)([Example(0, (A, B)), Example(1, ())])
    noise = draw(batch, 2)
    noised = package.family.corrupt(batch, package.family.amount(batch, noise), noise, VOCAB)
    found = package.family.loss(net, noised, batch).terms["size"]
    assert found.item() == pytest.approx(-(log(LAW[2]) + log(LAW[0])) / 2, rel=1e-5)

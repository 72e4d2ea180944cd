"""Blocks of the noise: two streams, an amount for each block, and texts written block by block."""

from collections import Counter
from dataclasses import replace
from math import log

import pytest
import torch
from laws.blocks import counted, sized
from laws.build import VOCAB, A, B, C, Package, Workshop
from laws.examples import MIXED, layouts, network
from laws.scripted import alone, corrupted, draw, repeat
from laws.stats import follows, mean_is, samples_of

from xlm_runtime.plug import Example
from xlm_runtime.verify.table import continued

MASK, EOS = VOCAB["mask"], VOCAB["eos"]
CAPACITY = 3
SIZES = (1, 2, 3, 16)  # of blocks, for rows of four places


@pytest.fixture(params=["bd3lm", "bd3lm_rotary"])
def package(request, workshop: Workshop) -> Package:
    return sized(workshop.package(request.param), 2)


class Exact:
    """A network that knows the law of rows: of each place given its block, and those before."""

    def __init__(self, package: Package, law, layout: str = "text") -> None:
        self.vocab, self.package = VOCAB, package
        batch = package.layout(layout, CAPACITY)([Example(i, row) for i, row in enumerate(law)])
        self.rows = batch.x0[batch.free].view(len(law), -1)
        self.chances = torch.tensor(list(law.values()), dtype=torch.float64)
        self.net = network(package, layout)

    def blocks(self, free):
        return self.net.blocks(free)

    def trunk(self, xt, attend, block, x0):
        """Return the law of each place, for the ids."""
        free = block >= 0 if attend is None else (block >= 0) & attend
        rank = (free.cumsum(1) - 1).clamp(min=0)
        there = self.rows[:, rank]  # rows of the law, batch, length
        clean = (there == x0) | ~free
        noised = (there == xt) | (xt == MASK) | ~free
        hidden = torch.full((*xt.shape, VOCAB.size), -torch.inf, dtype=torch.float64)
        for i in range(xt.shape[1]):
            own, before = block == block[:, i, None], block < block[:, i, None]
            fits = ((noised | ~own) & (clean | ~before)).all(2).double() * self.chances[:, None]
            for token in range(VOCAB.size):
                hidden[:, i, token] = (fits * (there[:, :, i] == token)).sum(0)
        return hidden.log()

    def extend(self, new, attend, block, past=()):
        whole, kept = continued(new, (block, past))
        return self.trunk(whole, attend, block, whole)[:, -new.shape[1] :], kept

    def token(self, hidden):
        return hidden


@pytest.mark.parametrize("size", SIZES)
def test_l11_exact_answers_cost_minus_log_p_at_any_size(package, size: int) -> None:
    """For every text; with blocks of one every draw does: the chain rule, as of arlm."""
    package = sized(package, size)
    net = Exact(package, MIXED)
    for row, chance in MIXED.items():
        batch = repeat(package.layout("text", CAPACITY)([Example(0, row)]), 1500)
        nats = package.family.nelbo(net, batch, draw(batch)).nats
        noised = corrupted(package, batch, draw(batch, 1))
        losses = package.family.loss(net, noised, batch).total * batch.free[0].sum()
        mean_is(nats, -log(chance))
        assert float(losses) == pytest.approx(-log(chance), rel=1e-9 if size == 1 else 0.25)
        if size == 1:
            assert torch.allclose(nats, torch.full_like(nats, -log(chance)), rtol=1e-9)


def test_l11_one_block_is_mdlm(package, workshop: Workshop) -> None:
    """The same masks and the same loss, whatever the network."""
    whole, other = sized(package, 16), workshop.package("mdlm_filled")
    embed = torch.randn(VOCAB.size, VOCAB.size, generator=torch.Generator().manual_seed(3))
    embed[:, ~VOCAB.allowed(("eos", "pad"))] = -torch.inf

    class Any:
        vocab = VOCAB
        trunk = staticmethod(lambda xt, *_: embed[xt].double() + xt.double().mean())
        token = staticmethod(lambda hidden: hidden)

    batch = whole.layout("text", 5)([Example(i, [A, B, C][: i % 4]) for i in range(12)])
    count = torch.arange(12) % 6 + 1
    one = whole.family.corrupt(batch, count[:, None].expand(batch.x0.shape), draw(batch), VOCAB)
    two = other.family.corrupt(batch, count, draw(batch), VOCAB)
    assert torch.equal(one.xt, two.xt)
    losses = (p.family.loss(Any, n, batch).total for p, n in ((whole, one), (other, two)))
    assert torch.allclose(*losses, rtol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_l12_two_streams_are_block_by_block(package, size: int) -> None:
    """In every layout: one pass answers a block as the row up to it does, clean before."""
    package = sized(package, size)
    for name, _, batch in layouts(package):
        net = network(package, name)
        noised = corrupted(package, batch, draw(batch))
        attend = torch.ones_like(batch.free) if batch.attend is None else batch.attend
        hidden = net.trunk(noised.xt, batch.attend, noised.block, batch.x0)
        for k in range(int(noised.block.max()) + 1):
            now = torch.where(noised.block == k, noised.xt, batch.x0)
            there = attend & (noised.block <= k)
            alone = net.extend(now, there, noised.block)[0]
            here = attend & (noised.block == k)
            assert torch.allclose(alone[here], hidden[here], atol=1e-10)


def test_l12_no_stream_sees_what_it_must_not(package) -> None:
    """Not its own block as it is clean, nothing of a later one, and of a former one no mask."""
    _, _, batch = layouts(package)[0]
    net = network(package)
    block = net.blocks(batch.free)
    attend = torch.ones_like(batch.free) if batch.attend is None else batch.attend
    noised, clean = (net.backbone.embed(batch.x0).detach().requires_grad_() for _ in range(2))
    streams = iter((noised, clean))
    net.backbone.embed = torch.nn.Identity()
    net.backbone.embed.forward = lambda _: next(streams)
    hidden = net.trunk(batch.x0, batch.attend, block, batch.x0)
    row = 2  # a full one
    for i in range(hidden.shape[1]):
        slopes = torch.autograd.grad(hidden[row, i].sum(), (noised, clean), retain_graph=True)
        seen = [slope[row].abs().sum(1) > 0 for slope in slopes]
        assert torch.equal(seen[0], (block[row] == block[row, i]) & attend[row])
        assert torch.equal(seen[1], (block[row] < block[row, i]) & attend[row])


def test_c11_each_block_has_an_amount_of_its_own(package) -> None:
    """Every pair of counts as likely, and every set; what is given stays."""
    batch = package.layout("infill", 4)([Example(0, (A, B, A, B), (), (True, False, False, False))])
    batch = repeat(batch, 20_000)
    noised = corrupted(package, batch, draw(batch))
    assert not (noised.masked & ~batch.free).any()
    masked = noised.masked[batch.free].view(-1, 4)
    sets = Counter(map(tuple, masked.int().tolist()))
    chance = {(1, 0): 0.25, (0, 1): 0.25, (1, 1): 0.5}
    law = {(*a, *b): p * q for a, p in chance.items() for b, q in chance.items()}
    samples_of(sets, law)
    assert torch.equal(noised.count[batch.free].view(-1, 4)[:, 2], masked[:, 2:].sum(1))


def test_c11_times_of_blocks(workshop: Workshop) -> None:
    package = workshop.package("bd3lm_clipped")
    batch = repeat(package.layout("text", 7)([Example(0, (A,) * 7)]), 20_000)
    t = package.family.amount(batch, draw(batch))
    assert torch.equal(t[:, 1], t[:, 4])
    assert not torch.equal(t[:, 1], t[:, 5])
    first, second = t[:, 1], t[:, 5]
    cells = ((first - 0.3) / 0.125).long() * 4 + ((second - 0.3) / 0.125).long()
    follows(torch.bincount(cells, minlength=16).tolist(), [1 / 16] * 16)


@pytest.mark.parametrize("size", SIZES)
def test_d36_first_hitting_follows_the_law_at_a_call_a_token(package, size: int) -> None:
    package = sized(package, size)
    net = Exact(package, MIXED)
    batch = repeat(package.layout("text", CAPACITY)([Example(0, ())]), 3000)
    made = package.sampler("first_hitting")(net, batch, draw(batch), CAPACITY)
    written = made.body.sum(1)
    assert torch.equal(made.nfe, written)
    found = Counter(
        tuple(x for x in row[own].tolist() if x not in VOCAB.specials.values())
        for row, own in zip(made.x, made.body, strict=True)
    )
    samples_of(found, MIXED)
    for row, own in zip(made.x, made.body, strict=True):
        ids = row[own].tolist()
        end = ids.index(EOS)
        assert len(ids) == min(4, (end // size + 1) * size)  # no block follows the end


NAMES = ("default", "first_hitting", "confident", "uneven")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_d24_blocks_that_are_done_are_read_once(package, name: str, size: int) -> None:
    """Cached and uncached samples are equal, also where rows begin their blocks at odds."""
    package = sized(package, size)
    many = package.layout("text", 15)([Example(i, ()) for i in range(24)])
    for kind, batch in [*((kind, batch) for kind, _, batch in layouts(package)), ("text", many)]:
        steps = {"steps": 5} if name == "default" else {}
        made = []
        for canvas in (package.resuming.Resuming, package.canvas.Canvas):
            net, columns = counted(network(package, kind))
            with torch.no_grad():
                net.to_token.bias[EOS] -= 2  # longer rows, which are at odds
            sampler = package.sampler(name, **steps)
            object.__setattr__(sampler, "canvas", canvas)
            made.append((sampler(net, batch, draw(batch), 5), sum(columns)))
        (one, fewer), (other, more) = made
        assert torch.equal(one.x[:, -1:], other.x[:, -1:])
        for a, b in zip(one.x, other.x, strict=True):
            assert a[a != VOCAB["pad"]].tolist() == b[b != VOCAB["pad"]].tolist()
        assert torch.equal(one.nfe, other.nfe)
        assert fewer < more


def test_d24_each_token_is_computed_with_its_block_and_once_clean(workshop: Workshop) -> None:
    package = sized(workshop.package("bd3lm"), 2)
    batch = package.layout("text", 7)([Example(3, ())])
    net, columns = counted(network(package))
    with torch.no_grad():
        net.to_token.bias[EOS] = -1e9  # four blocks of two
    package.sampler("first_hitting")(net, batch, draw(batch), 7)
    assert columns == [1 + 2, 2, 4, 2, 4, 2, 4, 2]


@pytest.mark.parametrize("name", NAMES)
def test_d36_rows_beside_others_and_prompts_change_nothing(package, name: str) -> None:
    for kind, _, batch in layouts(package):
        net = network(package, kind)
        steps = {"steps": 5} if name == "default" else {}
        sampler = package.sampler(name, **steps)
        together = sampler(net, batch, draw(batch), 5)
        for i in range(len(batch.x0)):
            example = replace(draw(batch), example=batch.example[i : i + 1])
            made = sampler(net, alone(batch, i), example, 5)
            seen = together.x[i][together.x[i] != VOCAB["pad"]].tolist()
            assert made.x[0][made.x[0] != VOCAB["pad"]].tolist() == seen
            assert int(made.nfe[0]) == int(together.nfe[i])
        assert not (together.x == MASK).any()

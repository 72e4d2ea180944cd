"""Orders that are drawn: what a place sees, what it costs, and in which order decoders write."""

from collections import Counter
from itertools import permutations
from math import factorial, log

import pytest
import torch
from laws.build import VOCAB, A, B, C, Package, Workshop
from laws.examples import MIXED, layouts, network
from laws.scripted import corrupted, draw, every_count, pick, repeat
from laws.stats import samples_of

from xlm_runtime.plug import Example

MASK, LAST = VOCAB["mask"], 2**30
BODIES = [[A, B, C, A, B], [C], [B, A, C], [A, A, B, C], [C, B]]
DECODERS = ("default", "confident", "several")
LIMIT = 5


@pytest.fixture(params=["xlnet", "xlnet_dit"])
def package(request, workshop: Workshop) -> Package:
    return workshop.package(request.param)


class Sets:
    """A network whose answers depend on the place and on what is seen, by random numbers.

    Of masked rows it sees what is no mask, of whole ones the places of lower ranks.
    """

    vocab = VOCAB

    def __init__(self, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        numbers = {"dtype": torch.float64, "generator": generator}
        self.seen = torch.randn(16, VOCAB.size, 12, **numbers)
        self.place = torch.randn(16, 12, **numbers)
        self.out = torch.randn(12, VOCAB.size, **numbers)
        self.out[:, ~VOCAB.allowed(("eos", "pad"))] = 0

    def trunk(self, xt, attend, rank=None):
        column = torch.arange(xt.shape[1])
        there = self.seen[column, xt] * (xt != MASK)[:, :, None]
        if rank is None:
            seen = there.sum(1, keepdim=True)
        else:
            seen = torch.einsum("bij,bjw->biw", (rank[:, None] < rank[:, :, None]).double(), there)
        return torch.tanh(seen + self.place[column])

    def token(self, hidden):
        forbidden = ~VOCAB.allowed(("eos", "pad"))
        return (2 * hidden @ self.out).masked_fill(forbidden, -torch.inf)


class Exact(Sets):
    """A network that knows the law of rows."""

    def __init__(self, package: Package, law) -> None:
        batch = package.layout("text", LIMIT)([Example(i, row) for i, row in enumerate(law)])
        self.rows = [x[free].tolist() for x, free in zip(batch.x0, batch.free, strict=True)]
        self.chances = list(law.values())

    def trunk(self, xt, attend, rank=None):
        start = 1  # behind bos
        hidden = torch.zeros(*xt.shape, VOCAB.size, dtype=torch.float64)
        for b, i in (xt >= 0).nonzero().tolist():
            for row, chance in zip(self.rows, self.chances, strict=True):
                whole = [VOCAB["bos"], *row, VOCAB["eos"]]
                seen = (rank[b] < rank[b, i]).nonzero()[:, 0].tolist()
                if len(whole) == xt.shape[1] and all(whole[j] == int(xt[b, j]) for j in seen):
                    hidden[b, i, whole[i]] += chance * (start <= i <= len(row))
        return hidden.log()

    def token(self, hidden):
        return hidden


class Spy:
    """A network that keeps what its trunk was called with."""

    def __init__(self, net) -> None:
        self.net, self.vocab, self.token = net, net.vocab, net.token
        self.calls: list[tuple[torch.Tensor, torch.Tensor]] = []

    def trunk(self, xt, attend, rank):
        self.calls.append((xt, rank))
        return self.net.trunk(xt, attend, rank)


def batch_of(package, layout="text", times=1):
    made = package.layout(layout, LIMIT)
    prompts = {"prompt": [B, A]} if layout == "seq2seq" else {}
    given = {"given": [False, True, False, True, False]} if layout == "infill" else {}
    return made(
        [
            Example(10 + 7 * i, body, **prompts, **{k: v[: len(body)] for k, v in given.items()})
            for i, body in enumerate(BODIES * times)
        ]
    )


def test_fixed_tokens_come_first_and_all_orders_of_the_others_are_alike(package) -> None:
    """In every layout; over many draws each order is as frequent as any other."""
    for _, _, batch in layouts(package):
        rank = corrupted(package, batch, draw(batch)).rank
        for row, free in zip(rank, batch.free, strict=True):
            assert sorted(row.tolist()) == list(range(len(row)))
            fixed = row[~free]
            assert torch.equal(fixed, torch.arange(len(fixed)))
    one = repeat(package.layout("text", LIMIT)([Example(0, [A, B, C])]), 12_000)
    rank = corrupted(package, one, draw(one)).rank[one.free].view(-1, 3)
    law = {order: 1 / factorial(3) for order in permutations((1, 2, 3))}
    samples_of(Counter(map(tuple, (rank - rank.amin(1, keepdim=True) + 1).tolist())), law)


def test_exact_answers_cost_minus_log_p_in_every_order(package) -> None:
    """For each text and each draw: the chain rule, in whatever order."""
    lengths = {n: sum(p for row, p in MIXED.items() if len(row) == n) for n in (1, 2, 3)}
    net = Exact(package, MIXED)
    for row, chance in MIXED.items():
        if not row:
            continue
        batch = repeat(package.layout("text", LIMIT)([Example(0, row)]), 20)
        nats = package.family.nelbo(net, batch, draw(batch)).nats
        expected = torch.full_like(nats, -log(chance / lengths[len(row)]))
        assert torch.allclose(nats, expected, atol=1e-9)


def test_the_mean_over_orders_is_the_bound_of_masks(package, workshop: Workshop) -> None:
    """Of any answers that depend on what is seen, and not on the order in which it came."""
    masks, net = workshop.package("mdlm"), Sets()
    for body in ([A], [B, A], [C, A, B]):
        found = []
        for one in (package, masks):
            batch, noise = every_count(one.layout("text", LIMIT)([Example(0, body)]))
            found.append(one.family.nelbo(net, batch, noise).nats.mean())
        assert torch.allclose(*found, rtol=1e-12)


def test_the_loss_is_the_likelihood_for_each_token(package) -> None:
    """With the same order: the loss of training is the bound, divided by the free tokens."""
    for name, _, batch in layouts(package):
        net, noise = network(package, name), draw(batch, 6)
        noised = corrupted(package, batch, noise)
        found = package.family.loss(net, noised, batch)
        nats = package.family.nelbo(net, batch, noise).nats.sum()
        assert torch.allclose(found.total, nats / batch.free.sum(), rtol=1e-9)
        assert int(found.over) == int(batch.free.sum())


def test_one_pass_answers_as_the_steps_of_a_decoder_do(package) -> None:
    """In every layout: each place as in the row in which it and all that follow are masks."""
    for name, _, batch in layouts(package):
        net = network(package, name)
        rank = corrupted(package, batch, draw(batch)).rank
        hidden = net.trunk(batch.x0, batch.attend, rank)
        for k in range(int(rank.max()) + 1):
            later = (rank >= k) & batch.free
            now = batch.x0.masked_fill(later, MASK)
            alone = net.trunk(now, batch.attend, rank.masked_fill(later, LAST))
            here = (rank == k) & batch.free
            assert torch.allclose(alone[here], hidden[here], atol=1e-10)


def test_no_place_sees_its_own_token_or_a_later_one(package) -> None:
    """By slopes: a mask sees itself and the tokens before it; and all of these matter."""
    for name, _, batch in layouts(package):
        net = network(package, name)
        rank = corrupted(package, batch, draw(batch)).rank
        attend = torch.ones_like(batch.free) if batch.attend is None else batch.attend.bool()
        masks = net.backbone.embed(torch.full_like(batch.x0, MASK)).detach().requires_grad_()
        tokens = net.backbone.embed(batch.x0).detach().requires_grad_()
        streams = iter((masks, tokens))
        net.backbone.embed = torch.nn.Identity()
        net.backbone.embed.forward = lambda _, streams=streams: next(streams)
        hidden = net.trunk(batch.x0, batch.attend, rank)
        for row, i in (batch.free & attend).nonzero().tolist()[:12]:
            slopes = torch.autograd.grad(hidden[row, i].sum(), (masks, tokens), retain_graph=True)
            seen = [slope[row].abs().sum(1) > 0 for slope in slopes]
            assert seen[0].nonzero()[:, 0].tolist() == [i]
            assert torch.equal(seen[1], (rank[row] < rank[row, i]) & attend[row])


def test_the_place_to_fill_and_the_order_matter(package) -> None:
    """Two masks that see the same have different answers; and so has one after another order."""
    batch, net = batch_of(package), network(package)
    rank = corrupted(package, batch, draw(batch)).rank
    masked = batch.x0.masked_fill(batch.free, MASK)
    hidden = net.trunk(masked, batch.attend, rank.masked_fill(batch.free, LAST))
    assert not torch.allclose(hidden[0, 1], hidden[0, 2], atol=1e-3)
    row, free = 0, batch.free[0].nonzero()[:, 0]
    orders = []
    for order in ((1, 2, 3), (3, 2, 1)):
        rank = torch.zeros(1, batch.x0.shape[1], dtype=torch.long)
        rank[0, free] = LAST
        rank[0, free[:3]] = torch.tensor(order)
        x = batch.x0[row : row + 1].masked_fill(rank == LAST, MASK)
        orders.append(net.trunk(x, None, rank)[0, free[3]])
    assert not torch.allclose(*orders, atol=1e-4)


@pytest.mark.parametrize("name", DECODERS)
def test_tokens_are_read_in_the_order_in_which_they_were_written(package, name) -> None:
    """Given ones first, from left to right; of one step from the left; masks last, all alike."""
    for layout in package.family.layouts:
        whole, net = batch_of(package, layout), network(package, layout)
        for row in range(len(whole.x0)):
            spy, batch = Spy(net), pick(whole, slice(row, row + 1))
            package.sampler(name)(spy, batch, draw(batch, 5), LIMIT)
            order, before = [], None
            for xt, rank in spy.calls:
                known = (xt[0] != MASK).nonzero()[:, 0].tolist()
                order += [place for place in known if place not in order]
                assert sorted(known, key=lambda i, rank=rank: int(rank[0, i])) == order
                assert len({int(rank[0, i]) for i in known}) == len(known)
                assert (rank[0][xt[0] == MASK] > rank[0][known].max()).all()
                assert len({int(r) for r in rank[0][xt[0] == MASK]}) == 1
                if before is not None and name != "several":
                    assert len(known) == before + 1
                before = len(known)


@pytest.mark.parametrize("name", DECODERS)
def test_a_row_does_not_depend_on_those_beside_it(package, name) -> None:
    """Alone, and in another order: the same texts and calls."""
    for layout in package.family.layouts:
        batch, net = batch_of(package, layout, 2), network(package, layout)
        decode = package.sampler(name)
        whole = decode(net, batch, draw(batch, 5), LIMIT)
        order = torch.arange(len(batch.x0)) * 3 % len(batch.x0)
        other = pick(batch, order)
        assert torch.equal(decode(net, other, draw(other, 5), LIMIT).x, whole.x[order])
        for row in range(len(order)):
            one = pick(batch, slice(row, row + 1))
            alone = decode(net, one, draw(one, 5), LIMIT)
            assert torch.equal(alone.x[alone.body], whole.x[row][whole.body[row]])
            assert int(alone.nfe[0]) == int(whole.nfe[row])


@pytest.mark.slow
def test_samples_follow_the_law_of_exact_answers(package) -> None:
    """In orders drawn at random, a token a call."""
    law = {row: p for row, p in MIXED.items() if len(row) == 2}
    total = sum(law.values())
    batch = repeat(package.layout("text", LIMIT)([Example(0, [C, C])]), 6000)
    made = package.sampler()(Exact(package, law), batch, draw(batch, 2), LIMIT)
    found = Counter(tuple(x[body].tolist()) for x, body in zip(made.x, made.body, strict=True))
    samples_of(found, {row: p / total for row, p in law.items()})
    assert set(made.nfe.tolist()) == {2}


def test_the_claim_is_a_bound(package) -> None:
    """Trained as it is reported; samples are exact, as tokens are read in their own order."""
    family = package.family
    assert (family.claim.value, family.claim.trained) == ("bound", True)
    assert family.samples["default"].law == "exact"

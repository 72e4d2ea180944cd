"""States that go from call to call: what hands them on, what reads them, what learns by them."""

import pytest
import torch
from laws.build import SIZE, VOCAB, A, B, C, Package, Workshop
from laws.examples import layouts, network
from laws.scripted import corrupted, draw, pick
from torch.nn import functional as F

from xlm_runtime.plug import Example

MASK = VOCAB["mask"]
BODIES = [[A, B, C, A, B], [C], [B, A, C], [A, A, B, C], [C, B]]
DECODERS = ("default", "first_hitting", "confident", "gridded", "again", "planned")
LIMIT = 5


@pytest.fixture(params=["relay", "relay_rotary"])
def package(request, workshop: Workshop) -> Package:
    return workshop.package(request.param)


class Spy:
    """A network that keeps what its trunk was called with, and what that answered."""

    def __init__(self, net) -> None:
        self.net, self.vocab, self.token = net, net.vocab, net.token
        self.calls: list[tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]] = []

    def trunk(self, xt, attend, carried=None):
        hidden = self.net.trunk(xt, attend, carried)
        self.calls.append((xt, carried, hidden))
        return hidden


def batch_of(package, layout="text", times=1):
    made = package.layout(layout, LIMIT)
    prompts = {"prompt": [B, A]} if layout == "seq2seq" else {}
    return made([Example(10 + 7 * i, body, **prompts) for i, body in enumerate(BODIES * times)])


def surest(logits, masked, tau):
    """The masks whose likeliest token has a chance above a threshold, and the best one: by rows."""
    chance = torch.zeros(masked.shape, dtype=torch.float64)
    chance[masked] = logits.softmax(-1).amax(-1)
    chosen = masked & (chance > tau)
    for row in range(len(masked)):
        if masked[row].any():
            chosen[row, int(torch.where(masked[row], chance[row], -1.0).argmax())] = True
    return chosen


def leading(logits, masked, length, tau):
    """The masks, a part of the length or one of them, whose likeliest token leads the most."""
    lead = torch.full(masked.shape, -1.0, dtype=torch.float64)
    two = logits.softmax(-1).topk(2).values
    lead[masked] = two[:, 0] - two[:, 1]
    chosen = torch.zeros_like(masked)
    for row in range(len(masked)):
        number = min(max(1, int(length[row]) // tau), int(masked[row].sum()))
        chosen[row, lead[row].argsort(descending=True)[:number]] = True
    return chosen & masked


def test_l21_a_network_without_training_is_that_of_the_base(package, workshop: Workshop) -> None:
    """With all weights as they are made, and those of the base: the same answers and samples."""
    rotary = "_rotary" * package.spec.has("backbone  rotary")
    plain = workshop.package(f"relay_plain{rotary}")
    for layout in package.family.layouts:
        batch, allowed = batch_of(package, layout), VOCAB.allowed(())
        nets = [p.family.network(VOCAB, allowed, SIZE).double().eval() for p in (package, plain)]
        unknown = nets[0].load_state_dict(nets[1].state_dict(), strict=False)
        assert unknown.missing_keys == ["backbone.recall.weight"]
        assert not unknown.unexpected_keys
        for name in DECODERS:
            found = [
                p.sampler(name)(net, batch, draw(batch, 3), LIMIT)
                for p, net in zip((package, plain), nets, strict=True)
            ]
            assert torch.equal(found[0].x, found[1].x)
            assert torch.equal(found[0].nfe, found[1].nfe)


def test_l21_without_training_states_change_nothing(package) -> None:
    """Whatever they are, at masks and elsewhere."""
    batch = batch_of(package)
    net = package.family.network(VOCAB, VOCAB.allowed(()), SIZE).double().eval()
    masked = batch.x0.masked_fill(batch.free, MASK)
    before = net.trunk(masked, batch.attend)
    assert torch.equal(net.trunk(masked, batch.attend, torch.randn_like(before)), before)


def test_l21_states_of_zero_are_none_and_masks_alone_read_others(package) -> None:
    """In every layout, with random weights; at masks they change the answer."""
    for name, _, batch in layouts(package):
        net, noised = network(package, name), corrupted(package, batch, draw(batch))
        before = net.trunk(noised.xt, batch.attend)
        same = net.trunk(noised.xt, batch.attend, torch.zeros_like(before))
        assert torch.equal(same, before)
        dropped = before.masked_fill(noised.masked[:, :, None], 0)
        assert torch.equal(net.trunk(noised.xt, batch.attend, dropped), before)
        assert not torch.equal(net.trunk(noised.xt, batch.attend, before), before)


def test_l21_the_loss_is_the_mean_over_the_calls(package) -> None:
    """The first is that of the base; true tokens are written where the decoder would, then."""
    for tau in (0.0, 0.4, 1.0):
        batch = batch_of(package)
        noised, net = corrupted(package, batch, draw(batch)), network(package)
        spy = Spy(net)
        total = package.family.loss(spy, noised, batch, tau=tau)
        assert len(spy.calls) == 2
        (first, none, hidden), (second, carried, answer) = spy.calls
        assert none is None
        assert carried is not None
        assert torch.equal(first, noised.xt)
        assert torch.equal(carried[noised.masked], hidden[noised.masked])
        places = surest(net.token(hidden[noised.masked]), noised.masked, tau)
        left = noised.masked & ~places
        assert torch.equal(second, batch.x0.masked_fill(left, MASK))
        cost, length = 0.0, batch.free.sum(1)
        for masked, states in ((noised.masked, hidden), (left, answer)):
            for row, place in masked.nonzero().tolist():
                nll = F.cross_entropy(
                    net.token(states[row, place][None]), batch.x0[row, place][None]
                )
                cost += nll * length[row] / masked[row].sum()
        assert torch.allclose(total.total, cost / (2 * length.sum()))
        assert int(total.over) == 2 * int(length.sum())


@pytest.mark.parametrize("package", ["relay_three"], indirect=True)
def test_l21_three_calls_have_a_mean_over_their_masks(package) -> None:
    """By another rule, whose amount reads the length and a param of the run's loss."""
    batch = batch_of(package)
    noised, net = corrupted(package, batch, draw(batch, 2)), network(package)
    spy = Spy(net)
    total = package.family.loss(spy, noised, batch, tau=2)
    assert len(spy.calls) == 3
    cost, number, masked = 0.0, 0, noised.masked
    for xt, _, hidden in spy.calls:
        assert torch.equal(xt, batch.x0.masked_fill(masked, MASK))
        logits = net.token(hidden[masked])
        cost += F.cross_entropy(logits, batch.x0[masked], reduction="sum")
        number += int(masked.sum())
        masked = masked & ~leading(logits, masked, batch.free.sum(1), 2)
    assert torch.allclose(total.total, cost / number)
    assert [one.name for one in package.family.params["loss"]] == ["tau"]


def test_l21_gradients_go_through_all_calls(package) -> None:
    """The slope along any direction is that of the loss; what is written on the way stays."""
    batch = batch_of(package)
    noised, net = corrupted(package, batch, draw(batch)), network(package)
    weights = [one.requires_grad_() for one in net.parameters()]
    slopes = torch.autograd.grad(package.family.loss(net, noised, batch).total, weights)
    generator = torch.Generator().manual_seed(4)
    ways = [torch.randn(one.shape, generator=generator, dtype=one.dtype) for one in weights]
    found = []
    for step in (1e-6, -1e-6):
        with torch.no_grad():
            for weight, way in zip(weights, ways, strict=True):
                weight += step * way
            found.append(package.family.loss(net, noised, batch).total)
            for weight, way in zip(weights, ways, strict=True):
                weight -= step * way
    slope = sum((one * way).sum() for one, way in zip(slopes, ways, strict=True))
    assert torch.allclose(slope, (found[0] - found[1]) / 2e-6, rtol=1e-5)
    assert slopes[[n for n, _ in net.named_parameters()].index("backbone.recall.weight")].any()


@pytest.mark.parametrize("name", DECODERS)
def test_a_call_is_handed_what_the_last_one_of_its_row_said_at_masks(package, name) -> None:
    """Row by row, whatever other rows do: at masks of both calls; all else is zero."""
    for layout in package.family.layouts:
        whole, net = batch_of(package, layout), network(package, layout)
        for row in range(len(whole.x0)):
            spy, batch = Spy(net), pick(whole, slice(row, row + 1))
            package.sampler(name)(spy, batch, draw(batch, 5), LIMIT)
            (xt, carried, hidden), *others = spy.calls
            assert carried is None
            for now, handed, answer in others:
                assert handed is not None
                kept = hidden.masked_fill((xt != MASK)[:, :, None], 0)
                if kept.shape != handed.shape:
                    assert kept.shape[1] > handed.shape[1]  # columns of padding have been cut
                    kept = kept[:, -handed.shape[1] :]
                assert torch.equal(handed, kept)
                xt, hidden = now, answer


@pytest.mark.parametrize("name", DECODERS)
def test_a_row_has_its_own_states(package, name) -> None:
    """Alone, and beside others in another order, it is decoded alike: nothing is handed across."""
    for layout in package.family.layouts:
        batch, net = batch_of(package, layout, 4), network(package, layout)
        decode = package.sampler(name)
        whole = decode(net, batch, draw(batch, 5), LIMIT)
        order = torch.arange(len(batch.x0)) * 3 % len(batch.x0)
        other = pick(batch, order)
        turned = decode(net, other, draw(other, 5), LIMIT)
        assert torch.equal(turned.x, whole.x[order])
        for row in range(len(order)):
            one = pick(batch, slice(row, row + 1))
            alone = decode(net, one, draw(one, 5), LIMIT)
            assert torch.equal(alone.x[alone.body], whole.x[row][whole.body[row]])
            assert int(alone.nfe[0]) == int(whole.nfe[row])


def test_rows_that_are_not_asked_keep_their_states(package) -> None:
    """Some rows are queried, and then others."""
    batch, spy = batch_of(package), Spy(network(package))
    canvas = package.decoder.Remembering.of(spy, batch, LIMIT).mask(batch.free)
    tick = package.ticks.Tick(*[torch.ones(())] * 2, left=1)
    rows = torch.tensor([True, False, True, False, False])
    for asked in (rows, ~rows, rows):
        before, canvas = canvas.carried, canvas.query(tick, asked)
        hidden = spy.calls[-1][2].masked_fill(~batch.free[asked][:, :, None], 0)
        assert torch.equal(canvas.carried[asked], hidden)
        kept = torch.zeros_like(canvas.carried) if before is None else before
        assert torch.equal(canvas.carried[~asked], kept[~asked])
    assert canvas.calls.tolist() == [2, 1, 2, 1, 1]


def test_states_matter_to_samples(package) -> None:
    """With those of other rows in their place a decoder writes other texts."""

    class Shuffled(Spy):
        def trunk(self, xt, attend, carried=None):
            carried = None if carried is None else carried.roll(1, 0)
            return super().trunk(xt, attend, carried)

    body = [Example(i, [A] * LIMIT, [A, B, C][: i % 4]) for i in range(40)]
    batch, net = package.layout("seq2seq", LIMIT)(body), network(package, "seq2seq")
    decode = package.sampler("first_hitting")
    found = [decode(n, batch, draw(batch, 5), LIMIT).x for n in (Spy(net), Shuffled(net))]
    assert not torch.equal(*found)


def test_no_likelihood_is_claimed(package) -> None:
    """There is none, and samples follow the data for exact answers alone."""
    family = package.family
    assert (family.claim.value, family.nelbo) == ("none", None)
    assert family.samples["first_hitting"].law == "heads"
    assert family.samples["gridded"].law == "limit"

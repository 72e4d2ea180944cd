"""Keys and values that are kept while a block is open: where that is exact, and what it saves."""

from dataclasses import replace

import pytest
import torch
from laws.build import VOCAB, A, Package, Workshop
from laws.examples import layouts, network
from laws.scripted import alone, draw

from xlm_runtime.plug import Example

NAMES = ("prefix", "dual")


@pytest.fixture(params=["fast_dllm", "fast_dllm_dit"])
def package(request, workshop: Workshop) -> Package:
    return workshop.package(request.param)


def computed(net):
    """The network, and how many places each call computes of each row."""
    seen: list[list[int]] = []
    part = net.part

    def spy(x, place, there, attend, past):
        seen.append(there.sum(1).tolist())
        return part(x, place, there, attend, past)

    net.part = spy
    return net, seen


def whole(net, batch):
    """The states of a batch and its keys and values, all places computed."""
    place = torch.arange(batch.x0.shape[1]).expand_as(batch.x0)
    there = torch.ones_like(batch.free)
    past = net.nothing(*batch.x0.shape)
    return net.part(batch.x0, place, there, batch.attend, past)


@torch.no_grad()
def test_d41_a_part_is_that_of_the_whole_where_nothing_has_changed(package) -> None:
    """All places, or any of them in any order, in view of the keys and values of the others."""
    for kind, _, batch in layouts(package):
        net = network(package, kind)
        wanted = net.trunk(batch.x0, batch.attend)
        seen = torch.ones_like(batch.free) if batch.attend is None else batch.attend
        states, past = whole(net, batch)
        assert torch.allclose(states[seen], wanted[seen], atol=1e-10)
        order = torch.rand(batch.x0.shape, generator=torch.Generator().manual_seed(2)).argsort(1)
        place = order[:, :3]
        there = seen.gather(1, place)
        part, after = net.part(batch.x0.gather(1, place), place, there, batch.attend, past)
        index = place[:, :, None].expand(-1, -1, wanted.shape[2])
        assert torch.allclose(part[there], wanted.gather(1, index)[there], atol=1e-10)
        for old, new in zip(past, after, strict=True):
            assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(old, new, strict=True))


@torch.no_grad()
def test_d41_what_is_kept_is_not_read_again(package) -> None:
    """Other tokens elsewhere change no answer, and those of the part itself do."""
    _, _, batch = layouts(package)[0]
    net = network(package)
    _, past = whole(net, batch)
    place = torch.tensor([[2, 3]]).expand(len(batch.x0), -1)
    there = torch.ones_like(place, dtype=torch.bool)
    part = net.part(batch.x0[:, 2:4], place, there, batch.attend, past)[0]
    other = torch.where(batch.x0[:, 2:4] == A, VOCAB["mask"], A)
    changed = net.part(other, place, there, batch.attend, past)[0]
    assert not torch.allclose(part, changed)
    blank = batch.x0.clone()
    blank[:, 4:] = VOCAB["mask"]
    stale = net.part(blank[:, 2:4], place, there, batch.attend, past)[0]
    assert torch.equal(part, stale)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [2, 3])
def test_d41_under_blockwise_attention_the_cache_is_exact(
    package, name: str, size: int, monkeypatch
) -> None:
    """Where no place sees a later block: samples and calls of the decoder without a cache."""
    batch = package.layout("text", 7)([Example(i, (A,) * 7) for i in range(24)])
    block = (batch.free[0].long().cumsum(0) - 1) // size
    seen = (block[None, :] <= block[:, None])[None, None]
    monkeypatch.setattr(package.backbone, "attention_mask", lambda _: seen)
    monkeypatch.setattr(package.partial, "attention_mask", lambda _: seen)
    net = network(package)
    for tau in (0.3, 0.5, 1.0):
        told = {"tau": tau, "block_length": size, "temperature": 1.0}
        plain, kept = (
            package.sampler(one, **told)(net, batch, draw(batch), 7, record=True)
            for one in ("default", name)
        )
        assert torch.equal(plain.x, kept.x)
        assert torch.equal(plain.nfe, kept.nfe)
        assert all(torch.equal(*pair) for pair in zip(plain.history, kept.history, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_d41_one_step_for_each_block_needs_no_cache(package, name: str) -> None:
    """A block is read in view of all others as they are when it is opened."""
    for kind, _, batch in layouts(package):
        net, told = network(package, kind), {"tau": 0.0, "block_length": 2, "temperature": 1.0}
        plain, kept = (
            package.sampler(one, **told)(net, batch, draw(batch), 5) for one in ("default", name)
        )
        assert torch.equal(plain.x, kept.x)
        assert torch.equal(plain.nfe, kept.nfe)


@pytest.mark.parametrize("name", NAMES)
def test_d41_rows_beside_others_change_nothing(package, name: str) -> None:
    """Rows open their blocks at different steps, and each keeps what is its own."""
    for kind, _, batch in layouts(package):
        net = network(package, kind)
        sampler = package.sampler(name, tau=0.35, block_length=2, temperature=1.0)
        together = sampler(net, batch, draw(batch), 5)
        for i in range(len(batch.x0)):
            example = replace(draw(batch), example=batch.example[i : i + 1])
            made = sampler(net, alone(batch, i), example, 5)
            assert made.x[0][made.body[0]].tolist() == together.x[i][together.body[i]].tolist()
            assert int(made.nfe[0]) == int(together.nfe[i])


@pytest.mark.parametrize("name", NAMES)
def test_d41_places_that_the_network_computes(package, name: str) -> None:
    """All places when a block is opened; then the block, or the block and what is behind it."""
    batch = package.layout("text", 6)([Example(3, (A,) * 6)])
    net, seen = computed(network(package))
    package.sampler(name, tau=1.0, block_length=2)(net, batch, draw(batch), 6)
    later = [2, 2, 2] if name == "dual" else [7, 5, 3]
    assert [row[0] for row in seen] == [8, later[0], 8, later[1], 8, later[2]]


def test_d41_a_decoder_that_keeps_answers_claims_no_law(package) -> None:
    assert {package.family.samples[name].law for name in NAMES} == {"none"}
    assert all("other tokens" in package.family.samples[name].why for name in NAMES)

"""Logits that are read to the left of their tokens, in rows whose gaps are read there, too."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B, C, Package, Workshop
from laws.examples import layouts, network
from laws.scripted import draw
from laws.zoo.leftward import PLAIN

from xlm_runtime.plug import Example

EDITS = {"surplus": 0.05, "wrong": 5.0}  # most tokens of a draft become other ones
QUICK = ("both_led_shifted", "edit_shifted")
leftward = pytest.mark.parametrize(
    "package",
    [pytest.param(one, marks=[pytest.mark.slow] * (one not in QUICK)) for one in PLAIN],
    indirect=True,
)


@cache
def plain(name: str, root: Path) -> Package:
    """The package whose logits are read at their own places."""
    return Workshop(root).package(PLAIN[name])


def both(package: Package) -> tuple[Package, Package]:
    """A package, and that of its plain spec."""
    (name,) = (one for one in PLAIN if zoo.MORE[one] is package.spec)
    return package, plain(name, Path(str(package.module.__file__)).parents[1])


class Fickle:
    """A network for which places that are nearly alike have other tokens; ``head`` gives them."""

    def __init__(self, network: torch.nn.Module, head: str) -> None:
        self.network, self.head, self.vocab = network, head, VOCAB

    def trunk(self, *told):
        return self.network.trunk(*told)

    def __getattr__(self, name):
        method = getattr(self.network, name)
        if name == "clocks":
            return method
        return lambda hidden: self.changed(method(self.states(hidden, name)), name)

    def changed(self, answer, name):
        if name in EDITS:
            return torch.full_like(answer, EDITS[name])
        known = answer.isfinite() & (name == self.head)
        return torch.where(known, 5 * torch.sin(1e3 * answer), answer)

    def states(self, hidden, name):
        return hidden


class Beside(Fickle):
    """One whose state of a place has that of the next one beside it, for this head alone."""

    def trunk(self, *told):
        hidden = self.network.trunk(*told)
        following = torch.cat([hidden[:, 1:], torch.ones_like(hidden[:, :1])], 1)
        return torch.cat([hidden, following], -1)

    def states(self, hidden, name):
        return hidden.chunk(2, -1)[name == self.head]


def networks(package: Package, other: Package):
    """Networks of two packages that say the same of each token."""
    head = "right" if package.has("drafting") else "token"
    return Beside(network(package), head), Fickle(network(other), head)


def loss(package: Package, net, batch):
    """The loss of a batch, noised by the clocks of the network where it has some."""
    family, noise = package.family, draw(batch)
    told = net if package.has("clocks") else VOCAB
    return family.loss(net, family.corrupt(batch, family.amount(batch, noise), noise, told), batch)


@leftward
def test_k8_loss_and_likelihood_are_those_of_a_head_that_is_read_in_place(package):
    """Where the state of a place says of the next token what this one's would say of itself."""
    package, other = both(package)
    net, reference = networks(package, other)
    for _, _, batch in layouts(package):
        found, known = loss(package, net, batch), loss(other, reference, batch)
        assert torch.equal(found.total, known.total)
        assert torch.isfinite(found.total)
        bound = package.family.nelbo(net, batch, draw(batch))
        assert torch.equal(bound.nats, other.family.nelbo(reference, batch, draw(batch)).nats)


@leftward
def test_k8_decoders_make_the_rows_of_a_head_that_is_read_in_place(package):
    """Of all decoders: with edits, blocks, guidance and a finish."""
    package, other = both(package)
    net, reference = networks(package, other)
    for name in package.spec.samplers:
        for _, _, batch in layouts(package):
            found = package.sampler(name, steps=5)(net, batch, draw(batch, 5), 6)
            known = other.sampler(name, steps=5)(reference, batch, draw(batch, 5), 6)
            assert torch.equal(found.x, known.x)
            assert torch.equal(found.nfe, known.nfe)


class Following(torch.nn.Module):
    """A network that has read all up to a token, and no further, and is sure of the next one."""

    def __init__(self):
        super().__init__()
        self.vocab = VOCAB
        generator = torch.Generator().manual_seed(3)
        self.embed = torch.randn(VOCAB.size, 6, generator=generator, dtype=torch.float64)
        self.out = 1e4 * torch.randn(6, VOCAB.size, generator=generator, dtype=torch.float64)
        self.specials = torch.arange(VOCAB.size) < A

    def trunk(self, xt, attend, told=None):
        seen = torch.ones_like(xt, dtype=torch.bool) if attend is None else attend
        return (self.embed[xt] * seen[:, :, None]).cumsum(1)

    def token(self, hidden):
        return (hidden.sin() @ self.out).masked_fill(self.specials, -torch.inf)

    def gap(self, hidden):
        return torch.zeros(len(hidden), dtype=torch.float64)


@pytest.mark.parametrize("package", ["both_led_shifted"], indirect=True)
def test_k8_masks_that_no_gap_gets_are_filled_like_an_autoregressive_model(package):
    """From left to right: what the network writes if each token is appended to the text."""
    net, prompts = Following(), [(A, B), (B, B, C, A), (C,)]
    batch = package.layout("seq2seq", 4)([Example(i, (A,) * 4, p) for i, p in enumerate(prompts)])
    batch = replace(batch, x0=batch.x0.masked_fill(batch.free, VOCAB["mask"]))
    decoded = package.sampler("single")(net, batch, draw(batch), 6)
    for row, body, prompt in zip(decoded.x, decoded.body, prompts, strict=True):
        ids = [*prompt, VOCAB["bos"]]
        for _ in range(4):
            ids.append(int(net.token(net.trunk(torch.tensor([ids]), None)[:, -1]).argmax()))
        assert row[body].tolist() == ids[-4:]

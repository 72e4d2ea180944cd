"""A head for the number of missing tokens in the place of one that says when to stop."""

import math
from dataclasses import replace

import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, Package, Workshop
from laws.examples import layouts, network, one
from laws.scripted import draw, pick, repeat
from laws.stats import mean_is

from xlm_runtime.plug import Example

TEXT = """family lengthy "Insertion with a head for the number that is missing" extends ilm {
  network {
    head missing : distribution(16) at cls
    drop done
  }
  loss {
    missing : cross_entropy(gone)
    drop done
    drop stop_scale
    drop stop_balance
  }
  decoder {
    stop when zero(missing) > stop_above or length = limit
    drop stop_temperature
  }
  decoder sampled { stop chance zero(missing) or length = limit }
}
"""
MOST = 16


@pytest.fixture
def package(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Package:
    monkeypatch.setitem(zoo.SPECS, "lengthy", zoo.Spec(TEXT))
    return workshop.package("lengthy")


def sure(package, chance):
    """A network that gives one chance to 0 missing tokens, whatever it sees."""
    net = network(package)
    with torch.no_grad():
        net.to_missing.weight.zero_()
        net.to_missing.bias.fill_(-1e9)
        net.to_missing.bias[0] = torch.tensor(chance).log()
        net.to_missing.bias[3] = torch.tensor(1 - chance).log()
    return net


def test_the_cost_is_that_of_the_number(package) -> None:
    for _, _, batch in layouts(package):
        net = network(package)
        noise = draw(batch, 5)
        noised = package.family.corrupt(batch, package.family.amount(batch, noise), noise, VOCAB)
        logits = net.missing(net.trunk(noised.xt, noised.attend)[noised.xt == VOCAB["cls"]])
        law = logits.log_softmax(-1)
        expected = -sum(law[i, min(int(n), MOST)] for i, n in enumerate(noised.count))
        found = package.family.loss(net, noised, batch).terms["missing"]
        assert found.item() == pytest.approx(expected.item() / len(batch.x0), rel=1e-5)


def test_the_likelihood_asks_whether_any_is_missing(package) -> None:
    """Networks that differ in the chance of none differ by the chance of what happened."""
    assert package.family.claim.value == "bound"
    batch = repeat(one(package, (A,)), 64)
    noise = draw(batch, 7)
    few, many = (
        package.family.nelbo(sure(package, chance), batch, noise).nats for chance in (0.2, 0.7)
    )
    none, some = 2 * math.log(0.7 / 0.2), 2 * math.log(0.3 / 0.8)
    found = {round(float(nats), 3) for nats in few - many}
    assert found == {round(none, 3), round(some, 3)}


def test_a_row_ends_with_the_chance_that_nothing_is_missing(package) -> None:
    batch = repeat(one(package, (A,)), 6_000)
    made = package.sampler("sampled")(sure(package, 0.7), batch, draw(batch, 3), 8)
    mean_is((made.body.sum(1) == 0).double(), 0.7)
    mean_is((made.body.sum(1) == 1).double(), 0.3 * 0.7)


@pytest.mark.parametrize(("chance", "tokens"), [(0.51, 0), (0.49, 8)])
def test_a_row_ends_above_the_threshold(package, chance, tokens) -> None:
    batch = one(package, (A,))
    made = package.sampler()(sure(package, chance), batch, draw(batch, 3), 8)
    assert made.body.sum() == tokens


def test_of_a_cut_row_it_is_not_known_that_none_is_missing(package) -> None:
    """Neither the loss nor the likelihood reads what the head says there."""
    net, batch = network(package), package.layout("text")([Example(0, (A,), cut=True)] * 64)
    batch = replace(batch, example=torch.arange(64))
    noise = draw(batch, 7)
    noised = package.family.corrupt(batch, package.family.amount(batch, noise), noise, VOCAB)
    none = noised.count == 0
    assert 0 < none.sum() < 64
    assert package.family.loss(net, pick(noised, none), pick(batch, none)).total == 0
    assert package.family.loss(net, noised, batch).terms["missing"] > 0
    nats = [package.family.nelbo(sure(package, p), batch, noise).nats for p in (0.2, 0.7)]
    assert (nats[0] == nats[1]).sum() == none.sum()

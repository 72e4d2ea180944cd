"""Noise that is spread over the draws of an example: the same mean, of less variance or none."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from laws.scripted import every_count, repeat
from torch.nn import functional as F

from xlm_runtime.model import strata
from xlm_runtime.packages import package
from xlm_runtime.plug import Batch, Example, Family, ModelSize, Noise, Vocabulary

SHIPPED = Path(__file__).parents[2] / "examples"
BODY = [5, 6, 7, 5, 6, 6]
NEAR = {"rtol": 1e-9, "atol": 1e-12}
MANY = 1500  # copies of an example, with noise of their own


def made(name: str, body: list[int]) -> tuple[Family, Any, Batch]:
    """A family with a network whose weights matter, and an example laid out."""
    family = package.load(SHIPPED / name).family
    vocab = Vocabulary(9, {role: i for i, role in enumerate(family.specials)})
    layout = family.layouts["text"](vocab, len(body))
    torch.manual_seed(1)
    network = family.network(vocab, vocab.allowed(layout.predicts), ModelSize(1, 16, 2))
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return family, network.double().eval(), layout([Example(0, body)])


def total(family: Family, network: Any, batch: Batch, draws: Any) -> torch.Tensor:
    assert family.nelbo is not None
    parts = [weight * family.nelbo(network, batch, noise).nats for noise, weight in draws]
    return torch.stack(parts).sum(0)


def independent(batch: Batch, draws: int) -> Any:
    return ((Noise(3, batch.example, draw), 1 / draws) for draw in range(draws))


@pytest.mark.parametrize("name", ["mdlm", "ilm", "flexmdm"])
def test_spread_draws_have_the_same_mean_and_vary_less(name: str) -> None:
    """A right one fails with a chance below 1e-6 (means within 5 standard errors)."""
    family, network, batch = made(name, BODY)
    many = repeat(batch, MANY)
    spread = total(family, network, many, strata.spread(2, many, 4))
    plain = total(family, network, many, independent(many, 4))
    error = ((spread.var() + plain.var()) / MANY).sqrt()
    assert abs(float((spread.mean() - plain.mean()) / error)) < 5
    if name != "flexmdm":  # whose fourth moments are infinite: its variances cannot be seen
        assert float(spread.var() / plain.var()) < 0.8


def by_hand(network: Any, batch: Batch) -> float:
    """The mean of -log p over all orders, for masks: 1 / k of the sets of size k."""
    places = batch.free[0].nonzero()[:, 0].tolist()
    found = 0.0
    for count in range(1, len(places) + 1):
        sets = list(combinations(places, count))
        for chosen in sets:
            xt = batch.x0.clone()
            xt[0, list(chosen)] = network.vocab["mask"]
            logits = network.token(network.trunk(xt, batch.attend)[0, list(chosen)]).double()
            nats = F.cross_entropy(logits, batch.x0[0, list(chosen)], reduction="sum")
            found += float(nats) / count / len(sets)
    return found


@pytest.mark.parametrize("name", ["mdlm", "llada", "ilm", "ilm_unbiased", "dream"])
@pytest.mark.parametrize("length", [1, 2, 3])
def test_every_noise_is_the_brute_force(name: str, length: int) -> None:
    family, network, batch = made(name, BODY[:length])
    assert family.nelbo is not None
    found = total(family, network, batch, strata.every(2, batch))
    again = total(family, network, batch, strata.every(3, batch))
    torch.testing.assert_close(again, found, **NEAR)
    rows, noise = every_count(batch)
    torch.testing.assert_close(family.nelbo(network, rows, noise).nats.mean(), found[0], **NEAR)


@pytest.mark.parametrize("length", [1, 4, 6])
def test_every_noise_is_the_mean_over_all_orders(length: int) -> None:
    family, network, batch = made("mdlm", BODY[:length])
    with torch.no_grad():
        hand = by_hand(network, batch)
    assert float(total(family, network, batch, strata.every(2, batch))) == pytest.approx(hand)


def test_rows_of_every_length_are_averaged_over_their_own_noises() -> None:
    family, network, _ = made("mdlm", BODY)
    layout = family.layouts["text"](network.vocab, 6)
    examples = [Example(i, BODY[:length]) for i, length in enumerate([2, 6, 1, 0, 4])]
    together = layout(examples)
    found = total(family, network, together, strata.every(2, together))
    for i, example in enumerate(examples):
        alone = layout([example])
        one = total(family, network, alone, strata.every(2, alone))
        torch.testing.assert_close(one[0], found[i], **NEAR)


def test_strata_are_the_whole_of_chance() -> None:
    for length in range(strata.FEW + 1):
        assert sum(one[0] for one in strata.strata(length)) == pytest.approx(1)


def test_every_noise_of_a_family_with_clocks_has_the_mean_of_any() -> None:
    """A right one fails with a chance below 1e-6 (means within 5 standard errors)."""
    family, network, batch = made("flexmdm", BODY[:2])
    many = repeat(batch, MANY)
    every = total(family, network, many, strata.every(2, many))
    plain = total(family, network, many, independent(many, 16))
    error = ((every.var() + plain.var()) / MANY).sqrt()
    assert abs(float((every.mean() - plain.mean()) / error)) < 5


def test_who_noises_in_an_order() -> None:
    for name, ordered in (("mdlm", True), ("ilm", True), ("flexmdm", False)):
        family, network, batch = made(name, BODY)
        nelbo = family.nelbo
        assert nelbo is not None
        read = lambda noise: nelbo(network, batch, noise)  # noqa: E731, B023
        assert ("corrupt" in strata.streams(read, batch)) is ordered

"""A package does on a GPU what it does on the CPU: `pytest tests/laws/on_cuda.py`, with a GPU.

Its name keeps it out of `tests/run`, which needs no GPU. A draw may differ where it lies within a
rounding of the border between two tokens: a chance of about 1e-6, with fixed seeds.
"""

from copy import deepcopy
from typing import Any

import pytest
import torch
from laws import zoo
from laws.build import VOCAB
from laws.examples import layouts, network
from laws.scripted import draw

from xlm_runtime.plug import Batch, Noise

GPU = torch.device("cuda")
EVERY = pytest.mark.parametrize("package", zoo.ALL, indirect=True)
LIMIT = 8


@pytest.fixture(autouse=True, scope="module")
def _gpu() -> None:
    if not torch.cuda.is_available():
        pytest.fail(
            "these checks need a GPU that torch can use: torch.cuda.is_available() is False"
        )


def loss(package: Any, made: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """The training loss, whose gradient is left in the weights."""
    family, noise = package.family, draw(batch, 5)
    noised = ()
    if family.corrupt is not None:
        noised = (family.corrupt(batch, family.amount(batch, noise), noise, VOCAB),)
    total: torch.Tensor = family.loss(made, *noised, batch).total
    total.backward()
    return total


def test_noise_is_the_same_bit_for_bit():
    example = torch.tensor([0, 7, 2**40])
    here = Noise(3, example, 11).uniform("token", 64)
    there = Noise(3, example.to(GPU), 11).uniform("token", 64)
    assert torch.equal(here, there.cpu())


@EVERY
def test_losses_and_gradients_are_the_same(package):
    for name, _, batch in layouts(package):
        here = network(package, name).float().train()
        there = deepcopy(here).to(GPU)
        torch.testing.assert_close(
            loss(package, there, batch.to(GPU)).cpu(),
            loss(package, here, batch),
            rtol=1e-5,
            atol=1e-6,
        )
        for one, other in zip(here.parameters(), there.parameters(), strict=True):
            if one.grad is None:
                assert other.grad is None
            else:
                torch.testing.assert_close(other.grad.cpu(), one.grad, rtol=1e-3, atol=1e-5)


@EVERY
def test_likelihoods_are_the_same(package):
    nelbo = package.family.nelbo
    if nelbo is None:
        assert package.family.claim.value == "none"
        return
    for name, _, batch in layouts(package):
        here = network(package, name).float()
        there = nelbo(deepcopy(here).to(GPU), batch.to(GPU), draw(batch.to(GPU), 5))
        exact = nelbo(here, batch, draw(batch, 5)).nats
        torch.testing.assert_close(there.nats.cpu(), exact, rtol=1e-5, atol=1e-6)


@EVERY
def test_decoders_draw_the_same_tokens(package):
    for name, _, batch in layouts(package):
        here = network(package, name)
        there, moved = deepcopy(here).to(GPU), batch.to(GPU)
        for sampler in package.spec.samplers:
            made = package.sampler(sampler)
            one = made(here, batch, draw(batch, 5), LIMIT, record=True)
            other = made(there, moved, draw(moved, 5), LIMIT, record=True)
            assert torch.equal(one.x, other.x.cpu()), (name, sampler)
            assert torch.equal(one.nfe, other.nfe.cpu()), (name, sampler)
            assert len(one.history) == len(other.history)


@EVERY
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_mixed_precision_is_near_single_precision(package, dtype):
    for name, _, batch in layouts(package):
        made, moved = network(package, name).float().to(GPU).train(), batch.to(GPU)
        exact = loss(package, made, moved)
        with torch.autocast("cuda", dtype):
            mixed = loss(package, made, moved)
        torch.testing.assert_close(mixed.float(), exact, rtol=0.1, atol=0.02)
        assert all(w.grad is None or w.grad.isfinite().all() for w in made.parameters())

"""The averaged weights: their warm-up, and that they change places with the raw ones and back."""

import pytest
import torch
from torch import nn

from xlm_runtime.train.ema import Ema


def run(decay: float, steps: int) -> tuple[Ema, nn.Linear, float]:
    """An average of a weight that is n at step n, and what it should be."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    ema, expected = Ema(decay, network), 0.0
    for n in range(steps):
        nn.init.constant_(network.weight, n + 1.0)
        ema.update()
        d = min(decay, (1 + n) / (10 + n))
        expected = d * expected + (1 - d) * (n + 1)
    return ema, network, expected


def test_warm_up() -> None:
    for decay, steps in ((0.9999, 1), (0.9999, 300), (0.5, 40), (0.0, 3)):
        ema, _, expected = run(decay, steps)
        torch.testing.assert_close(ema.average[0].item(), expected, rtol=1e-5, atol=1e-6)


def test_warm_up_forgets_the_initial_weights() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    ema = Ema(0.9999, network)
    nn.init.zeros_(network.weight)
    for _ in range(1700):
        ema.update()
    assert ema.average[0].item() < 1e-6  # a plain .9999 would still hold 84 % of them


def test_applied_swaps_and_gives_back() -> None:
    ema, network, expected = run(0.9, 5)
    with ema.applied():
        torch.testing.assert_close(network.weight.item(), expected)
    assert network.weight.item() == 5.0


def test_state_round_trip() -> None:
    ema, network, _ = run(0.9, 5)
    other = Ema(0.9, network)
    other.load_state_dict(ema.state_dict())
    assert other.updates == 5
    assert torch.equal(other.average[0], ema.average[0])


def test_small_steps_are_not_lost_to_the_precision_of_the_weights() -> None:
    network = nn.Linear(1, 1, bias=False, dtype=torch.bfloat16)
    network.weight.data.fill_(1.0)
    ema = Ema(0.999, network)
    ema.updates = 10**6  # no warm-up
    network.weight.data.fill_(1.5)
    for _ in range(2000):
        ema.update()
    with ema.applied():
        assert network.weight.dtype == torch.bfloat16
        assert network.weight.item() == pytest.approx(1.5 - 0.5 * 0.999**2000, abs=0.01)
    assert network.weight.item() == 1.5

"""The averaged weights: their warm-up, and that they change places with the raw ones and back."""

from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import nn

from xlm_runtime.train.ema import Ema

TRAINER = Trainer(logger=False, enable_checkpointing=False, enable_progress_bar=False)


class Module(LightningModule):
    network: nn.Linear

    def __init__(self, network: nn.Linear) -> None:
        super().__init__()
        self.network = network


def made(decay: float, network: nn.Linear) -> tuple[Ema, Module]:
    ema, module = Ema(decay), Module(network)
    ema.setup(TRAINER, module, "fit")
    return ema, module


def run(decay: float, steps: int) -> tuple[Ema, Module, float]:
    """An average of a weight that is n at step n, and what it should be."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    (ema, module), expected = made(decay, network), 0.0
    for n in range(steps):
        nn.init.constant_(network.weight, n + 1.0)
        ema.update(n)
        d = min(decay, (1 + n) / (10 + n))
        expected = d * expected + (1 - d) * (n + 1)
    return ema, module, expected


def test_warm_up() -> None:
    for decay, steps in ((0.9999, 1), (0.9999, 300), (0.5, 40), (0.0, 3)):
        ema, _, expected = run(decay, steps)
        torch.testing.assert_close(ema.average[0].item(), expected, rtol=1e-5, atol=1e-6)


def test_warm_up_forgets_the_initial_weights() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    ema, _ = made(0.9999, network)
    nn.init.zeros_(network.weight)
    for n in range(1700):
        ema.update(n)
    assert ema.average[0].item() < 1e-6  # a plain .9999 would still hold 84 % of them


def test_a_validation_sees_the_average_until_its_end() -> None:
    ema, module, expected = run(0.9, 5)
    weight = module.network.weight
    ema.on_validation_epoch_start(TRAINER, module)
    ema.on_validation_epoch_end(TRAINER, module)
    torch.testing.assert_close(weight.item(), expected)  # samples are drawn from it
    ema.on_validation_end(TRAINER, module)
    assert weight.item() == 5.0
    ema.on_validation_epoch_start(TRAINER, module)
    ema.on_exception(TRAINER, module, RuntimeError())
    assert weight.item() == 5.0  # so that what is saved after a failure is the weight


def test_state_round_trip() -> None:
    ema, module, _ = run(0.9, 5)
    saved: dict[str, Any] = {"state_dict": module.state_dict()}
    ema.on_save_checkpoint(TRAINER, module, saved)
    other, fresh = made(0.9, nn.Linear(1, 1, bias=False))
    other.on_load_checkpoint(TRAINER, fresh, saved)
    assert torch.equal(other.average[0], ema.average[0])
    assert fresh.network.weight.item() == 5.0


def test_small_steps_are_not_lost_to_the_precision_of_the_weights() -> None:
    network = nn.Linear(1, 1, bias=False, dtype=torch.bfloat16)
    network.weight.data.fill_(1.0)
    ema, module = made(0.999, network)
    network.weight.data.fill_(1.5)
    for n in range(2000):
        ema.update(10**6 + n)  # no warm-up
        if n % 500 == 0:
            ema.on_validation_epoch_start(TRAINER, module)
            assert network.weight.dtype == torch.bfloat16
            ema.on_validation_end(TRAINER, module)
    with ema.applied():
        assert network.weight.item() == pytest.approx(1.5 - 0.5 * 0.999**2000, abs=0.01)
    assert network.weight.item() == 1.5

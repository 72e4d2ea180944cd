"""The training step: losses that are not finite are named, and seeds depend on the step alone."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from xlm_runtime.plug import Losses
from xlm_runtime.system.errors import RunError
from xlm_runtime.train.module import Training, Window, reseed

Start = Callable[..., int]


def losses(total: float, over: int, **terms: float) -> Losses:
    named = {name: torch.tensor(value) for name, value in terms.items()}
    return Losses(torch.tensor(total), named, over)


def test_window_gives_means_once() -> None:
    window = Window()
    for step in range(3):
        window.add(step, losses(float(step), 3, a=1.0))
    assert window.means() == {"loss": 1.0, "a": 1.0}
    assert window.means() == {}


def test_window_weights_the_parts_of_a_step_as_the_loss_of_the_batch_does() -> None:
    """A step of 14 tokens and of 89, and one of a single part."""
    window = Window()
    window.add(4, losses(2.0, 14))
    window.add(4, losses(1.0, 89))
    window.add(5, losses(3.0, 50))
    assert window.means()["loss"] == pytest.approx(((2 * 14 + 89) / 103 + 3) / 2)


def test_window_names_the_first_bad_step_and_its_terms() -> None:
    window = Window()
    for step, value in ((7, 1.0), (8, float("inf")), (9, float("nan"))):
        window.add(step, losses(value, 2, a=value, b=1.0))
    with pytest.raises(RunError, match=r"not finite at step 8 \(loss=inf, a=inf, b=1\)") as found:
        window.means()
    assert "look for special tokens in the texts" in str(found.value)
    window.add(1, losses(float("nan"), 2, a=float("nan"), b=1.0))
    with pytest.raises(RunError, match=r"kept\. Try a smaller train\.learning_rate"):
        window.means()


def test_weights_that_are_not_finite_are_seen() -> None:
    for value, healthy in ((1.0, True), (float("nan"), False), (float("inf"), False)):
        module = torch.nn.Module()
        module.network = torch.nn.Linear(2, 2)
        torch.nn.init.constant_(module.network.bias, value)
        assert Training.healthy(module) is healthy  # type: ignore[arg-type]


def test_weights_that_are_not_finite_are_not_saved(
    start: Start, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Training, "healthy", lambda _: False)
    assert start(job="train", sets=("train.steps=2", "generate.samples=0")) == 4
    assert "a weight is not finite after step 2" in capsys.readouterr().err
    assert not Path("runs/toy/toy_reverse/quick-seed1/checkpoints").exists()


def test_reseeding_is_a_function_of_seed_and_counter() -> None:
    def draws(seed: int, counter: int) -> tuple[float, float, float]:
        reseed(seed, counter)
        return torch.rand(1).item(), random.random(), float(np.random.rand())

    assert draws(1, 5) == draws(1, 5)
    seen = [draws(seed, counter) for seed in (0, 1) for counter in range(20)]
    assert all(len(set(column)) == 40 for column in zip(*seen, strict=True))

"""The price of the trainer: a step of `fit` against one of a bare loop of the same arithmetic.

``python benchmarks/loop.py [ROUNDS]``. The bare loop lays out a batch, corrupts it, computes loss
and gradient, clips, moves the weights and their average: what a script would do that logs nothing,
saves nothing and cannot go on. Both run in one process and in turns, on one thread, and the medians
of CPU seconds (user and system) are compared; a validation or a checkpoint is no part of a step.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import torch
from torch import Tensor

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "runtime"), str(Path(__file__).parent)]

from lightning.pytorch import Callback  # noqa: E402

from xlm_runtime.config.config import Config  # noqa: E402
from xlm_runtime.config.settings import Setting, build  # noqa: E402
from xlm_runtime.model.model import Model, make  # noqa: E402
from xlm_runtime.packages.package import load  # noqa: E402
from xlm_runtime.plug import Example, Noise, Vocabulary  # noqa: E402
from xlm_runtime.train.fit import Held, fit  # noqa: E402
from xlm_runtime.train.optim import optimizer, schedule  # noqa: E402

STEPS, WARM, BODY = 12, 2, 64
SETS: dict[str, Any] = {
    "model.layers": 3, "model.width": 96, "model.heads": 4, "train.batch": 24,
    "train.steps": STEPS, "train.validate_every": 10**6, "train.checkpoint_every": 10**6,
    "train.log_every": 5, "train.callbacks": "loop:CLOCK", "data.block": BODY,
}  # fmt: skip


class Clock(Callback):
    """CPU seconds at the beginning of each step."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def on_train_batch_start(self, *_: Any) -> None:
        """Looks at the clock."""
        self.at.append(process_time())


CLOCK = Clock()


def examples() -> list[Example]:
    """Return rows of random tokens."""
    made = torch.Generator().manual_seed(1)
    return [
        Example(i, torch.randint(5, 500, (BODY,), generator=made).tolist()) for i in range(24 * 40)
    ]


def fresh() -> tuple[Model, Config]:
    """Return an untrained masked model, and what to train it with."""
    family = load(ROOT / "examples/mdlm").family
    config = build(family, [Setting(path, value, "loop") for path, value in SETS.items()], [])
    specials = {token: i for i, token in enumerate(family.specials)}
    return make(family, Vocabulary(500, specials), "text", BODY, config), config


def bare(rows: list[Example]) -> Iterator[float]:
    """Yield the CPU seconds of each step of a bare loop."""
    model, config = fresh()
    train, weights = config.train, list[Tensor](model.network.parameters())
    moved = optimizer(model.network, train)
    rate, average = schedule(moved, train), [w.detach().clone() for w in weights]
    for step in range(STEPS):
        began = process_time()
        batch = model.layout(rows[24 * step : 24 * (step + 1)])
        moved.zero_grad()
        loss = model.loss(batch, Noise(train.seed, batch.example, step)).total
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(weights, train.clip)
        moved.step()
        rate.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, weights, 1 - train.ema)
        yield process_time() - began


def trained(rows: list[Example]) -> list[float]:
    """Return the CPU seconds of each step but the last of a training run."""
    model, config = fresh()
    CLOCK.at.clear()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        fit(model, rows, Held(rows[:24], 24, list), config, Path(folder))
    return [after - before for before, after in zip(CLOCK.at, CLOCK.at[1:], strict=False)]


def main(rounds: int) -> None:
    """Print seconds of a step of either, and their ratio, as JSON."""
    torch.set_num_threads(1)
    sys.modules["loop"] = sys.modules[__name__]  # where the run looks for its callback
    rows, loop, ours = examples(), list[float](), list[float]()
    for _ in range(rounds):
        loop += list(bare(rows))[WARM:]
        ours += trained(rows)[WARM:]
    found = {"bare": median(loop), "fit": median(ours), "ratio": median(ours) / median(loop)}
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)

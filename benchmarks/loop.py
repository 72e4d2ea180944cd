"""The price of the trainer: a step of `fit` against one of a bare loop of the same arithmetic.

``python benchmarks/loop.py [STEPS]``. The bare loop lays out a batch, corrupts it, computes loss
and gradient, clips, moves the weights and their average: what a script would do that logs nothing,
saves nothing and cannot go on. Steps of both take turns in one process, on one thread; of the
ratios of their CPU seconds (user and system) the median is printed. A validation or a checkpoint is
no part of a step.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from itertools import count
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

WARM, ROWS, BODY = 3, 24, 64
SETS: dict[str, Any] = {
    "model.layers": 3, "model.width": 96, "model.heads": 4, "train.batch": ROWS,
    "train.validate_every": 10**6, "train.checkpoint_every": 10**6,
    "train.log_every": 5, "train.callbacks": "loop:CLOCK", "data.block": BODY,
}  # fmt: skip


class Clock(Callback):
    """CPU seconds of each step, with one of the bare loop before it."""

    def __init__(self) -> None:
        self.bare, self.ours = list[float](), list[float]()
        self.loop, self._began = iter(list[float]()), 0.0

    def on_train_batch_start(self, *_: Any) -> None:
        """Notes the time since the last beginning, and lets the bare loop take a step."""
        if self._began:
            self.ours.append(process_time() - self._began)
        self.bare.append(next(self.loop))
        self._began = process_time()


CLOCK = Clock()


def examples() -> list[Example]:
    """Return rows of random tokens."""
    made = torch.Generator().manual_seed(1)
    return [
        Example(i, torch.randint(5, 500, (BODY,), generator=made).tolist())
        for i in range(40 * ROWS)
    ]


def fresh(steps: int) -> tuple[Model, Config]:
    """Return an untrained masked model, and what to train it with."""
    family, sets = load(ROOT / "examples/mdlm").family, SETS | {"train.steps": steps}
    config = build(family, [Setting(path, value, "loop") for path, value in sets.items()], [])
    specials = {token: i for i, token in enumerate(family.specials)}
    return make(family, Vocabulary(500, specials), "text", BODY, config), config


def bare(rows: list[Example], steps: int) -> Iterator[float]:
    """Yield the CPU seconds of each step of a bare loop."""
    model, config = fresh(steps)
    train, weights = config.train, list[Tensor](model.network.parameters())
    moved = optimizer(model.network, train)
    rate, average = schedule(moved, train), [w.detach().clone() for w in weights]
    for step in count():
        began = process_time()
        first = ROWS * step % len(rows)
        batch = model.layout(rows[first : first + ROWS])
        moved.zero_grad()
        loss = model.loss(batch, Noise(train.seed, batch.example, step)).total
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(weights, train.clip)
        moved.step()
        rate.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, weights, 1 - train.ema)
        yield process_time() - began


def main(steps: int) -> None:
    """Print seconds of a step of either, and their ratio, as JSON."""
    torch.set_num_threads(1)
    sys.modules["loop"] = sys.modules[__name__]  # where the run looks for its callback
    rows = examples()
    CLOCK.loop = bare(rows, steps)
    model, config = fresh(steps)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        fit(model, rows, Held(rows[:ROWS], ROWS, list), config, Path(folder))
    pairs = list(zip(CLOCK.bare, CLOCK.ours, strict=False))[WARM:]
    one, other = zip(*pairs, strict=True)
    ratio = median(ours / loop for loop, ours in pairs)
    found = {"bare": median(one), "fit": median(other), "ratio": ratio}
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)

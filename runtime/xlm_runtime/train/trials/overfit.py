"""One batch under one noise, learnt by heart: a check of loss, network and settings."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from lightning.pytorch import Callback, Trainer
from torch import Tensor

from xlm_runtime.config.config import Config, Train
from xlm_runtime.model.evaluate import said
from xlm_runtime.model.model import Model
from xlm_runtime.plug import Batch, Example, Noise
from xlm_runtime.system.progress import Watch
from xlm_runtime.train.fit import batches
from xlm_runtime.train.module import Training, reseed
from xlm_runtime.train.trials import bench

STEPS = 1000
EVERY = 10  # steps between looks at the loss
LEARNT = 0.01  # of the first loss
STILL = 0.02  # by less than this share a loss no longer falls
LOOKS = 20  # in which it would have to


@frozen
class Learnt:
    """The losses of the batch at the first step and at the last one.

    falls: the loss still fell at the end. alike: the examples that were left out, since they look
    like others once they are noised.
    """

    start: Mapping[str, float]
    end: Mapping[str, float]
    falls: bool
    steps: int
    alike: int

    @property
    def whole(self) -> bool:
        """Return whether next to nothing is left of the loss."""
        return self.end["loss"] <= LEARNT * self.start["loss"]


class ByHeart(Training):
    """Training whose every step has the noise of the first one, and no dropout."""

    def on_train_batch_start(self, _: Batch, batch_idx: int) -> None:
        """Seed the generators alike in each step."""
        reseed(self.train_config.seed, batch_idx % self.train_config.accumulate)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a part under the noise of the first step."""
        part = batch_idx % self.train_config.accumulate
        losses = self.model.loss(batch, noise(self.train_config, batch, part))
        self.window.add(self.trainer.global_step, losses)
        return self.parts.weighted(losses, batch)


def noise(train: Train, batch: Batch, part: int) -> Noise:
    """Return the noise of the first step."""
    return Noise(train.seed, batch.example, 0, part, train.accumulate)


class Until(Callback):
    """The losses as they fall, until next to nothing is left, or they fall no more."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self.step = watch, 0
        self.curve: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Record the loss of the first step, and of every tenth one."""
        step = trainer.global_step
        if step == self.step or (step > 1 and step % EVERY):
            return
        self.step = step
        self.curve.append(pl_module.window.means())
        self.watch.at(step, said(self.curve[-1]))
        whole = self.curve[-1]["loss"] <= LEARNT * self.curve[0]["loss"]
        trainer.should_stop = whole or not self.falls

    @property
    def falls(self) -> bool:
        """Return whether the last losses are lower than those before them."""
        losses = [one["loss"] for one in self.curve]
        before, now = losses[:-LOOKS], losses[-LOOKS:]
        return not before or min(now) < (1 - STILL) * min(before)


def learn(model: Model, examples: Sequence[Example], config: Config) -> Learnt:
    """Learn a batch by heart, for `STEPS` steps at most.  The model has other weights then."""
    train = bench.alone(config.train, STEPS)
    kept = distinct(model, examples, train)
    part = min(train.part, len(kept))
    train = evolve(
        train, batch=len(kept) // part * part, device_batch=part, warmup=min(train.warmup, EVERY),
        schedule="constant", compile=False,
    )  # fmt: skip
    read = batches(model, kept, batch_sampler=bench.Same(train.batch, train.part, STEPS))
    with Watch("overfit", STEPS) as watch:
        until = Until(watch)
        bench.fit(ByHeart(model, train), read, train, [until])
    start, *_, end = until.curve
    return Learnt(start, end, until.falls, until.step, len(examples) - len(kept))


def distinct(model: Model, examples: Sequence[Example], train: Train) -> list[Example]:
    """Return the examples that no other one before them equals once it is noised.

    Of two that look alike and have different answers no network can know which it is.
    """
    family = model.family
    if family.amount is None or family.corrupt is None:
        return [*examples]
    batch = model.layout([*examples])
    source = noise(train, batch, 0)
    amount = family.amount(batch, source)
    noised = family.noised(batch, amount, source, model.vocabulary, model.network)
    seen = {tuple(row): i for i, row in reversed([*enumerate(noised.xt.tolist())])}
    kept = [examples[i] for i in sorted(seen.values())]  # whose noise may depend on the others
    return kept if len(kept) == len(examples) else distinct(model, kept, train)

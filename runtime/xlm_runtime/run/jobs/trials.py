"""The jobs that try a training and write no run: plan, rate and overfit."""

from math import isinf
from typing import TYPE_CHECKING

from attrs import evolve

from xlm_runtime.config.config import Config, Train
from xlm_runtime.model import memory
from xlm_runtime.model.evaluate import said
from xlm_runtime.model.model import Model, first
from xlm_runtime.run.jobs.session import Session
from xlm_runtime.system.env import device
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import say
from xlm_runtime.tasks.base.prepared import Prepared

if TYPE_CHECKING:
    from xlm_runtime.train.trials.plan import Measured


def trial(job: str, session: Session) -> None:
    """Run one of `command.TRIALS`.  Raises RunError where a batch is not learnt."""
    if job == "overfit":
        still = evolve(session.config.model, dropout=0.0, attention_dropout=0.0)
        session = evolve(session, config=evolve(session.config, model=still))
    model = session.trainable()
    jobs = {"plan": _plan, "rate": _rate, "overfit": _overfit}
    jobs[job](model, session.prepared, session.config)


def _plan(model: Model, prepared: Prepared, config: Config) -> None:
    """Print the sizes of network and data, and the time and memory of a training."""
    from xlm_runtime.train.trials import plan  # Lightning takes seconds to import

    sizes, kept = _weights(model), memory.of_training(model.network, model.dtype)
    found = plan.measure(model, prepared.train, prepared.validation, config)
    lines = {"weights": sizes, **_data(prepared, config.train, found.columns)}
    lines["memory"] = (
        f"{memory.sized(found.memory)} of {memory.sized(memory.capacity())} at the peak; weights, "
        f"gradients, moments and average are {memory.sized(kept)} of it"
    )
    for name, text in (lines | _times(prepared, config, found)).items():
        say(f"{name:10}  {text}")


def _weights(model: Model) -> str:
    """Describe the number of weights of each part of a network, the largest first."""
    parts = {
        name: sum(weight.numel() for weight in part.parameters())
        for name, part in model.network.named_children()
    }
    total = sum(weight.numel() for weight in model.network.parameters())
    learnt = sum(weight.numel() for weight in model.network.parameters() if weight.requires_grad)
    trained = "" if learnt == total else f", of which {memory.counted(learnt)} are trained"
    each = sorted(((size, name) for name, size in parts.items() if size), reverse=True)
    named = ", ".join(f"{name} {memory.counted(size)}" for size, name in each)
    return f"{memory.counted(total)}{trained}: {named}"


def _data(prepared: Prepared, train: Train, columns: float) -> dict[str, str]:
    examples = len(prepared.train)
    read = train.steps * train.batch / examples
    return {
        "data": f"{examples:,} examples; {train.steps:,} steps of {train.batch} read them "
        f"{read:.1f} times; rows have {columns:.0f} columns"
    }


def _times(prepared: Prepared, config: Config, found: "Measured") -> dict[str, str]:
    """Describe the time of a step, of all validations, and of the whole training."""
    train, there = config.train, len(prepared.validation)
    share, held = train.batch // train.processes, min(train.validate_examples or there, there)
    check = found.validation * held / min(config.eval.batch, held)
    times = train.steps // train.validate_every
    of = "" if train.processes == 1 else f" on one of {train.processes} devices, without exchange"
    return {
        "step": f"{found.step:.3g} s on {device().type} in {train.precision}{of}: "
        f"{share / found.step:,.0f} examples/s, {share * found.columns / found.step:,.0f} tokens/s",
        "validation": f"{duration(check)} for {held:,} examples, {times} times",
        "training": f"{duration(train.steps * found.step + times * check)} for all steps",
    }


def _rate(model: Model, prepared: Prepared, config: Config) -> None:
    """Print the loss after some steps at each of several learning rates, and name the best."""
    from xlm_runtime.train.trials import rate

    found: dict[float, float] = {}
    for at, loss in rate.losses(model, prepared.train, prepared.validation, config):
        found[at] = loss
        say(f"rate {at:<6g}  held-out loss {loss:.4f} after {rate.STEPS} steps")
    best = min(found, key=lambda one: found[one])
    if isinf(found[best]):
        raise RunError("no rate leaves a finite loss: look at data and loss with --job overfit")
    say(
        f"least at {best:g}: --set train.learning_rate={best:g} (set now: "
        f"{config.train.learning_rate:g}). Longer trainings often prefer a smaller one"
    )


def _overfit(model: Model, prepared: Prepared, config: Config) -> None:
    """Learn a batch by heart.  Raises RunError with the reason where that fails."""
    from xlm_runtime.train.trials import overfit

    examples = [*first(prepared.train, config.train.batch)]
    found = overfit.learn(model, examples, config)
    if found.alike:
        say(f"{found.alike} of {len(examples)} examples are left out: noised, others look the same")
    say(f"at first   {said(found.start)}")
    say(f"at the end {said(found.end)}")
    if found.whole:
        say(f"the batch is learnt by heart after {found.steps} steps")
        return
    left = f"{found.end['loss'] / found.start['loss']:.0%} of the loss is left"
    if model.family.inserts and not found.falls:
        say(
            f"after {found.steps} steps {left}, and it falls no more. Where several insertions are "
            "right at once, each has its share of the chance, so that 0 is out of reach"
        )
        return
    raise RunError(
        f"the batch is not learnt: after {found.steps} steps {left}. {_why(found.falls)}"
    )


def _why(falls: bool) -> str:
    if falls:
        return "It still falls: a larger train.learning_rate (--job rate finds one) learns faster"
    return (
        "It falls no more: a smaller train.learning_rate or train.clip may go on; else look at the "
        "term that is left, its target and weight, and at the size of the network"
    )


def duration(seconds: float) -> str:
    """Format a duration: ``3.2 s``, ``4 min 10 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 60:
        return f"{int(minutes)} min {int(seconds % 60)} s"
    if hours < 48:
        return f"{int(hours)} h {int(minutes % 60)} min"
    return f"{int(hours / 24)} d {int(hours % 24)} h"

"""The sizes, memory, traffic and time of a training: measured, or computed for many devices."""

from typing import TYPE_CHECKING

from attrs import evolve

from xlm_runtime.config.config import Config, Train
from xlm_runtime.model import memory
from xlm_runtime.model.model import Model
from xlm_runtime.run.jobs.session import Session
from xlm_runtime.system.env import device
from xlm_runtime.system.progress import say
from xlm_runtime.tasks.base.prepared import Prepared

if TYPE_CHECKING:
    from xlm_runtime.train.trials.plan import Measured

_LINK = 50 * 10**9  # bytes a second, of 400 Gb/s


def forecast(session: Session) -> None:
    """Print the sizes of network and data, and the time and memory of a training.

    Of several devices the memory and the traffic of each are computed; where each has all weights,
    the share of one is measured as well.
    """
    train = session.config.train
    sharded = train.strategy == "fsdp"
    model = session.empty() if sharded else session.trainable()
    _say("weights", _weights(model, train))
    if train.processes > 1:
        for name, text in _on_many(session, model).items():
            _say(name, text)
    if sharded:
        say("no step is measured: it takes all devices")
    else:
        _measured(session, model)


def _say(name: str, text: str) -> None:
    say(f"{name:10}  {text}")


def _measured(session: Session, model: Model) -> None:
    """Print what a few steps on this machine take."""
    from xlm_runtime.train.trials import plan  # Lightning takes seconds to import

    prepared, config = session.prepared, session.config
    kept = memory.of_training(model.network, model.dtype)
    found = plan.measure(model, prepared.train, prepared.validation, config)
    lines = _data(prepared, config.train, found.columns)
    lines["memory"] = (
        f"{memory.sized(found.memory)} of {memory.sized(memory.capacity())} at the peak; weights, "
        f"gradients, moments and average are {memory.sized(kept)} of it"
    )
    for name, text in (lines | _times(prepared, config, found)).items():
        _say(name, text)


def _on_many(session: Session, model: Model) -> dict[str, str]:
    """Describe the memory of each of several devices, and what it receives in a step."""
    from xlm_runtime.train.trials import paper

    train = session.config.train
    cost = paper.cost(model.network, model.dtype, train)
    if train.strategy == "fsdp":
        kept = _kept(session)
    else:
        kept = paper.kept(model, session.prepared.train, train)
    what = "weights, gradients, moments and average"
    held = f"shards of {what}" if train.strategy == "fsdp" else what
    gets = "gathered blocks" if train.strategy == "fsdp" else "gradients to send"
    total, state, exchange, left = map(
        memory.sized, (cost.state + cost.exchange + kept, cost.state, cost.exchange, kept)
    )
    return {
        "a device": f"{total}: {state} {held}, {exchange} {gets}, {left} kept of {train.part} "
        "examples for the backward pass; kernels take more",
        "traffic": f"{memory.sized(cost.traffic)} received by each of {train.processes} devices in "
        f"a step ({train.strategy}): {duration(cost.traffic / _LINK)} at 50 GB/s",
    }


def _kept(session: Session) -> int:
    """Return the bytes that the forward pass of a part keeps, from networks of 1 and 2 blocks.

    Each further block keeps as much as the second one. Where blocks are computed again, one of them
    keeps at a time what it would without that.
    """
    from xlm_runtime.train.trials import paper

    train, layers = session.config.train, session.config.model.layers

    def of(count: int, train: Train) -> int:
        return paper.kept(session.of_layers(count), session.prepared.train, train)

    one, two = of(1, train), of(2, train)
    total = one + (layers - 1) * (two - one)
    if train.recompute:
        plain = evolve(train, recompute=False)
        total += of(2, plain) - of(1, plain)
    return total


def _weights(model: Model, train: Train) -> str:
    """Describe the number of weights of each part of a network, the largest first."""
    network = model.network
    parts = {name: memory.weights_of(part) for name, part in network.named_children()}
    total, learnt = memory.weights_of(network), memory.weights_of(network, trained=True)
    trained = "" if learnt == total else f", of which {memory.counted(learnt)} are trained"
    if bits := train.lora_bits:
        codes = total - sum(weight.numel() for weight in network.parameters())
        trained += f" and {memory.counted(codes)} are in {bits} bits"
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

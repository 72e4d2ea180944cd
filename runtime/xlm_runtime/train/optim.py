"""The optimiser and its schedule."""

from collections.abc import Callable
from math import cos, pi
from typing import Any

import torch
from attrs import frozen
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from xlm_runtime.config.config import Train
from xlm_runtime.system import dotted, extras
from xlm_runtime.system.errors import UsageError, an

_KIND: Any = Callable
Groups = list[dict[str, Any]]


@frozen
class _Weights:
    """The weights of a network by what an optimiser may do with them.

    hidden: matrices of the blocks. others: the other matrices, those of heads. kept: embeddings,
    norms and biases, which do not decay.
    """

    hidden: list[nn.Parameter]
    others: list[nn.Parameter]
    kept: list[nn.Parameter]


def _sorted(network: nn.Module) -> _Weights:
    """Sort the weights of a network."""
    lists = (m for m in network.modules() if isinstance(m, nn.ModuleList))
    inside = {id(weight) for blocks in lists for weight in blocks.parameters()}
    tables = (m for m in network.modules() if isinstance(m, nn.Embedding))
    embeddings = {id(weight) for table in tables for weight in table.parameters()}
    found = _Weights([], [], [])
    for weight in network.parameters():
        if weight.ndim < 2 or id(weight) in embeddings:
            found.kept.append(weight)
        else:
            (found.hidden if id(weight) in inside else found.others).append(weight)
    return found


def _groups(network: nn.Module, train: Train) -> Groups:
    """Return the weights in groups, of which matrices decay: no biases, norms or embeddings."""
    weights = _sorted(network)
    decayed = [*weights.hidden, *weights.others]
    groups: Groups = [
        {"params": decayed, "weight_decay": train.weight_decay},
        {"params": weights.kept, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def _adamw(network: nn.Module, train: Train) -> Optimizer:
    """Build AdamW.

    Fused, except under float16, whose gradients are unscaled between backward and step.
    """
    fused = train.precision != "16-mixed"
    return torch.optim.AdamW(_groups(network, train), lr=train.learning_rate, fused=fused)


def _muon(network: nn.Module, train: Train) -> Optimizer:
    """Build Muon for the matrices of the blocks, and AdamW for all other weights.

    Updates of Muon have the size of those of AdamW (Liu et al. 2025, arXiv 2502.16982), so that
    both take the same learning rate.
    """
    weights, rate, decay = _sorted(network), train.learning_rate, train.weight_decay
    if not weights.hidden:
        raise UsageError("train.optimizer=muon: the network has no blocks, whose matrices it takes")
    alike: dict[str, Any] = {"lr": rate, "use_muon": False}
    groups: Groups = [
        {"params": weights.hidden, "lr": rate, "weight_decay": decay, "use_muon": True},
        {"params": weights.others, "weight_decay": decay, **alike},
        {"params": weights.kept, "weight_decay": 0.0, **alike},
    ]
    groups = [group for group in groups if group["params"]]
    made: Optimizer = _library(train).Muon(groups, use_adjusted_lr=True)
    return made


def _schedule_free(network: nn.Module, train: Train) -> Optimizer:
    """Build schedule-free AdamW (Defazio et al. 2024, arXiv 2405.15682)."""
    made: Optimizer = _library(train).ScheduleFreeAdamW(
        _groups(network, train), lr=train.learning_rate
    )
    return made


def _library(train: Train) -> Any:
    return extras.needed("pytorch_optimizer", "optimizers", f"train.optimizer={train.optimizer}")


_NAMED = {"adamw": _adamw, "muon": _muon, "schedule_free": _schedule_free}


def optimizer(network: nn.Module, train: Train) -> Optimizer:
    """Build the optimiser that the settings name.  Raises UsageError if it cannot be built."""
    name = train.optimizer
    if name in _NAMED:
        return _NAMED[name](network, train)
    asked = f"train.optimizer {name}"
    if ":" not in name:
        known = ", ".join(_NAMED)
        raise UsageError(f"{asked}: it is one of {known}, or PACKAGE.MODULE:NAME")
    build = dotted.load(name, _KIND, "train.optimizer")
    try:
        made = build(_groups(network, train), lr=train.learning_rate)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{asked}: called with groups of weights and lr: {error}") from error
    if not isinstance(made, Optimizer):
        raise UsageError(f"{asked}: it returns {an(type(made).__name__)}, no torch Optimizer")
    return made


def check(train: Train) -> None:
    """Refuse an optimiser that cannot be had, and settings that it does not go with."""
    block = nn.ModuleList([nn.Linear(2, 2)])
    made = optimizer(block, train)
    if averages(made) and train.schedule != "constant":
        raise UsageError(
            f"train.schedule={train.schedule}: {train.optimizer} needs none: it averages the "
            "weights instead; leave train.schedule at constant"
        )


def averages(optimizer: Optimizer) -> bool:
    """Return whether an optimiser has weights of its own to evaluate: their average."""
    return callable(getattr(optimizer, "eval", None))


def averaged(optimizer: Optimizer, *, on: bool) -> None:
    """Put the average of an optimiser into the network, or what it trains."""
    if averages(optimizer):
        switch: Callable[[], None] = getattr(optimizer, "eval" if on else "train")
        switch()


def schedule(optimizer: Optimizer, train: Train) -> LambdaLR:
    """Return the schedule of the learning rate for torch."""
    return LambdaLR(optimizer, factor(train))


def factor(train: Train) -> Callable[[int], float]:
    """Return the share of the learning rate as a function of the step (from 0).

    It rises linearly over the warm-up, then falls from 1 towards ``min_rate``, which it would
    reach one step after the last.
    """
    rest = max(1, train.steps - train.warmup)

    def share(step: int) -> float:
        if step < train.warmup:
            return (step + 1) / train.warmup
        done = min(1.0, (step - train.warmup) / rest)
        falls = {"constant": 1.0, "linear": 1 - done, "cosine": (1 + cos(pi * done)) / 2}
        fall = falls[train.schedule]
        return train.min_rate + (1 - train.min_rate) * fall

    return share

"""The optimiser and its schedule."""

from collections.abc import Callable
from math import cos, pi

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from xlm_runtime.config.config import Train


def optimizer(network: nn.Module, train: Train) -> torch.optim.AdamW:
    """Build AdamW that decays matrices only: no biases, norms or embeddings.

    Fused, except under float16, whose gradients are unscaled between backward and step.
    """
    embeddings = {
        id(parameter)
        for module in network.modules()
        if isinstance(module, nn.Embedding)
        for parameter in module.parameters()
    }
    decayed: list[nn.Parameter] = []
    kept: list[nn.Parameter] = []
    for parameter in network.parameters():
        matrix = parameter.ndim > 1 and id(parameter) not in embeddings
        (decayed if matrix else kept).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": train.weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=train.learning_rate,
        fused=train.precision != "16-mixed",
    )


def schedule(optimizer: torch.optim.Optimizer, train: Train) -> LambdaLR:
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

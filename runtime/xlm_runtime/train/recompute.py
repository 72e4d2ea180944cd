"""Activations that are computed again in the backward pass, instead of being kept."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from xlm_runtime.system.errors import UsageError
from xlm_runtime.train.blocks import blocks


def recompute(network: nn.Module) -> None:
    """Keep only the inputs of the blocks of a network, the modules of its lists, in training.

    Loss and gradients stay the same, dropout included. Raises UsageError where there are no blocks.
    """
    found = blocks(network)
    if not found:
        raise UsageError("train.recompute: the network has no list of blocks to compute again")
    for block in found:
        block.forward = partial(_again, block.forward)


def _again(forward: Callable[..., Any], *inputs: Any, **named: Any) -> Any:
    """Apply a block, keeping its inputs alone where there will be a backward pass."""
    if not torch.is_grad_enabled():
        return forward(*inputs, **named)
    return checkpoint(forward, *inputs, use_reentrant=False, **named)

"""Weights in shards: each device keeps its part of every one, and gathers a block to use it.

Zhao et al. 2023, arXiv:2304.11277; here by torch's ``fully_shard``.
"""

from collections.abc import Callable
from types import MethodType
from typing import Any

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import (
    FSDPModule,
    fully_shard,
    register_fsdp_forward_method,
)

from xlm_runtime.train.blocks import blocks

GATHERED, LOSSES = "_gathered", "_losses"  # methods: heads have names that begin with a letter


def shard(network: nn.Module, mesh: DeviceMesh) -> None:
    """Divide the weights of a network among devices: each block by itself, all others together.

    A block is gathered where it is used, and released behind it; what is outside the blocks is
    gathered from the first use of a pass to its end. Weights are gathered as they are: a policy
    that rounds them would round norms too, and those of a validation, which is in float32.
    """
    for block in blocks(network):
        fully_shard(block, mesh=mesh)
        if hasattr(block, "extend"):  # what decoders with a cache call
            register_fsdp_forward_method(block, "extend")
    fully_shard(network, mesh=mesh, reshard_after_forward=False)
    forward(network, GATHERED, lambda _: None)


def forward(network: nn.Module, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of a sharded network as a method of it, which gathers weights first."""
    setattr(network, name, MethodType(function, network))
    register_fsdp_forward_method(network, name)
    found: Callable[..., Any] = getattr(network, name)
    return found


def gather(network: nn.Module) -> None:
    """Gather the weights outside the blocks, for passes without a gradient."""
    with torch.no_grad():
        getattr(network, GATHERED)()


def release(network: nn.Module) -> None:
    """Keep the shards of all weights alone, which may then be changed."""
    for module in network.modules():
        if isinstance(module, FSDPModule):
            module.reshard()

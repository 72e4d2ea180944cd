"""The memory and the traffic of a training on many devices, computed and not measured.

Weights count: W of the network, R of them outside its blocks, B of the largest block; s bytes each.
There are N devices, and a step has ``train.accumulate`` parts on each.

    state      s (W + gradients W + moments 2 W) + average 4 W; with fsdp divided by N
    exchange   ddp: s W, the copies of gradients that are sent
               fsdp: s (2 R + 3 B), what is gathered: weights and gradients outside the blocks, a
               block with its gradients, and the block that is fetched meanwhile
    kept       what the forward pass of a part leaves for the backward pass, see `kept`
    traffic    what a device receives in a step. ddp, of gradients: 2 s W (N - 1) / N
               fsdp, in each part: blocks twice, all else once, and gradients:
               s (2 (W - R) + R + W) (N - 1) / N

What kernels and allocators take for themselves is not in it. Of frozen weights there are no
gradients and moments.
"""

from copy import deepcopy

import torch
from attrs import evolve, frozen
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from xlm_runtime.config.config import Train
from xlm_runtime.model import memory
from xlm_runtime.model.model import Model, first
from xlm_runtime.plug import Noise
from xlm_runtime.system.env import device
from xlm_runtime.tasks.base.prepared import Split
from xlm_runtime.train.blocks import blocks
from xlm_runtime.train.module import Training


@frozen
class Cost:
    """The bytes of one device: of its state, for the exchange, and received in a step."""

    state: int
    exchange: int
    traffic: int


def cost(network: nn.Module, dtype: torch.dtype, train: Train) -> Cost:
    """Return the cost of a training on each device of many."""
    whole, state = memory.weights_of(network), memory.of_training(network, dtype)
    each = [memory.weights_of(block) for block in blocks(network)]
    outside, largest = whole - sum(each), max(each, default=0)
    of_others = dtype.itemsize * (train.processes - 1) / train.processes  # bytes of a weight
    if train.strategy == "ddp":
        trained = memory.weights_of(network, trained=True)
        return Cost(state, dtype.itemsize * trained, int(2 * of_others * trained))
    received = train.accumulate * (2 * sum(each) + outside + whole)
    gathered = dtype.itemsize * (2 * outside + 3 * largest)
    return Cost(state // train.processes, gathered, int(of_others * received))


def kept(model: Model, data: Split, train: Train) -> int:
    """Return the bytes that the forward pass of a part leaves for the backward pass.

    Weights are not among them, but their copies in another precision are. The model stays as it is.
    """
    model = evolve(model, network=deepcopy(model.network).to(device()))
    module = Training(model, train).train()
    batch = model.layout([*first(data, train.part)]).to(model.device)
    weights = {weight.untyped_storage().data_ptr() for weight in module.parameters()}
    found: dict[int, int] = {}

    def note(x: Tensor) -> Tensor:
        if x.untyped_storage().data_ptr() not in weights:
            found[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    mixed = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(train.precision)
    with (
        torch.autocast(model.device.type, mixed, enabled=mixed is not None),
        saved_tensors_hooks(note, lambda x: x),
    ):
        loss = model.loss(batch, Noise(train.seed, batch.example)).total
    del loss
    return sum(found.values())

"""The memory of the device, and a refusal in words of networks that do not fit into it.

Without it the machine would slow down, and then kill some process.
"""

import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from xlm_runtime.config.config import Train
from xlm_runtime.model import rounded
from xlm_runtime.model.rounded import Rounded
from xlm_runtime.plug import ModelSize
from xlm_runtime.system.env import device
from xlm_runtime.system.errors import UsageError

_SURELY = 1 << 28  # weights below which no network is measured: a gigabyte
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def capacity() -> int:
    """Return the memory of the device in bytes: of a GPU, or the process's share of the machine."""
    if device().type == "cuda":
        return int(torch.cuda.get_device_properties(device()).total_memory)
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    limits += [int(text) for file in _LIMITS if (text := _read(Path(file))).isdecimal()]
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return min(limits + ([soft] if soft != resource.RLIM_INFINITY else []))


def _read(file: Path) -> str:
    return file.read_text().strip() if file.is_file() else ""


def check(weights: int, needed: int, what: str) -> None:
    """Check that weights fit the device.  Raises UsageError.

    ``needed``: the bytes of all that is kept of them; ``what``: the network and its use.
    """
    there = capacity()
    if needed > there:
        where = "this GPU" if device().type == "cuda" else "this machine"
        raise UsageError(
            f"{what}: {counted(weights)} weights need {sized(needed)}, and {where} has "
            f"{sized(there)}: choose a smaller model.size, model.layers or model.width, or a "
            "tokenizer with fewer ids"
        )


def of_training(network: nn.Module, dtype: torch.dtype, *, frozen: bool = False) -> int:
    """Return the bytes of weights, their float32 average, and gradients and moments of AdamW.

    The last two are those of weights that are trained; of none, if the network will be ``frozen``.
    Rounded matrices have no average but a copy.
    """
    codes = [part for layer in _rounded(network) for part in layer.buffers()]
    every = sum(weight.numel() for weight in network.parameters())
    trained = 0 if frozen else weights_of(network, trained=True)
    kept = 2 * sum(part.numel() * part.itemsize for part in codes)
    return dtype.itemsize * (every + 3 * trained) + 4 * every + kept


def _rounded(network: nn.Module) -> list[Rounded]:
    return [layer for layer in network.modules() if isinstance(layer, Rounded)]


def check_training(network: nn.Module, dtype: torch.dtype, train: Train) -> None:
    """Refuse a network that does not fit with all that training keeps.  Raises UsageError.

    ``network`` has no adapters yet, and no rounded matrices.
    """
    frozen = train.lora > 0  # adapters are small
    kept = "an average" if frozen else "gradients, moments and average"
    needed = of_training(network, dtype, frozen=frozen)
    if train.lora_bits:
        backbone: Any = network.backbone
        whole = sum(
            layer.get_parameter("weight").numel() for _, layer in rounded.matrices(backbone)
        )
        needed += 2 * rounded.bytes_of(backbone, train.lora_bits) - (dtype.itemsize + 4) * whole
        kept = f"matrices in {train.lora_bits} bits and an average"
    if train.strategy == "fsdp":
        needed, kept = needed // train.processes, f"a shard of {train.processes} of {kept}"
    check(weights_of(network), needed, f"training, with {kept}")


def check_network(
    size: ModelSize, vocabulary: int, dtype: torch.dtype, make: Callable[[], nn.Module]
) -> None:
    """Refuse a network that does not fit, before any of it is allocated.  Raises UsageError.

    ``make`` makes it, here on the device ``meta``, where weights take no memory; only networks that
    are large by their layers, width and vocabulary are made so.
    """
    roughly = size.width * (12 * size.layers * size.width + vocabulary)
    if roughly >= _SURELY:
        with torch.device("meta"):
            weights = weights_of(make())
        named = f"model.layers={size.layers} of model.width={size.width}"
        check(weights, weights * dtype.itemsize, f"{named}, {vocabulary:,} ids")


def weights_of(network: nn.Module, *, trained: bool = False) -> int:
    """Return the number of weights of a network, or of those that are trained."""
    every = network.parameters()
    codes = [] if trained else _rounded(network)
    return sum(layer.in_features * layer.out_features for layer in codes) + sum(
        weight.numel() for weight in every if weight.requires_grad or not trained
    )


def counted(number: int) -> str:
    """Format a number of weights: ``1.3 billion``."""
    for name, unit in (("trillion", 10**12), ("billion", 10**9), ("million", 10**6)):
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return f"{number:,}"


def sized(number: int) -> str:
    """Format a number of bytes: ``1.3 GB``."""
    for name, unit in (("TB", 10**12), ("GB", 10**9)):
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return f"{number / 10**6:,.1f} MB"

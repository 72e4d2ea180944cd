"""Low-rank adapters: small matrices added to frozen ones (Hu et al. 2021, arXiv:2106.09685).

The library peft makes and merges them. Checkpoints have the merged weights, which any run reads,
and the state of the trainer has the adapters, from which training resumes.
"""

from collections.abc import Iterable
from copy import deepcopy
from importlib import import_module
from typing import Any

import torch
from torch import nn

from xlm_runtime.config.config import Config, Train
from xlm_runtime.model import rounded
from xlm_runtime.model.rounded import Rounded
from xlm_runtime.system import extras
from xlm_runtime.system.errors import UsageError


def check(config: Config) -> None:
    """Check that there are weights to adapt, and the library.  Raises UsageError."""
    model, train = config.model, config.train
    if not (model.pretrained or model.init):
        raise UsageError(
            f"train.lora={train.lora}: adapters change weights that were trained: name some with "
            "--init or --set model.pretrained=..., or leave train.lora out"
        )
    _library(train)
    if train.lora_bits:
        rounded.check(train.lora_bits)


def adapt(network: nn.Module, train: Train, fresh: Iterable[str]) -> None:
    """Add adapters to the matrices of the backbone, which are rounded to ``train.lora_bits`` first.

    Weights that were drawn ``fresh`` are trained as well, matrices of the backbone excepted that
    are rounded. Adapters begin at zero, and are drawn from the seed.
    """
    if not train.lora:
        return
    backbone: Any = network.backbone
    if train.lora_bits:
        rounded.round_off(backbone, train.lora_bits)
    matrices = dict(rounded.matrices(backbone))
    config = _library(train).LoraConfig(
        r=train.lora,
        lora_alpha=train.lora_alpha,
        target_modules=[*matrices],
        fan_in_fan_out=not all(isinstance(m, nn.Linear) for m in matrices.values()),
    )
    with torch.random.fork_rng():
        torch.manual_seed(train.seed)
        _library(train).inject_adapter_in_model(config, backbone)
    kept = {*fresh}
    for name, weight in network.named_parameters():
        weight.requires_grad_(".lora_" in name or name in kept)


def merged(network: nn.Module, train: Train) -> nn.Module:
    """Return a network of whole matrices without adapters; itself where it has none.

    It computes the same, but for the rounding of ``model.dtype``.
    """
    if not train.lora:
        return network
    layer: Any = import_module("peft.tuners.lora").LoraLayer
    whole = deepcopy(network).cpu()  # a GPU may have no room for whole matrices
    for name, module in [*whole.named_modules()]:
        if isinstance(module, layer):
            found: Any = module
            base = found.get_base_layer()
            if isinstance(base, Rounded):
                found.base_layer = base.whole()
            found.merge()
            plain = found.get_base_layer()
            whole.set_submodule(name, base.before(plain) if isinstance(base, Rounded) else plain)
    return whole


def _library(train: Train) -> Any:
    return extras.needed("peft", "lora", f"train.lora={train.lora}")

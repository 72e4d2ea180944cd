"""The training step on sharded weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from attrs import evolve
from safetensors.torch import save_file
from torch import Tensor, nn

from xlm_runtime.plug import Losses
from xlm_runtime.train.module import Training
from xlm_runtime.train.sharded.weights import LOSSES, forward, release, shard
from xlm_runtime.train.shards import whole


class ShardedTraining(Training):
    """Training of a network whose weights are sharded before the optimiser sees them."""

    _sharded = False

    def configure_model(self) -> None:
        """Divide the weights among devices, once; in training the loss gathers them."""
        if self._sharded:
            return
        self._sharded = True
        mesh: Any = self.device_mesh
        shard(self.network, mesh["data_parallel"])
        family_loss, mixed = self.model.objective, self.train_config.precision == "bf16-mixed"

        def scalar_first(network: nn.Module, *parts: Any, **params: Any) -> tuple[Tensor, Losses]:
            # a cache of cast weights would hold them all, as long as a pass
            where, kind = self.device.type, torch.bfloat16
            with torch.autocast(where, kind, enabled=mixed, cache_enabled=False):
                losses = family_loss(network, *parts, **params)
            return losses.total, losses

        loss = forward(self.network, LOSSES, scalar_first)

        def objective(_: nn.Module, *parts: Any, **params: Any) -> Losses:
            total, losses = loss(*parts, **params)  # the total is what leads back to the weights
            whole_loss: Losses = replace(losses, total=total)
            return whole_loss

        self.model = evolve(self.model, objective=objective)

    def healthy(self) -> bool:
        """Return whether every weight is finite, on all devices."""
        return bool(self.trainer.strategy.reduce_boolean_decision(super().healthy(), all=True))

    def write(self, path: Path) -> None:
        """Write all weights by the first process, to which the others send their shards."""
        release(self.network)
        names = {name for name, _ in self.network.named_parameters(remove_duplicate=False)}
        state = self.network.state_dict()
        parts = dict(self.network.named_parameters())  # of tied ones the first, as elsewhere
        parts |= {name: buffer for name, buffer in state.items() if name not in names}
        first, found = self.trainer.is_global_zero, {}
        for name, part in parts.items():
            full = whole(part)
            if first:
                found[name] = full.cpu().contiguous()
        if first:
            save_file(found, path, {"format": "pt"})

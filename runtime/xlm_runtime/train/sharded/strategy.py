"""Lightning's strategy for sharded weights, and its checkpoints: a file of each device.

The files are of torch.distributed.checkpoint, so that another number of devices can read them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.strategies import ModelParallelStrategy
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from xlm_runtime.train.sharded.average import ShardedEma

REST = "trainer.pt"  # loops, schedules and callbacks, which are the same on all devices
_ON_CPU = StateDictOptions(cpu_offload=True)


class Sharded(ModelParallelStrategy):
    """Data parallelism over weights in shards (FSDP2), with the average among what is saved."""

    def __init__(self, processes: int, average: ShardedEma) -> None:
        super().__init__(data_parallel_size=processes, tensor_parallel_size=1)
        self._average = average

    def save_checkpoint(
        self, checkpoint: Mapping[str, Any], filepath: Any, *_: Any, **__: Any
    ) -> None:
        """Write the shards of this device, and by the first process all else.

        Raises OSError where a device cannot write its shards.
        """
        path, rest = Path(filepath), dict(checkpoint)
        (moments,) = rest.pop("optimizer_states")
        parts = {"weights": rest.pop("state_dict"), "optimizer": moments}
        path.mkdir(parents=True, exist_ok=True)
        try:
            save(parts | {"average": self._average.named}, checkpoint_id=path)
        except CheckpointException as error:
            reasons = [reason for reason, _ in error.failures.values()]
            known = next((one for one in reasons if isinstance(one, OSError)), None)
            raise known or OSError(str(reasons[0])) from error
        if self.is_global_zero:
            torch.save(rest, path / REST)

    def load_checkpoint(self, checkpoint_path: Any, *_: Any, **__: Any) -> Any:
        """Load what this device keeps of the shards; return all else."""
        path, (optimizer,) = Path(checkpoint_path), self.optimizers
        assert self.model is not None
        weights = get_model_state_dict(self.model, options=_ON_CPU)
        moments = get_optimizer_state_dict(self.model, optimizer, options=_ON_CPU)
        parts = {"weights": weights, "optimizer": moments, "average": self._average.named}
        load(parts, checkpoint_id=path)
        set_model_state_dict(self.model, weights)
        set_optimizer_state_dict(self.model, optimizer, moments)
        return torch.load(path / REST, weights_only=True)

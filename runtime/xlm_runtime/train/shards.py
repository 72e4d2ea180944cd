"""Tensors that are sharded over devices, each of which keeps its part."""

from torch import Tensor
from torch.distributed.tensor import DTensor


def local(tensor: Tensor) -> Tensor:
    """Return this device's shard of a tensor, in place; the tensor itself if it is whole."""
    if not isinstance(tensor, DTensor):
        return tensor
    shard: Tensor = DTensor.to_local(tensor.detach())  # type: ignore[arg-type]
    return shard


def whole(tensor: Tensor) -> Tensor:
    """Gather a tensor from all devices.  All of them call it."""
    if not isinstance(tensor, DTensor):
        return tensor.detach()
    return DTensor.full_tensor(tensor.detach())  # type: ignore[arg-type]

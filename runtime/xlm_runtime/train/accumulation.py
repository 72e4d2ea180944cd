"""A step whose batch comes in parts, on several devices or one after the other."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import Parameter

from xlm_runtime.plug import Batch, Losses
from xlm_runtime.train.shards import local

Sum = Callable[[Tensor], Tensor]  # over all devices


class Parts:
    """Weights by which the parts of a batch have the gradient of the whole.

    A loss divides a sum of costs by a number N, of rows or of tokens, which differs between parts:

        loss = sum_p S_p / sum_p N_p = sum_p N_p loss_p / sum_p N_p

    The trainer takes the plain mean of the gradients of all parts, and numbers of corrupted tokens
    are known only once every part is noised. So each part is weighted by its share N_p of what its
    rows have room for, and the mean is divided by the mean share before the weights move.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._shares: list[Tensor] = []

    def weighted(self, losses: Losses, batch: Batch) -> Tensor:
        """Weight the loss of a part, to be averaged with those of the others."""
        if self.number == 1:
            return losses.total
        share = torch.as_tensor(losses.over).to(losses.total) / (len(batch.x0) * batch.room)
        self._shares.append(share)
        return losses.total * share

    def mend(self, weights: Iterable[Parameter], over_devices: Sum) -> None:
        """Divide the mean of the gradients of all parts by the mean share; begin a new step."""
        if self.number == 1:
            return
        total = over_devices(torch.stack(self._shares).sum())
        self._shares = []
        slopes = [local(weight.grad) for weight in weights if weight.grad is not None]
        torch._foreach_mul_(slopes, self.number / total.clamp(min=1e-30))

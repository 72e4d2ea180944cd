"""The examples of each step: a function of (seed, position), so that resuming is exact."""

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler

from xlm_runtime.plug.noise import Noise
from xlm_runtime.shapes import Int, Tensor


class Order(Sampler[list[int]]):
    """Batches of indices from one endless reading of the data, shuffled anew in each epoch.

    Position p reads entry ``p mod size`` of the permutation of epoch ``p div size``, a function of
    (seed, epoch) alone. A part is ``part`` consecutive positions; device ``rank`` of ``devices``
    takes every ``devices``-th part. Iteration begins at part ``start``, before which ``read``
    positions have been read: those of as many parts, unless they were of another size.
    """

    def __init__(
        self, size: int, seed: int, part: int, parts: int, rank: int = 0, devices: int = 1
    ) -> None:
        self.size, self.seed, self.part, self.parts = size, seed, part, parts
        self.rank, self.devices, self.start, self.read = rank, devices, 0, 0
        self._epoch = -1
        self._shuffled = torch.empty(0, dtype=torch.long)

    def begin(self, start: int, read: int) -> None:
        """Begin at a part, before which so many positions have been read."""
        self.start, self.read = start, read

    def __len__(self) -> int:
        """Return the number of all parts of the run, those before ``start`` included."""
        return self.parts

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the parts from ``start`` on."""
        for index in range(self.start, self.parts):
            first = self.read + ((index - self.start) * self.devices + self.rank) * self.part
            yield [self._at(position) for position in range(first, first + self.part)]

    def _at(self, position: int) -> int:
        epoch, place = divmod(position, self.size)
        if epoch != self._epoch:
            self._epoch, self._shuffled = epoch, self._shuffle(epoch)
        return int(self._shuffled[place])

    def _shuffle(self, epoch: int) -> Int[Tensor, " size"]:
        noise = Noise(self.seed, torch.arange(self.size), epoch)
        return noise.uniform("order").flatten().argsort(stable=True)

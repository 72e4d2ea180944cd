"""The examples of each step out of a stream: the same for any number of devices and workers."""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from xlm_runtime.config.config import Train
from xlm_runtime.data.stream import Mark
from xlm_runtime.plug import Batch, Example, Layout
from xlm_runtime.system.env import device, rank
from xlm_runtime.tasks.base.streaming import Stream

Part = tuple[list[Example], Mark]


class Parts(IterableDataset[Part]):
    """The parts of a device, as `order.Order` deals them, from the part ``start`` on.

    ``read`` examples were read before. Each process passes over all of them, and makes its own.
    """

    def __init__(self, stream: Stream, train: Train, start: int, read: int) -> None:
        self.stream, self.train, self.start, self.read = stream, train, start, read
        self.mark = Mark()

    def __iter__(self) -> Iterator[Part]:
        """Yield the parts, with the mark of the window that each ends in."""
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        part, devices, here = self.train.part, self.train.processes, rank()
        left = self.train.steps * self.train.accumulate - self.start
        examples: list[Example] = []
        for mark, rows in self.stream.windows(self.train.seed, self.mark):
            for at, (number, source) in enumerate(rows, mark.read - self.read):
                turn, whose = divmod(at // part, devices)
                if turn >= left:
                    return
                if at < 0 or whose != here or turn % workers != worker:
                    continue
                examples.append(self.stream.example(number, source))
                if len(examples) == part:
                    yield examples, mark
                    examples = []


class Streaming(DataLoader[Batch]):
    """A loader whose state is a mark before all examples that are not yet used."""

    def __init__(self, parts: Parts, layout: Layout, workers: int) -> None:
        self.parts = parts
        self._marks = deque([parts.mark])
        super().__init__(
            parts,  # type: ignore[arg-type]  # it yields what the collation makes batches of
            batch_size=None,
            collate_fn=lambda part: (layout(part[0]), part[1]),
            num_workers=workers,
            pin_memory=False,
            generator=torch.Generator(),
        )

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        """Yield batches, and keep their marks; one batch is fetched ahead of its use."""
        train, self._marks = self.parts.train, deque([self.parts.mark])
        for before, (batch, mark) in enumerate(super().__iter__()):
            if mark.read > self._marks[-1].read:
                self._marks.append(mark)
            used = self.parts.read + max(0, before - 1) * train.part * train.processes
            while len(self._marks) > 1 and self._marks[1].read <= used:
                self._marks.popleft()
            yield batch.pin_memory() if device().type == "cuda" else batch

    def state_dict(self) -> dict[str, Any]:
        """Return the mark to go on from."""
        return {"mark": asdict(self._marks[0])}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a mark, unless examples before it are to be read again."""
        mark = Mark(**state["mark"])
        if mark.read <= self.parts.read:
            self.parts.mark = mark

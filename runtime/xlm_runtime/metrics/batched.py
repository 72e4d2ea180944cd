"""A mean over answers that are judged many at a time."""

from collections.abc import Sequence
from typing import Any

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.ratio import Ratio
from xlm_runtime.shapes import Tensor


class Batched(Ratio):
    """A ratio whose answers wait until there are ``at_once``.  Subclasses define `judge`."""

    at_once = 64

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._waiting: list[Answer] = []

    def judge(self, answers: Sequence[Answer]) -> None:
        """Update the metric with some answers, one by one with `add`."""
        raise NotImplementedError(f"{type(self).__name__} must define judge()")

    def update(self, answer: Answer) -> None:
        """Take an answer."""
        self._waiting.append(answer)
        if len(self._waiting) == self.at_once:
            self._all()

    def compute(self) -> dict[str, Tensor]:
        """Return the ratio, its standard error, and the number of answers."""
        self._all()
        return super().compute()

    def reset(self) -> None:
        """Forget everything."""
        self._waiting = []
        super().reset()

    def _all(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.judge(waiting)

r"""The base of most metrics: a mean over answers with its standard error.

It is the ratio :math:`R = \sum_i m_i / \sum_i d_i` over answers, with the standard error

.. math:: \sqrt{\frac{n}{n-1} \sum_i (m_i - R d_i)^2} \Big/ \sum_i d_i

(the linearised error of a ratio; for :math:`d_i = 1` that of a mean). Sums are kept in float64, so
that results of several ranks add up, and do not depend on how examples are divided among them.
"""

from typing import Any

import torch
from torchmetrics import Metric

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.shapes import Tensor


class Ratio(Metric):
    """A ratio over answers, and its standard error.  Subclasses define `score`.

    ``compute`` gives ``NAME``, ``NAME_error`` (NaN below two examples) and ``NAME_count``, the
    number of answers; the ratio is NaN where the denominator is 0.
    """

    name: str
    full_state_update = False
    _SUMS = ("n", "m", "d", "mm", "md", "dd")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for sum_ in self._SUMS:
            self.add_state(sum_, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.set_dtype(torch.float64)

    def score(self, answer: Answer) -> tuple[float, float]:
        """Return the terms of one answer in the numerator and in the denominator."""
        raise NotImplementedError(f"{type(self).__name__} must define score()")

    def update(self, answer: Answer) -> None:
        """Count an answer."""
        self.add(*self.score(answer))

    def add(self, m: float, d: float) -> None:
        """Count an answer that adds m to the numerator and d to the denominator."""
        for sum_, value in zip(self._SUMS, (1, m, d, m * m, m * d, d * d), strict=True):
            setattr(self, sum_, getattr(self, sum_) + value)

    def compute(self) -> dict[str, Tensor]:
        """Return the ratio, its standard error, and the number of answers."""
        n, m, d, mm, md, dd = (getattr(self, sum_) for sum_ in self._SUMS)
        ratio = m / d
        spread = (mm - 2 * ratio * md + ratio**2 * dd).clamp(min=0)
        error = (spread * n / (n - 1)).sqrt() / d if n > 1 else torch.full_like(n, torch.nan)
        return {self.name: ratio, f"{self.name}_error": error, f"{self.name}_count": n}

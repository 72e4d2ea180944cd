r"""Metrics of generated bodies, as means with their standard errors.

Each is a ratio :math:`R = \sum_i m_i / \sum_i d_i` over examples, with the standard error

.. math:: \sqrt{\frac{n}{n-1} \sum_i (m_i - R d_i)^2} \Big/ \sum_i d_i

(the linearised error of a ratio; for :math:`d_i = 1` that of a mean). Sums are kept in float64, so
that results of several ranks add up, and do not depend on how examples are divided among them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torchmetrics import Metric, MetricCollection

from xlm_runtime.plug import Example
from xlm_runtime.shapes import Tensor

__all__ = ["ExactMatch", "Ratio", "Solved", "TokenAccuracy", "collection"]


class Ratio(Metric):
    """A ratio over examples, and its standard error.  Subclasses define `score`.

    ``compute`` gives ``NAME``, ``NAME_error`` (NaN below two examples) and ``NAME_count``, the
    number of examples; the ratio is NaN where the denominator is 0.
    """

    name: str
    full_state_update = False
    _SUMS = ("n", "m", "d", "mm", "md", "dd")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for sum_ in self._SUMS:
            self.add_state(sum_, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.set_dtype(torch.float64)

    def score(self, prediction: Sequence[int], example: Example) -> tuple[float, float]:
        """What one example adds to numerator and denominator."""
        raise NotImplementedError(f"{type(self).__name__} must define score()")

    def update(self, prediction: Sequence[int], example: Example) -> None:
        """Count an example: its generated body (up to the end, unpadded) and the example itself."""
        m, d = self.score(prediction, example)
        for sum_, value in zip(self._SUMS, (1, m, d, m * m, m * d, d * d), strict=True):
            setattr(self, sum_, getattr(self, sum_) + value)

    def compute(self) -> dict[str, Tensor]:
        """The ratio, its standard error, and the number of examples."""
        n, m, d, mm, md, dd = (getattr(self, sum_) for sum_ in self._SUMS)
        ratio = m / d
        spread = (mm - 2 * ratio * md + ratio**2 * dd).clamp(min=0)
        error = (spread * n / (n - 1)).sqrt() / d if n > 1 else torch.full_like(n, torch.nan)
        return {self.name: ratio, f"{self.name}_error": error, f"{self.name}_count": n}


class ExactMatch(Ratio):
    r"""The share of examples whose whole body is right, its length included.

    :math:`m_i = [\hat x_i = x_i]`, :math:`d_i = 1`. A right beginning that stops early is wrong.
    """

    name = "exact_match"

    def score(self, prediction: Sequence[int], example: Example) -> tuple[float, float]:
        """1 of 1 for a body that is the same in every token and in length."""
        return float(list(prediction) == list(example.body)), 1.0


class TokenAccuracy(Ratio):
    r"""The share of positions that are right, of all that either sequence has.

    :math:`m_i = |\{j: \hat x_{ij} = x_{ij}\}|`, :math:`d_i = \max(|\hat x_i|, |x_i|)`: a missing or
    surplus token counts as a wrong one. Positions that were given are not counted.
    """

    name = "token_accuracy"

    def score(self, prediction: Sequence[int], example: Example) -> tuple[float, float]:
        """Matches and positions, given ones apart."""
        given = sum(example.given)
        free = [not kept for kept in example.given] or [True] * len(example.body)
        triples = zip(prediction, example.body, free, strict=False)
        right = sum(p == x for p, x, is_free in triples if is_free)
        return float(right), float(max(len(prediction), len(example.body)) - given)


class Solved(Ratio):
    r"""The share of examples with a right answer, of which there may be many.

    :math:`m_i = [\hat x_i \text{ is right}]`, :math:`d_i = 1`; ``right`` is the task's own rule.
    """

    name = "solved"

    def __init__(self, right: Callable[[Sequence[int], Example], bool], **options: Any) -> None:
        super().__init__(**options)
        self.right = right

    def score(self, prediction: Sequence[int], example: Example) -> tuple[float, float]:
        """1 of 1 for a right answer."""
        return float(self.right(prediction, example)), 1.0


def collection(*metrics: Ratio) -> MetricCollection:
    """Metrics of one task under their names.

    Compute groups are off: torchmetrics would merge metrics whose sums happen to agree on the first
    example, and update one of them only.
    """
    return MetricCollection({metric.name: metric for metric in metrics}, compute_groups=False)

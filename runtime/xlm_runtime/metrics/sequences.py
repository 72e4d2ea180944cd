"""Metrics of answers as sequences of tokens."""

from collections.abc import Callable, Sequence
from typing import Any

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.ratio import Ratio
from xlm_runtime.plug import Example


class ExactMatch(Ratio):
    r"""The share of examples whose whole body is right, its length included.

    :math:`m_i = [\hat x_i = x_i]`, :math:`d_i = 1`. A right beginning that stops early is wrong.
    """

    name = "exact_match"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Score 1 of 1 for a body that is the same in every token and in length."""
        return float(list(answer.ids) == list(answer.example.body)), 1.0


class TokenAccuracy(Ratio):
    r"""The share of positions that are right, of all that either sequence has.

    :math:`m_i = |\{j: \hat x_{ij} = x_{ij}\}|`, :math:`d_i = \max(|\hat x_i|, |x_i|)`: a missing or
    surplus token counts as a wrong one. Positions that were given are not counted.
    """

    name = "token_accuracy"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Return the number of matches, and of positions, without the given ones."""
        prediction, example = answer.ids, answer.example
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

    def score(self, answer: Answer) -> tuple[float, float]:
        """Score 1 of 1 for a right answer."""
        return float(self.right(answer.ids, answer.example)), 1.0

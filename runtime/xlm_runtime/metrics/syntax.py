"""Metrics of texts that a grammar should have made."""

from typing import Any

from xlm_runtime.grammar import Grammar
from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.ratio import Ratio


class Parsable(Ratio):
    r"""The share of texts that are sentences of a grammar, of all texts.

    :math:`m_i = [\hat x_i \in L(G)]`, :math:`d_i = 1`. A text is judged as words between spaces,
    and as a whole: an empty one, or one that stops too early, is none.
    """

    name = "parsable"

    def __init__(self, grammar: Grammar, **options: Any) -> None:
        super().__init__(**options)
        self.grammar = grammar

    def score(self, answer: Answer) -> tuple[float, float]:
        """1 of 1 for a sentence."""
        return float(self.grammar.accepts(answer.text.split())), 1.0

"""Metrics of texts that a grammar should have made."""

from collections.abc import Iterable
from math import nan
from typing import Any

import torch

from xlm_runtime.data.grammar import Grammar
from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.ratio import Ratio
from xlm_runtime.shapes import Tensor


def syntactic(grammar: Grammar, data: Iterable[str]) -> list[Ratio]:
    """Return all metrics of a grammar; ``data`` are sentences to compare texts with."""
    return [Parsable(grammar), Begun(grammar), Depth(grammar, data)]


class _Grammatical(Ratio):
    """A metric that parses the words of a text, separated by spaces, with a grammar."""

    def __init__(self, grammar: Grammar, **options: Any) -> None:
        super().__init__(**options)
        self.grammar = grammar


class Parsable(_Grammatical):
    r"""The share of texts that are sentences of a grammar, of all texts.

    :math:`m_i = [\hat x_i \in L(G)]`, :math:`d_i = 1`. A text is judged as words between spaces,
    and as a whole: an empty one, or one that stops too early, is none.
    """

    name = "parsable"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Score 1 of 1 for a sentence."""
        return float(self.grammar.accepts(answer.text.split())), 1.0


class Begun(_Grammatical):
    r"""The share of words before the first mistake, of all words.

    :math:`m_i` is the length of the longest beginning of text i that some sentence has as well,
    :math:`d_i` the number of its words. It distinguishes texts that are equally wrong by
    `Parsable`.
    """

    name = "begun_as_sentences"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Return the number of words before the first mistake, and of all words."""
        words = answer.text.split()
        return float(self.grammar.begun(words)), float(len(words))


class Depth(_Grammatical):
    r"""The depth of the derivations of texts that are sentences.

    :math:`m_i` is the number of rules on the longest way from the start to a word, :math:`d_i = 1`
    for a sentence; others do not count. ``NAME_of_data`` is the mean over sentences of the data:
    a model that writes only simple sentences, all of them right, stays below it.
    """

    name = "derivation_depth"

    def __init__(self, grammar: Grammar, data: Iterable[str], **options: Any) -> None:
        super().__init__(grammar, **options)
        depths = [depth for text in data if (depth := grammar.depth(text.split())) is not None]
        self.data = sum(depths) / len(depths) if depths else nan

    def score(self, answer: Answer) -> tuple[float, float]:
        """Return the depth of a sentence."""
        depth = self.grammar.depth(answer.text.split())
        return (0.0, 0.0) if depth is None else (float(depth), 1.0)

    def compute(self) -> dict[str, Tensor]:
        """Return the mean, its standard error, and the mean of the data."""
        return super().compute() | {f"{self.name}_of_data": torch.tensor(self.data)}

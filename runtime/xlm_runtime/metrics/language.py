r"""Statistics of texts by themselves: variety, repetition, length.

They do not measure sense, and are cheap. A generator that repeats one likely phrase has a low
generative perplexity; these metrics expose it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from math import log
from typing import Any

import torch
from torchmetrics import Metric

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.ratio import Ratio
from xlm_runtime.shapes import Tensor

_REPEATED = 4  # words of an n-gram whose return is a repetition


class UnigramEntropy(Ratio):
    r"""The entropy of the tokens of a text, in nats, averaged over texts.

    :math:`H = -\sum_v \frac{c_v}{L} \log \frac{c_v}{L}` with :math:`c_v` the number of times that
    token v occurs among the L of a text: of the model's own tokens, specials apart. At most
    :math:`\log L`, so that it compares at one length. It is what Zheng et al. 2024
    (arXiv:2409.02908) and later work report beside generative perplexity.
    """

    name = "unigram_entropy"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Return the entropy of one text; 0 for an empty one."""
        size = len(answer.ids)
        counts = Counter(answer.ids).values()
        return -sum(c / size * log(c / size) for c in counts), 1.0


class Distinct(Metric):
    r"""Distinct n-grams of words over all n-grams of words, of all texts together.

    Words are separated by spaces, so that it does not depend on a tokenizer. Li et al. 2016
    (arXiv:1510.03055) divide by the number of words instead of that of n-grams, which is the same
    for n = 1. It falls as texts become more: compare it at the same number of texts.
    """

    full_state_update = False
    seen: list[Tensor]
    total: Tensor

    def __init__(self, n: int, **options: Any) -> None:
        super().__init__(**options)
        self.n, self.name = n, f"distinct_{n}"
        self.add_state("seen", [], dist_reduce_fx="cat")
        self.add_state("total", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, answer: Answer) -> None:
        """Note the n-grams of a text, each as a digest of 64 bits."""
        grams = [" ".join(gram) for gram in ngrams(answer.text.split(), self.n)]
        digests = {blake2b(gram.encode(), digest_size=8).digest() for gram in grams}
        numbers = [int.from_bytes(digest, "big", signed=True) for digest in digests]
        self.seen.append(torch.tensor(numbers, dtype=torch.int64, device=self.device))
        self.total = self.total + len(grams)

    def compute(self) -> dict[str, Tensor]:
        """Return the ratio, NaN without any n-gram, and the number of n-grams."""
        seen = self.seen if isinstance(self.seen, list) else [self.seen]
        distinct = len(set(torch.cat([torch.empty(0, dtype=torch.int64), *seen]).tolist()))
        return {self.name: distinct / self.total.double(), f"{self.name}_count": self.total}


class Repetition(Ratio):
    r"""The share of the n-grams of words of a text that stood in it before, averaged over texts.

    :math:`1 - |\text{distinct}| / |\text{all}|` within one text, n = 4: *seq-rep-4* of Welleck et
    al. 2020 (arXiv:1908.04319), on words. Texts of fewer than n words have none and do not count.
    """

    name = "repetition"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Return the repeated share of one text, and whether the text is long enough to count."""
        grams = list(ngrams(answer.text.split(), _REPEATED))
        return (1 - len(set(grams)) / len(grams), 1.0) if grams else (0.0, 0.0)


class Length(Ratio):
    """The mean number of tokens of an answer: of the model's own, specials apart."""

    name = "length"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Return the number of tokens of one answer."""
        return float(len(answer.ids)), 1.0


def ngrams(words: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    """Yield every n consecutive words."""
    return (tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def texts() -> tuple[Metric, ...]:
    """Return the metrics of every task whose bodies are texts of words."""
    return (UnigramEntropy(), Distinct(1), Distinct(2), Distinct(3), Repetition(), Length())

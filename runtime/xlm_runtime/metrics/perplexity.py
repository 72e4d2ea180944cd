r"""Generative perplexity: that of generated texts under a judge model.

.. math:: \exp\Big(-\sum_k \sum_{i \ge 2} \log p(x^k_i | x^k_{<i}) \Big/ \sum_k (L_k - 1)\Big)

over texts k of :math:`L_k` tokens of the judge: total nats over total tokens, so that long texts
count more; see `judge.Judge.nats` for the first token. A low one is had by saying the same likely
words again and again: it is never shown without entropy and distinct-n (see `asked`).
"""

from collections.abc import Sequence
from typing import Any

from xlm_runtime.metrics.answer import Answer, documents
from xlm_runtime.metrics.batched import Batched
from xlm_runtime.metrics.judge import load
from xlm_runtime.shapes import Tensor


class GenerativePerplexity(Batched):
    """The perplexity of answers under a causal language model, by its name on the Hub or folder.

    ``_error`` is the standard error by the delta method; ``_tokens_count`` the tokens scored.
    Answers of fewer than two tokens of the judge have nothing to score.
    """

    name = "generative_perplexity"
    d: Tensor

    def __init__(self, judge: str, **options: Any) -> None:
        super().__init__(**options)
        self.model = load(judge)

    def judge(self, answers: Sequence[Answer]) -> None:
        """Add the nats and tokens of some texts."""
        for nats, tokens in self.model.nats([documents(answer) for answer in answers]):
            self.add(nats, tokens)

    def compute(self) -> dict[str, Tensor]:
        """Return the perplexity, its standard error, and the numbers of texts and tokens."""
        found = super().compute()
        perplexity = found[self.name].exp()
        return {
            self.name: perplexity,
            f"{self.name}_error": perplexity * found[f"{self.name}_error"],
            f"{self.name}_count": found[f"{self.name}_count"],
            f"{self.name}_tokens_count": self.d.clone(),
        }

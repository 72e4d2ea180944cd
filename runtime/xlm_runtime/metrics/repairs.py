"""Metrics of texts that were made of drafts."""

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.ratio import Ratio
from xlm_runtime.metrics.sequences import ExactMatch, TokenAccuracy


def _whole(answer: Answer) -> bool:
    """Return whether a draft needs no repair."""
    draft = answer.example.draft
    return draft is not None and list(draft) == list(answer.example.body)


def _right(answer: Answer) -> bool:
    return list(answer.ids) == list(answer.example.body)


class Whole(Ratio):
    r"""The share of drafts that are the target already: what no repair would score.

    :math:`m_i = [d_i = x_i]`, of all examples.
    """

    name = "needs_no_repair"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Score 1 of 1 for a draft that is the target."""
        return float(_whole(answer)), 1.0


class Repaired(Ratio):
    r"""The share of drafts with a mistake of which the target was made.

    :math:`m_i = [\hat x_i = x_i]`, of the examples with :math:`d_i \ne x_i`.
    """

    name = "repaired"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Score 1 of 1 for a target that was made of another draft."""
        return float(_right(answer) and not _whole(answer)), float(not _whole(answer))


class Unspoiled(Ratio):
    r"""The share of drafts without a mistake that stayed as they were.

    :math:`m_i = [\hat x_i = x_i]`, of the examples with :math:`d_i = x_i`.
    """

    name = "unspoiled"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Score 1 of 1 for a target that was its own draft."""
        return float(_right(answer) and _whole(answer)), float(_whole(answer))


def repairs(*, compared: bool) -> list[Ratio]:
    """Return the metrics of repairs; with those of the target where none ``compared`` with it."""
    found: list[Ratio] = [] if compared else [ExactMatch(), TokenAccuracy()]
    return [*found, Whole(), Repaired(), Unspoiled()]

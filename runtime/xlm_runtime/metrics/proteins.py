"""Metrics of proteins as texts of letters, several in an answer where the end of a text parts them.

The first and the last protein of a packed row may be parts of longer ones, as in the data.
"""

from collections.abc import Callable
from typing import Any

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.ratio import Ratio

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"


class ValidProteins(Ratio):
    r"""The share of proteins that are not empty and consist of the 20 amino acids.

    :math:`m_i` is the number of valid ones among the :math:`d_i` proteins of an answer. Letters
    for several residues (B, J, X, Z) or for rare ones (O, U) are not valid.
    """

    name = "valid"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Return the number of valid proteins, and of all."""
        found = proteins(answer)
        return float(sum(map(is_valid, found))), float(len(found))


class ProteinLength(Ratio):
    """The mean number of letters of a protein."""

    name = "residues"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Return the number of letters, and of proteins."""
        found = proteins(answer)
        return float(sum(map(len, found))), float(len(found))


class LawNats(Ratio):
    r"""-log p of valid proteins under the distribution that made the data, in nats per residue.

    :math:`m_i = -\sum \log p`, :math:`d_i` the residues, over the valid proteins of an answer. It
    is the entropy rate of that distribution for samples from it, and more for others, unless they
    keep to what is likely.
    """

    name = "law_nats"

    def __init__(self, nats: Callable[[str], float], **options: Any) -> None:
        super().__init__(**options)
        self.nats = nats

    def score(self, answer: Answer) -> tuple[float, float]:
        """Return the nats, and the number of residues."""
        found = [protein for protein in proteins(answer) if is_valid(protein)]
        return sum(map(self.nats, found)), float(sum(map(len, found)))


def proteins(answer: Answer) -> list[str]:
    """Return the proteins of an answer; text before a leading end of text is dropped if empty."""
    found = answer.tokenizer.documents(answer.text)
    return found[1:] if len(found) > 1 and not found[0] else found


def is_valid(protein: str) -> bool:
    """Return whether a text is one or more letters of the 20 amino acids, and nothing else."""
    return bool(protein) and not set(protein) - set(AMINO_ACIDS)

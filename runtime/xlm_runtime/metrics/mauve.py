"""MAUVE: how near the distribution of generated texts is to that of written ones.

Pillutla et al. 2021 (arXiv:2102.01454): texts of both kinds become features, the last hidden state
of a judge at their last token; the features of both together are clustered; and the two histograms
over clusters are compared by the area under their divergence frontier, 1 for equal ones. Computed
by the authors' package (``mauve-text``) with its defaults: as many clusters as a tenth of the
texts, scaling 5, seed 25. It wants thousands of texts; the numbers of both kinds should be alike.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torchmetrics import Metric

from xlm_runtime.metrics.answer import Answer, documents
from xlm_runtime.metrics.judge import load
from xlm_runtime.shapes import Tensor
from xlm_runtime.system import extras
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import say

_LEAST = 20  # texts of each kind: two clusters


def check() -> None:
    """Check that the package is installed.  Raises UsageError."""
    extras.needed("mauve", "mauve", "--metric mauve")


class Mauve(Metric):
    """MAUVE of answers, compared with as many human texts.

    judge: a name on the Hub or a folder. references: the documents of each of the first so many
    texts, by their number.
    """

    name = "mauve"
    full_state_update = False

    def __init__(
        self, judge: str, references: Callable[[int], Sequence[list[str]]], **options: Any
    ) -> None:
        super().__init__(**options)
        self.judge = load(judge)
        self.references = references
        self._texts: list[list[str]] = []

    def update(self, answer: Answer) -> None:
        """Take a text."""
        self._texts.append(documents(answer))

    def compute(self) -> dict[str, Tensor]:
        """Return the score, and the number of texts of each kind.  Raises RunError for too few."""
        from mauve import compute_mauve

        texts = [text for text in self._texts if any(map(str.strip, text))]
        written = [text for text in self.references(len(texts)) if any(map(str.strip, text))]
        if min(len(texts), len(written)) < _LEAST:
            raise RunError(
                f"MAUVE needs {_LEAST} texts of each kind, and there are {len(texts)} generated "
                f"and {len(written)} written ones: raise eval.samples or eval.examples"
            )
        if len(texts) < 1000:
            say(f"MAUVE of {len(texts)} texts is rough: its authors advise thousands")
        p, q = (np.asarray(self.judge.features(part)) for part in (texts, written))
        score = compute_mauve(p_features=p, q_features=q, verbose=False).mauve
        return {"mauve": torch.tensor(score), "mauve_count": torch.tensor(len(texts))}

    def reset(self) -> None:
        """Forget everything."""
        self._texts = []
        super().reset()

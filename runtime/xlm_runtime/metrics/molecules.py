r"""Metrics of molecules, of all that were generated together.

Of N texts, V are valid: they are read as a molecule; D of these are distinct, by RDKit's canonical
SMILES. What is divided by what decides such numbers:

===========  =================================================================================
validity     :math:`V / N`
uniqueness   :math:`D / V`
novelty      of the D distinct ones, the share that no training example is
diversity    :math:`1 - \frac{2}{D (D - 1)} \sum_{i < j} T_{ij}`, over distinct ones: 1 minus the
             mean Tanimoto similarity of Morgan fingerprints (radius 2, 1024 bits)
qed          mean drug-likeness of the V valid ones (Bickerton et al. 2012), repeats included
sa           mean synthetic accessibility of them, 1 easy to 10 hard (Ertl & Schuffenhauer 2009)
quality      distinct ones with qed at least 0.6 and sa at most 4, divided by N
===========  =================================================================================

As GenMol (Lee et al. 2025, arXiv:2501.06158) counts them. Standard errors are given for means over
independent things: validity, novelty, qed, sa, quality; there is none for uniqueness and diversity,
whose counts are V and D.
NaN where there is nothing to divide by.
"""

from collections.abc import Callable, Iterable
from functools import cache
from math import nan, sqrt
from typing import Any

import torch
from rdkit import Chem, DataStructs
from rdkit.Chem import QED, rdFingerprintGenerator
from rdkit.Contrib.SA_Score import sascorer
from torchmetrics import Metric

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.shapes import Tensor

Read = Callable[[str], str | None]  # a text -> the canonical SMILES of its molecule
QED_LEAST, SA_MOST = 0.6, 4.0


class Molecules(Metric):
    """The values of molecules together.

    read: converts a text to canonical SMILES, or None if it is not valid. known: returns the
    canonical SMILES of the training examples, at most once; without it there is no novelty.
    prefix: comes before the names of the values.
    """

    full_state_update = False
    seen: list[str | None]

    def __init__(
        self,
        read: Read,
        known: Callable[[], Iterable[str]] | None = None,
        prefix: str = "",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.read, self.known, self.prefix = read, known, prefix
        self.name = f"{prefix}molecules"
        self.add_state("seen", [], dist_reduce_fx=None)

    def update(self, answer: Answer) -> None:
        """Read a text."""
        self.seen.append(self.read(answer.text))

    def compute(self) -> dict[str, Tensor]:
        """Return every value by its name."""
        found = measures(self.seen)
        if self.known is not None:
            distinct = _distinct(self.seen)
            known = set(self.known()) if distinct else set()
            found |= mean("novelty", [float(one not in known) for one in distinct])
        return {f"{self.prefix}{k}": torch.tensor(v, dtype=torch.float64) for k, v in found.items()}


def measures(seen: Iterable[str | None]) -> dict[str, float]:
    """Return the values for canonical SMILES, in which None is a text that is not valid."""
    every = list(seen)
    valid = [one for one in every if one is not None]
    distinct = _distinct(every)
    good = {one for one in distinct if qed(one) >= QED_LEAST and sa(one) <= SA_MOST}
    firsts = [one in good and one not in every[:i] for i, one in enumerate(every)]
    return {
        **mean("validity", [float(one is not None) for one in every]),
        "uniqueness": len(distinct) / len(valid) if valid else nan,
        "uniqueness_count": float(len(valid)),
        "diversity": diversity(distinct),
        "diversity_count": float(len(distinct)),
        **mean("qed", [qed(one) for one in valid]),
        **mean("sa", [sa(one) for one in valid]),
        **mean("quality", [float(first) for first in firsts]),
    }


def diversity(smiles: Iterable[str]) -> float:
    """Return 1 minus the mean Tanimoto similarity of all pairs; NaN below two molecules."""
    prints = [fingerprint(one) for one in smiles]
    pairs = len(prints) * (len(prints) - 1) / 2
    alike = (sum(DataStructs.BulkTanimotoSimilarity(p, prints[:i])) for i, p in enumerate(prints))
    return 1 - sum(alike) / pairs if pairs else nan


@cache
def _generator() -> Any:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)


def fingerprint(smiles: str) -> Any:
    """Return the Morgan fingerprint of a molecule: radius 2, 1024 bits."""
    return _generator().GetFingerprint(Chem.MolFromSmiles(smiles))


def qed(smiles: str) -> float:
    """Return the quantitative estimate of drug-likeness, 0 to 1, by RDKit."""
    return float(QED.qed(Chem.MolFromSmiles(smiles)))  # type: ignore[no-untyped-call]


def sa(smiles: str) -> float:
    """Return the synthetic accessibility score, 1 to 10, by the contributed code of its authors."""
    return float(sascorer.calculateScore(Chem.MolFromSmiles(smiles)))


def _distinct(seen: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(one for one in seen if one is not None))


def mean(name: str, values: list[float]) -> dict[str, float]:
    """Return a mean, its standard error (NaN below two values), and the number of values."""
    n = len(values)
    mean = sum(values) / n if n else nan
    spread = sum((value - mean) ** 2 for value in values)
    error = sqrt(spread / (n * (n - 1))) if n > 1 else nan
    return {name: mean, f"{name}_error": error, f"{name}_count": float(n)}

r"""Metrics of molecules that were generated from some of their fragments.

Answers to the same question make a group: the same fragments given, of the same original. In a
group an answer counts as valid if it is read as a molecule that has these fragments, and there are
the validity, uniqueness, diversity and quality of `metrics.molecules`, and

    distance   mean Tanimoto distance of its distinct molecules to the original (the same
               fingerprints)

Reported are the means over groups with their standard errors, as GenMol (Lee et al. 2025,
arXiv:2501.06158) does: a group without anything valid has uniqueness and quality 0, and neither
diversity nor distance; one with a single molecule has diversity 0. ``kept``, which GenMol leaves
out, is the share of the answers that are molecules which have the fragments, over all groups.
The values of each group are kept beside their means (`by_group`).
"""

from collections.abc import Sequence
from math import isnan, nan
from typing import Any

import torch
from rdkit import DataStructs
from torchmetrics import Metric

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.molecules import Read, fingerprint, mean, measures
from xlm_runtime.shapes import Tensor
from xlm_runtime.tokenizers.molecules.pieces import contains

Group = tuple[str, str]  # what is given, and the whole original
_PLAIN = ("validity", "uniqueness", "diversity", "quality")


class Fragments(Metric):
    """The metrics of the module, by one reading of texts as molecules.

    read: converts a text to canonical SMILES, or None. prefix: comes before names of values.
    """

    full_state_update = False
    seen: list[tuple[Group, str | None]]

    def __init__(self, read: Read, prefix: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.read, self.prefix = read, prefix
        self.name = f"{prefix}fragments"
        self.add_state("seen", [], dist_reduce_fx=None)

    def update(self, answer: Answer) -> None:
        """Read a text, and note what it answers."""
        pairs = zip(answer.example.body, answer.example.given, strict=True)
        given = answer.tokenizer.decode([token for token, kept in pairs if kept])
        self.seen.append(((given, answer.target), self.read(answer.text)))

    def compute(self) -> dict[str, Tensor]:
        """Return every value by its name."""
        rows = [self._group(group, found) for group, found in self._groups().items()]
        values: dict[str, float] = {}
        for name in (*_PLAIN, "distance"):
            values |= mean(name, [row[name] for row in rows if not isnan(row[name])])
        read = [(group, found) for group, found in self.seen if found is not None]
        values |= mean("kept", [float(contains(found, given)) for (given, _), found in read])
        return {
            f"{self.prefix}{k}": torch.tensor(v, dtype=torch.float64) for k, v in values.items()
        }

    def by_group(self) -> list[dict[str, Any]]:
        """Return the fragments, original, number of answers and values of each group."""
        return [
            {"given": given, "original": whole, "answers": len(found)}
            | self._group((given, whole), found)
            for (given, whole), found in self._groups().items()
        ]

    def _groups(self) -> dict[Group, list[str | None]]:
        groups: dict[Group, list[str | None]] = {}
        for group, found in self.seen:
            groups.setdefault(group, []).append(found)
        return groups

    def _group(self, group: Group, found: Sequence[str | None]) -> dict[str, float]:
        given, whole = group
        kept = [one if one is not None and contains(one, given) else None for one in found]
        values = {name: value for name, value in measures(kept).items() if name in _PLAIN}
        distinct = {one for one in kept if one is not None}
        if not distinct:
            return values | {"uniqueness": 0.0, "distance": nan}
        if len(distinct) == 1:
            values["diversity"] = 0.0
        return values | {"distance": self._distance(whole, distinct)}

    def _distance(self, whole: str, molecules: set[str]) -> float:
        original = self.read(whole)
        if original is None:
            return nan
        prints = [fingerprint(one) for one in molecules]
        alike = DataStructs.BulkTanimotoSimilarity(fingerprint(original), prints)
        return float(1 - sum(alike) / len(alike))

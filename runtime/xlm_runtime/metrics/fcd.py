r"""The Fréchet ChemNet Distance: how near the distribution of molecules is to that of training.

Preuer et al. 2018 (arXiv:1803.09518): molecules become the 512 activations of the last layer but
one of ChemNet, a network that predicts biological assays from SMILES; and

.. math:: |\mu - \mu'|^2 + \mathrm{tr}(C + C' - 2 (C C')^{1/2})

of their means and covariances. By the authors' package ``fcd``, which comes with the network. Of
the valid molecules, repeats included, against the first `REFERENCES` of the training examples. It
falls as either become more: its authors advise 5,000, and it compares at the same numbers only.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torchmetrics import Metric

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.shapes import Tensor
from xlm_runtime.system import extras
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import say

REFERENCES = 5_000
_LEAST = 2  # molecules of each kind, for a covariance


def check() -> None:
    """Check that the package is installed.  Raises UsageError."""
    extras.needed("fcd", "fcd", "--metric fcd")


class Fcd(Metric):
    """The Fréchet ChemNet Distance to the training data.

    read: a text -> the canonical SMILES of its molecule, or None. references: those of training.
    """

    name = "fcd"
    full_state_update = False
    seen: list[str | None]

    def __init__(
        self,
        read: Callable[[str], str | None],
        references: Callable[[], Iterable[str]],
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.read, self.references = read, references
        self.add_state("seen", [], dist_reduce_fx=None)

    def update(self, answer: Answer) -> None:
        """Read a text."""
        self.seen.append(self.read(answer.text))

    def compute(self) -> dict[str, Tensor]:
        """Return the distance, and the numbers of molecules.  Raises RunError for too few."""
        made = [one for one in self.seen if one is not None]
        known = list(islice(self.references(), REFERENCES))
        if min(len(made), len(known)) < _LEAST:
            raise RunError(
                f"fcd needs {_LEAST} molecules of each kind, and there are {len(made)} valid ones "
                f"of {len(self.seen)} and {len(known)} for training"
            )
        if len(made) < 5000:
            say(f"the FCD of {len(made)} molecules is rough: its authors advise 5,000")
        found = {"fcd": distance(made, known), "fcd_count": len(made)}
        found["fcd_references_count"] = len(known)
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}


def distance(made: list[str], known: list[str]) -> float:
    """Return the Fréchet distance between two sets of canonical SMILES."""
    import fcd

    a, b = (_gaussian(activations(part)) for part in (made, known))
    with _calm():
        return float(fcd.calculate_frechet_distance(*a, *b))


def activations(smiles: list[str]) -> npt.NDArray[np.float32]:
    """Return ChemNet's activations for molecules: 512 numbers each."""
    import fcd

    file = Path(fcd.__file__).parent / "ChemNet_v0.13_pretrained.pt"
    with _calm():
        found: npt.NDArray[np.float32] = fcd.get_predictions(
            fcd.load_ref_model(str(file)), smiles, n_jobs=0
        )
    return found


@contextmanager
def _calm() -> Iterator[None]:
    """Silence the package's warnings about deprecated names of numpy and scipy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _gaussian(values: npt.NDArray[np.float32]) -> tuple[Any, Any]:
    return values.mean(0), np.cov(values.T)

"""Proteins of our own making: a Markov chain over the 20 amino acids whose entropy is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import log

import numpy as np
import numpy.typing as npt

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
VERSION = 1  # of the chain and of what is drawn from it
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """Letters of which each depends on the one before; proteins have from 30 to 90 of them.

    move: the chances of the next letter (row: the letter before), all above 0.
    """

    move: Floats
    shortest: int = 30
    longest: int = 90

    @cached_property
    def start(self) -> Floats:
        """The stationary distribution pi = pi P, of which the first letter is drawn."""
        size = len(self.move)
        system = np.vstack([self.move.T - np.eye(size), np.ones(size)])
        law: Floats = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
        return law

    @property
    def entropy_rate(self) -> float:
        """-sum pi_i P_ij log P_ij: what a residue costs the best model, the first one apart."""
        return float(-(self.start[:, None] * self.move * np.log(self.move)).sum())

    @property
    def letter_entropy(self) -> float:
        """-sum pi_i log pi_i: what a model reaches that knows letters alone."""
        return float(-(self.start * np.log(self.start)).sum())

    def nats(self, protein: str) -> float:
        """Return -log p of the letters of a protein, or of a part of one, of any length."""
        path = [AMINO_ACIDS.index(letter) for letter in protein]
        steps = (self.move[a, b] for a, b in pairwise(path))
        return -log(self.start[path[0]]) - sum(map(log, steps))

    def proteins(self, seed: int, count: int) -> Iterator[str]:
        """Draw ``count`` proteins."""
        rng = np.random.default_rng([seed, VERSION])
        lengths = rng.integers(self.shortest, self.longest + 1, count)
        u = rng.random((self.longest, count))
        to, first = self.move.cumsum(1), self.start.cumsum()
        paths = np.zeros((self.longest, count), np.int64)
        paths[0] = np.searchsorted(first[:-1], u[0], side="right")
        for i in range(1, self.longest):
            paths[i] = (to[paths[i - 1], :-1] <= u[i][:, None]).sum(1)
        letters = np.array(list(AMINO_ACIDS))
        return ("".join(letters[paths[:n, i]]) for i, n in enumerate(lengths))


def chain() -> Chain:
    """Build the chain of the quick data: a few letters are likely after each, any is possible."""
    size = len(AMINO_ACIDS)
    sharp = np.random.default_rng(50).dirichlet(np.full(size, 0.15), size)
    return Chain(0.9 * sharp + 0.1 / size)

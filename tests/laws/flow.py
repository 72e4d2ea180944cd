"""Two clocks by brute force: tokens that are clean, masked or gone, and the heads that are exact.

As `table`, it shares no code with what is tested. A state is a row of ids without padding, masks
among them; of its gaps only those inside the brackets count.
"""

from collections.abc import Callable
from itertools import product
from math import comb, inf, log, log1p

import numpy as np
import torch
from laws import zoo
from laws.build import VOCAB, A, Package
from laws.examples import around
from laws.table import MASK, Law, Row
from torch import nn

NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)
CLEAN, MASKED, GONE = range(3)
COUNTED = [name for name in zoo.BOTHS if not zoo.SPECS[name].has("distribution")]
SAMPLERS = [(name, sampler) for name in zoo.BOTHS for sampler in zoo.SPECS[name].samplers]


def integral(f: Callable[[float], float], low: float, high: float) -> float:
    """By Gauss and Legendre, in the square root of the distance to the lower end."""
    root, total = (high - low) ** 0.5, 0.0
    for x, w in zip(NODES, WEIGHTS, strict=True):
        y = root * (x + 1) / 2
        total += root * w * y * f(low + y * y)
    return total


def absent(spec: zoo.Spec, t: float) -> float:
    """The chance that a token is gone; all are at t = 1, even if a survival has something left."""
    return (1 - spec.beta(t)) / (1 - spec.beta(1.0))


def chances(spec: zoo.Spec, t: float) -> tuple[float, float, float]:
    """Of a token at t to be clean, masked and gone, by the reverse clocks (design 1.3)."""
    gone = absent(spec, t)

    def born(s: float) -> float:
        return (
            -spec.beta_slope(s) / (1 - spec.beta(1.0)) * (1 - spec.alpha(t)) / (1 - spec.alpha(s))
        )

    masked = integral(born, t, 1.0)
    return 1 - gone - masked, masked, gone


def state_of(string: Row, fates: tuple[int, ...]) -> tuple[Row, list[int], list[int]]:
    """A string as it is seen; the clean tokens behind it; the number gone from each gap."""
    seen, clean, missing = [], [], [0]
    for token, fate in zip(string, fates, strict=True):
        if fate == GONE:
            missing[-1] += 1
        else:
            seen.append(MASK if fate == MASKED else token)
            clean.append(token)
            missing.append(0)
    return tuple(seen), clean, missing


class Posterior:
    """For each state, by the number of tokens that are gone: mass, and sums over what is behind."""

    def __init__(self, law: Law) -> None:
        self.longest = max(map(len, law))
        self.mass: dict[Row, np.ndarray] = {}
        self.token: dict[Row, np.ndarray] = {}
        self.gap: dict[Row, np.ndarray] = {}
        for string, p in law.items():
            for fates in product((CLEAN, MASKED, GONE), repeat=len(string)):
                self._add(string, fates, p)

    def _add(self, string: Row, fates: tuple[int, ...], p: float) -> None:
        state, clean, missing = state_of(string, fates)
        n, size, numbers = sum(missing), len(state), self.longest + 1
        self.mass.setdefault(state, np.zeros(numbers))[n] += p
        token = self.token.setdefault(state, np.zeros((numbers, size, VOCAB.size)))
        token[n, range(size), clean] += p
        self.gap.setdefault(state, np.zeros((numbers, size + 1)))[n] += p * np.array(missing)

    def at(self, state: Row, gone: float) -> tuple[np.ndarray, np.ndarray]:
        """The chance of each token at each place, and the mean number missing from each gap.

        ``gone``: the chance that a token is gone. What cannot be then is read as if it were rare;
        of what never can be (long steps insert too much) nothing is known, and nothing missing.
        """
        if state not in self.mass:
            tokens = np.zeros((len(state), VOCAB.size))
            tokens[:, A] = 1
            return tokens, np.zeros(len(state) + 1)
        mass = self.mass[state]
        share = max(gone, 1e-12) ** (np.arange(self.longest + 1) - mass.nonzero()[0][0])
        share = share / (share @ mass)
        return np.tensordot(share, self.token[state], 1), np.tensordot(share, self.gap[state], 1)


def numbers(size: int, mean: float) -> list[float]:
    """The logarithms of a binomial law over 0..size that has the mean."""
    share = min(max(mean / size, 1e-9), 1 - 1e-9)
    return [
        log(comb(size, n)) + n * log(share) + (size - n) * log1p(-share) for n in range(size + 1)
    ]


class Flow(nn.Module):
    """A network that gives the exact heads of a law, or those thrown off by ``wrong``.

    Its gap head gives the mean, or with a ``size`` a distribution that has this mean. `rows` counts
    the rows seen, `told` keeps the times.
    """

    def __init__(
        self,
        spec: zoo.Spec,
        law: Law,
        around: tuple[Row, Row],
        wrong: float = 0.0,
        size: int | None = None,
    ) -> None:
        super().__init__()
        self.vocab = VOCAB
        self.spec = spec
        self.posterior = Posterior(law)
        self.before, self.after = around
        self.wrong = wrong
        self.size = size
        self.known: dict[tuple[Row, float], int] = {}
        self.tokens: list[np.ndarray] = []
        self.gaps: list[np.ndarray] = []
        self.rows = 0
        self.told: list[torch.Tensor] = []

    def trunk(self, xt, attend, told):
        """(answer, position) of every position."""
        assert told.shape == (len(xt),)
        self.rows += len(xt)
        self.told.append(told)
        seen = torch.ones_like(xt, dtype=torch.bool) if attend is None else attend
        whole = torch.cat([torch.where(seen, xt + 1, 0).double(), told[:, None].double()], 1)
        states, row = whole.unique(dim=0, return_inverse=True)
        found = []
        for *ids, t in states.tolist():
            found.append(self._answer(tuple(int(i) - 1 for i in ids if i), t))
        answer = torch.tensor(found)[row][:, None].expand_as(xt)
        return torch.stack([answer, seen.long().cumsum(1) - 1], -1).double()

    def _answer(self, row: Row, t: float) -> int:
        if (row, t) not in self.known:
            start, stop = len(self.before), len(row) - len(self.after)
            assert row[:start] == self.before
            assert row[stop:] == self.after
            self.known[row, t] = len(self.tokens)
            tokens, gaps = self.heads(row[start:stop], t)
            ids = np.full((len(row), VOCAB.size), -inf)
            numbers = np.full(len(row), np.nan)
            with np.errstate(divide="ignore"):
                ids[start:stop] = np.log(tokens)
            numbers[start - 1 : stop] = gaps
            self.tokens.append(ids)
            self.gaps.append(numbers)
        return self.known[row, t]

    def heads(self, state: Row, t: float) -> tuple[np.ndarray, np.ndarray]:
        """The chance of each token and the mean of each gap."""
        tokens, gaps = self.posterior.at(state, absent(self.spec, t))
        if self.wrong:
            rng = np.random.default_rng([*state, round(1000 * self.wrong)])
            tokens = tokens * np.exp(self.wrong * rng.normal(size=tokens.shape))
            tokens = tokens / tokens.sum(-1, keepdims=True)
            gaps = gaps * np.exp(self.wrong * rng.normal(size=gaps.shape))
        return tokens, gaps

    def token(self, hidden):
        return self._read(self.tokens, hidden, (VOCAB.size,))

    def gap(self, hidden):
        mean = self._read(self.gaps, hidden, ())
        if self.size is None:
            return mean
        return torch.tensor([numbers(self.size, float(m)) for m in mean]).view(len(mean), -1)

    @staticmethod
    def _read(table, hidden, shape):
        rows = [table[a][i] for a, i in hidden.long().tolist()]
        return torch.tensor(np.array(rows).reshape(len(rows), *shape))


def costs(spec: zoo.Spec, flow: Flow, string: Row, t: float) -> tuple[float, float]:
    """The expected cross-entropy of the masks, and cost of the gaps, of a string at a time."""
    status = chances(spec, t)
    tokens = gaps = 0.0
    for fates in product((CLEAN, MASKED, GONE), repeat=len(string)):
        chance = float(np.prod([status[fate] for fate in fates]))
        if chance <= 0:
            continue
        state, clean, missing = state_of(string, fates)
        law, means = flow.heads(state, t)
        hidden = [(i, token) for i, token in enumerate(clean) if state[i] == MASK]
        tokens -= chance * sum(log(law[i, token]) for i, token in hidden)
        gaps += chance * sum(
            m - n + (n * log(n / m) if n else 0) if flow.size is None else -numbers(flow.size, m)[n]
            for n, m in zip(missing, means, strict=True)
        )
    return tokens, gaps


def hazards(spec: zoo.Spec, t: float) -> tuple[float, float]:
    """Of unmasking and of insertion."""
    unmask = -spec.slope(t) / (1 - spec.alpha(t))
    return unmask, -spec.beta_slope(t) / (1 - spec.beta(t))


def path_cost(spec: zoo.Spec, flow: Flow, string: Row) -> float:
    """The bound: hazards times costs, over all times."""
    return integral(
        lambda t: float(np.dot(hazards(spec, t), costs(spec, flow, string, t))), 0.0, 1.0
    )


def exact(package: Package, law: Law, wrong: float = 0.0) -> Flow:
    """The heads of a law for a package, or wrong ones."""
    size = 6 if package.spec.has("distribution") else None
    return Flow(package.spec, law, around(package), wrong, size)

"""Insertions on a clock: the exact heads of a law, and decoders that run on them."""

from itertools import combinations

import numpy as np
import torch
from laws.build import VOCAB, A, B
from laws.examples import one
from laws.scripted import draw, repeat

RATES = ["gone_rates"]
CLOCKED = ["gone_rates", "gone_joint", "gone_pairs"]
APART = {(A, B): 0.4, (B, A): 0.25, (B,): 0.35}  # no text repeats a token


def alpha(t):
    return 1 - t**2


def reveal(s, t):
    return (alpha(s) - alpha(t)) / (1 - alpha(t))


def expected(law, state, t):
    """Return how often each token is expected to be missing in each gap of a state at a time."""
    found, total = np.zeros((len(state) + 1, VOCAB.size)), 0.0
    for row, p in law.items():
        for kept in combinations(range(len(row)), len(state)):
            if tuple(row[i] for i in kept) != state:
                continue
            chance = p * alpha(t) ** len(kept) * (1 - alpha(t)) ** (len(row) - len(kept))
            total += chance
            for i in set(range(len(row))) - {*kept}:
                found[sum(k < i for k in kept), row[i]] += chance
    return found / total if total else found


class Exact(torch.nn.Module):
    """A network whose heads are exact: it looks a state and its time up."""

    expects = staticmethod(expected)

    def __init__(self, law, joint=False, mean=False):
        super().__init__()
        self.vocab, self.law, self.joint, self.mean = VOCAB, law, joint, mean
        self.known, self.found = {}, []

    def trunk(self, x, attend, t):
        assert attend is None or (x[attend.bool()] != VOCAB["pad"]).all(), "a token is missing"
        hidden = torch.zeros((*x.shape, 2), dtype=torch.float64)
        for i, row in enumerate(x.tolist()):
            key = tuple(one for one in row if one >= A), float(t[i] if t.ndim else t)
            if key not in self.known:
                self.known[key] = len(self.found)
                self.found.append(self.expects(self.law, *key))
            hidden[i, :, 0] = self.known[key]
        hidden[..., 1] = torch.arange(x.shape[1])
        return hidden

    def _counts(self, hidden):
        gaps = [self.found[int(row)][int(place)] for row, place in hidden]
        return torch.tensor(np.array(gaps).reshape(-1, VOCAB.size))

    def slot(self, hidden):
        """The logits of tokens: joint ones are of one scale in a row."""
        counts = self._counts(hidden)
        counts = torch.where(counts.sum(1, keepdim=True) > 0, counts, 1e-9 * (counts[:1] >= 0))
        counts[:, :A] = 0
        return counts.log() if self.joint else (counts / counts.sum(1, keepdim=True)).log()

    def gap(self, hidden):
        return self._counts(hidden).sum(1)

    def missing(self, hidden):
        """The mean number missing, or a law of it that is within 1 of its mean."""
        means = np.array([self.found[int(row)].sum() for row, _ in hidden])
        if self.mean:
            return torch.tensor(means)
        number = np.arange(7)
        return torch.tensor(np.maximum(1e-300, 1 - abs(number - means[:, None]))).log()


def run(package, heads, name, rows=1500, limit=8, **params):
    batch = repeat(one(package, (A,)), rows)
    return package.sampler(name, **params)(heads, batch, draw(batch, 5), limit, True)


def bodies(x):
    return [tuple(one for one in row if one >= A) for row in x.tolist()]


def exact(package, law):
    """A network whose heads are those that a package reads."""
    has = package.spec.has
    return Exact(law, joint=has("joint_cross_entropy"), mean=has("count at bos"))

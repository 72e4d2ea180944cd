"""Exact laws read from left to right, and the table of prefixes that stands in for a network."""

from collections.abc import Mapping
from math import inf

import numpy as np
import torch
from laws import zoo
from laws.build import VOCAB
from laws.examples import around
from laws.table import Law, Row, normal
from torch import nn

EOS = VOCAB["eos"]
ENDING = [name for name in zoo.NONES if name != "next_fixed"]  # rows that end in an eos
CACHING = zoo.those("cross_entropy(following)", "reuse while prefix")


class Prefixes(nn.Module):
    """A network whose answers are looked up: what stands so far -> logits of what comes next.

    `rows` counts the rows of every call, `computed` the tokens that it was shown.
    """

    def __init__(self, logits: Mapping[Row, np.ndarray]) -> None:
        super().__init__()
        self.vocab = VOCAB
        self.states = {state: i for i, state in enumerate(logits)}
        unknown = np.full(VOCAB.size, np.nan)  # whoever reads it is found out
        self.logits = nn.Parameter(torch.tensor(np.stack([*logits.values(), unknown])))
        self.rows = self.computed = 0

    def trunk(self, xt, attend):
        """The state of every position: what is attended up to it."""
        self.rows += len(xt)
        self.computed += xt.numel()
        seen = torch.ones_like(xt, dtype=torch.bool) if attend is None else attend
        whole = torch.where(seen, xt, -1)
        different, which = whole.unique(dim=0, return_inverse=True)
        states = [
            [self._state(row[: i + 1]) for i in range(len(row))] for row in different.tolist()
        ]
        return torch.tensor(states)[which][..., None].double()

    def _state(self, row: list[int]) -> int:
        known = tuple(x for x in row if x >= 0)
        return self.states.get(known if row[-1] >= 0 else (-1,), len(self.states))

    def extend(self, new, attend, past):
        """The last states, going on from a past: here the tokens themselves, twice."""
        before = [past[0][0]] if past else []
        whole = torch.cat([*before, new], 1)
        assert attend.shape == whole.shape
        hidden = self.trunk(whole, attend)[:, -new.shape[1] :]
        self.computed -= whole.numel() - new.numel()
        return hidden, ((whole, whole.clone()),)

    def token(self, hidden):
        return self.logits[hidden[..., 0].long()]


def nexts(law: Law, before: Row = (), end: Row = (EOS,)) -> dict[Row, np.ndarray]:
    """log p(what comes next | all that stands before it) for every prefix of a law over bodies."""
    chances: dict[Row, np.ndarray] = {}
    for body, p in law.items():
        whole = (*before, *body, *end)
        for i in range(len(before), len(whole)):
            chances.setdefault(whole[:i], np.zeros(VOCAB.size))[whole[i]] += p
    with np.errstate(divide="ignore"):
        return {state: np.log(p / p.sum()) for state, p in chances.items()}


def scrambled(tables: Mapping[Row, np.ndarray], seed: int = 0) -> dict[Row, np.ndarray]:
    """A table of wrong answers: random logits wherever there were some."""
    rng = np.random.default_rng(seed)
    return {
        state: np.where(np.isfinite(values), rng.normal(size=values.shape), -inf)
        for state, values in tables.items()
    }


def cost(tables: Mapping[Row, np.ndarray], row: Row, first: int) -> float:
    """-log p of the tokens of a row from the place `first` on, each given those before it."""
    return -sum(float(normal(tables[row[:i]])[row[i]]) for i in range(first, len(row)))


def made(tables: Mapping[Row, np.ndarray], before: Row, limit: int) -> dict[Row, float]:
    """The law of the bodies that drawing one token after the other gives, cut at the limit."""
    found: dict[Row, float] = {}
    open_ = {before: 1.0}
    for _ in range(limit):
        longer: dict[Row, float] = {}
        for state, p in open_.items():
            for token, q in enumerate(np.exp(normal(tables[state]))):
                if token == EOS and q:
                    body = state[len(before) :]
                    found[body] = found.get(body, 0.0) + p * float(q)
                elif q:
                    longer[(*state, token)] = p * float(q)
        open_ = longer
    for state, p in open_.items():
        found[state[len(before) :]] = found.get(state[len(before) :], 0.0) + p
    return found


def end(package):
    """Return the end of a body: an eos, or nothing."""
    return tuple(VOCAB[special] for special in package.layout("text").predicts)


def tables_of(package, law, wrong=False):
    tables = nexts(law, around(package)[0], end(package))
    return scrambled(tables) if wrong else tables


def nats(package, table, batch):
    return package.family.nelbo(table, batch, None).nats  # no noise is read

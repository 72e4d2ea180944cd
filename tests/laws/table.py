"""Exact laws of toy data by brute force, and the table that stands in for a network.

A row is a tuple of ids without padding. Everything here is numpy and Python, and shares no code
with what is tested.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations, product
from math import comb, inf, log

import numpy as np
import torch
from laws.build import VOCAB
from torch import nn

Row = tuple[int, ...]
Law = Mapping[Row, float]
MASK = VOCAB["mask"]
SURE = 40.0  # log-odds of what is certain: 1 - 4e-18


class Table(nn.Module):
    """A network whose answers are looked up: state -> logits at every position, and log-odds.

    `tilt` makes the logits depend on the time that the trunk is told. `shift` is how far to the
    right of a state its answer speaks. `rows` counts the rows seen, `told` keeps the times.
    """

    def __init__(
        self,
        logits: Mapping[Row, np.ndarray],
        odds: Mapping[Row, float] | None = None,
        tilt: float = 0.0,
        shift: int = 0,
    ) -> None:
        super().__init__()
        self.vocab = VOCAB
        self.states = {state: i for i, state in enumerate(logits)}
        width = max(map(len, logits))
        table = np.full((len(logits), width, VOCAB.size), -inf)
        for i, values in enumerate(logits.values()):
            table[i, : len(values)] = values
        self.logits = nn.Parameter(torch.tensor(table))
        self.odds = nn.Parameter(
            torch.tensor([(odds or {}).get(s, 0.0) for s in logits], dtype=torch.float64)
        )
        generator = torch.Generator().manual_seed(5)
        shape = self.logits.shape
        self.tilt = tilt * torch.randn(shape, generator=generator, dtype=torch.float64)
        self.shift = shift
        self.rows = 0
        self.told: list[torch.Tensor] = []

    def trunk(self, xt, attend, told=None):
        """(state, position, time) of every position; a row of padding apart."""
        self.rows += len(xt)
        if told is not None:
            assert told.shape == (len(xt),)
            self.told.append(told)
        seen = torch.ones_like(xt, dtype=torch.bool) if attend is None else attend
        digits = (VOCAB.size + 1) ** torch.arange(xt.shape[1])  # a row as one number
        codes, inverse = (torch.where(seen, xt + 1, 0) * digits).sum(1).unique(return_inverse=True)
        state = torch.tensor([self.states[self._ids(code)] for code in codes.tolist()])[inverse]
        time = torch.zeros(len(xt)) if told is None else told
        position = seen.long().cumsum(1) - 1
        parts = (state[:, None].expand_as(xt), position, time[:, None].expand_as(xt))
        return torch.stack([part.double() for part in parts], -1)

    @staticmethod
    def _ids(code: int) -> Row:
        """The ids that a number stands for, padding apart."""
        row = []
        while code:
            code, digit = divmod(code, VOCAB.size + 1)
            row += [digit - 1] if digit else []
        return tuple(row)

    def _at(self, hidden):
        state, position, time = hidden.unbind(-1)
        state, position = state.long(), position.long() + self.shift
        return self.logits[state, position] + time[:, None] * self.tilt[state, position]

    token = slot = _at

    def done(self, hidden):
        return self.odds[hidden[:, 0].long()]


# Masks


def hidden_states(rows: Iterable[Row], free: Iterable[int]) -> list[Row]:
    """Every state that masking some of the free places of a row can give."""
    places = list(free)
    states = {
        tuple(MASK if i in chosen else x for i, x in enumerate(row))
        for row in rows
        for k in range(len(places) + 1)
        for chosen in combinations(places, k)
    }
    return sorted(states)


def conditionals(law: Law, free: Iterable[int]) -> dict[Row, np.ndarray]:
    """log p(token at a place | what is visible) for every state."""
    tables = {}
    for state in hidden_states(law, free):
        chances = np.zeros((len(state), VOCAB.size))
        for row, p in law.items():
            if all(a in (MASK, b) for a, b in zip(state, row, strict=True)):
                for i, token in enumerate(row):
                    chances[i, token] += p
        with np.errstate(divide="ignore"):
            tables[state] = np.log(chances / chances.sum(1, keepdims=True))
    return tables


def scrambled(tables: Mapping[Row, np.ndarray], seed: int = 0) -> dict[Row, np.ndarray]:
    """A table of wrong answers: random logits wherever there were some."""
    rng = np.random.default_rng(seed)
    return {
        state: np.where(np.isfinite(values), rng.normal(size=values.shape), -inf)
        for state, values in tables.items()
    }


def normal(values: np.ndarray) -> np.ndarray:
    """Logits to log-chances along the last axis."""
    top = values.max(-1, keepdims=True)
    return values - top - np.log(np.exp(values - top).sum(-1, keepdims=True))


def chain_costs(tables: Mapping[Row, np.ndarray], row: Row, free: list[int]) -> list[float]:
    """-log of the chance of a row for every order of revealing its places one by one."""
    costs = []
    for order in product(free, repeat=len(free)):
        if len(set(order)) < len(order):
            continue
        state, cost = [MASK if i in free else x for i, x in enumerate(row)], 0.0
        for place in order:
            cost -= normal(tables[tuple(state)])[place, row[place]]
            state[place] = row[place]
        costs.append(float(cost))
    return costs


def masked_costs(
    answer: Callable[[Row], np.ndarray],
    row: Row,
    free: list[int],
    weight: Callable[[Row, int], float] = lambda state, place: 1.0,
) -> list[float]:
    """For k = 0..L: the sum of -log p(token) over the masks, averaged over the sets of k masks."""
    costs = []
    for k in range(len(free) + 1):
        sets = list(combinations(free, k))
        total = 0.0
        for chosen in sets:
            state = tuple(MASK if i in chosen else x for i, x in enumerate(row))
            values = normal(answer(state))
            total -= sum(weight(state, i) * values[i, row[i]] for i in chosen)
        costs.append(total / len(sets))
    return costs


def near(state: Row, place: int, p: float) -> float:
    """Half of what a geometric kernel puts on the tokens around a place that are no masks."""
    others = [j for j, x in enumerate(state) if x != MASK and j != place]
    return sum(p * (1 - p) ** (abs(j - place) - 1) for j in others) / 2


# Insertions: a string stands between the fixed ids `before` and `after`


def drops(string: Row) -> list[tuple[Row, float, list[tuple[int, int]]]]:
    """Every set of dropped tokens: what is left, its chance, the (gap, token) of each dropped one.

    The count is uniform on 0..L, the set uniform given the count; gap j follows j tokens.
    """
    outcomes, length = [], len(string)
    for n in range(length + 1):
        for gone in combinations(range(length), n):
            left = tuple(x for i, x in enumerate(string) if i not in gone)
            missing = [(sum(j < i and j not in gone for j in range(i)), string[i]) for i in gone]
            outcomes.append((left, 1 / (length + 1) / comb(length, n), missing))
    return outcomes


def insertion_heads(
    law: Law, weight: Callable[[int], float], before: Row, after: Row = ()
) -> tuple[dict[Row, np.ndarray], dict[Row, float]]:
    """The heads that are best for data weighted by their length: joint log-chances, log-odds."""
    joint: dict[Row, np.ndarray] = {}
    stop: dict[Row, list[float]] = {}
    for string, p in law.items():
        for left, chance, missing in drops(string):
            mass = p * weight(len(string)) * chance
            gaps = joint.setdefault(left, np.zeros((len(left) + 1, VOCAB.size)))
            for gap, token in missing:
                gaps[gap, token] += mass / len(missing)
            seen = stop.setdefault(left, [0.0, 0.0])
            seen[not missing] += mass
    logits = {}
    for left, gaps in joint.items():
        with np.errstate(divide="ignore"):
            full = np.log(gaps / gaps.sum()) if gaps.any() else np.zeros_like(gaps)
        fixed = np.full((len(before) - 1, VOCAB.size), -inf)
        end = np.full((len(after), VOCAB.size), -inf)
        logits[before + left + after] = np.concatenate([fixed, full, end])
    odds = {before + left + after: _odds(*seen) for left, seen in stop.items()}
    return logits, odds


def _odds(no: float, yes: float) -> float:
    if not no or not yes:
        return SURE if yes else -SURE
    return log(yes / no)


def normalised(law: Mapping[Row, float]) -> dict[Row, float]:
    total = sum(law.values())
    return {key: value / total for key, value in law.items()}


def generated(
    logits: Mapping[Row, np.ndarray],
    odds: Mapping[Row, float],
    before: Row,
    after: Row,
    limit: int,
) -> dict[Row, float]:
    """The law of the strings that inserting one token at a time, with a drawn stop, ends in."""
    states: dict[Row, float] = {(): 1.0}
    ended: dict[Row, float] = {}
    while states:
        longer: dict[Row, float] = {}
        for string, p in states.items():
            state = before + string + after
            certain = len(string) == limit or odds[state] == SURE
            stop = 1.0 if certain else 1 / (1 + np.exp(-odds[state]))
            ended[string] = ended.get(string, 0.0) + p * stop
            if certain:
                continue
            first = len(before) - 1
            joint = np.exp(logits[state][first : first + len(string) + 1])
            for gap, token in zip(*joint.nonzero(), strict=True):
                grown = (*string[:gap], int(token), *string[gap:])
                chance = p * (1 - stop) * joint[gap, token] / joint.sum()
                longer[grown] = longer.get(grown, 0.0) + chance
        states = longer
    return ended

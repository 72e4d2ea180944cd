"""Exact laws of texts on their way to drafts, by brute force; nothing here is shared with packages.

A column of an alignment is a pair of tokens, of the text and of the draft; None where one has none.
An edit is (kind, place, token): `gone` tokens by the gap of the state, others by their place.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product
from math import exp, log

import numpy as np
import torch
from laws.build import VOCAB, A, B, C

MASK = VOCAB["mask"]
Row = tuple[int, ...]
DRAFTS = {
    "edit_random": {(x,): 1 / 3 for x in (A, B, C)},
    "edit_masks": {(MASK, MASK): 1.0},
    "edit_empty": {(): 1.0},
}


def copies(text: Row, rate: float) -> dict[Row, float]:
    """Chances of all copies of a text with mistakes."""
    found = {(): 1.0}
    for x in text:
        ways = [((x,), 1 - rate), ((), rate / 3)]
        ways += [(way, rate / 9) for y in (A, B, C) for way in ((y,), (x, y))]
        longer = Counter()
        for (row, p), (more, q) in product(found.items(), ways):
            longer[row + more] += p * q
        found = longer
    return dict(found)


@cache
def alignments(text: Row, draft: Row) -> tuple[tuple, ...]:
    """All alignments with the fewest edits."""
    if not text or not draft:
        return (tuple((x, None) for x in text) + tuple((None, d) for d in draft),)
    ways = [((text[0], None), text[1:], draft), ((None, draft[0]), text, draft[1:])]
    ways.append(((text[0], draft[0]), text[1:], draft[1:]))
    found = [(column, *rest) for column, *others in ways for rest in alignments(*others)]
    least = min(map(edits, found))
    return tuple(one for one in found if edits(one) == least)


def edits(columns) -> int:
    return sum(x != d for x, d in columns)


def shown(columns, turned) -> tuple[Row, tuple]:
    """The state in which some columns show the draft, and the edits that are left."""
    state, left = [], []
    for (x, d), draft in zip(columns, turned, strict=True):
        if draft and d is None:
            left.append(("gone", len(state), x))
        elif draft and x is None:
            left.append(("extra", len(state), None))
        elif draft and x != d:
            left.append(("changed", len(state), x))
        state += [one for one in [d if draft else x] if one is not None]
    return tuple(state), tuple(left)


def states(law, drafts, level) -> Iterator[tuple[float, Row, Row, tuple]]:
    """Chance, text, state and edits left, of all that can be at a level of noise."""
    for (text, p), (draft, q) in product(law.items(), drafts.items()):
        found = alignments(text, draft)
        for columns in found:
            for turned in product((False, True), repeat=len(columns)):
                chance = np.prod([level if one else 1 - level for one in turned])
                if chance:
                    yield p * q * chance / len(found), text, *shown(columns, turned)


class Answers:
    """The expectations at a state: numbers of edits, and distributions of tokens."""

    def __init__(self, length: int) -> None:
        self.gone = np.zeros((length + 1, VOCAB.size))
        self.extra = np.zeros(length)
        self.changed = np.zeros((length, VOCAB.size))

    def add(self, left, chance: float) -> None:
        for kind, place, token in left:
            if kind == "extra":
                self.extra[place] += chance
            else:
                getattr(self, kind)[place, token] += chance


@cache
def _expected(law, drafts, level) -> dict[Row, Answers]:
    found, total = {}, Counter()
    for chance, _, state, left in states(dict(law), dict(drafts), level):
        found.setdefault(state, Answers(len(state))).add(left, chance)
        total[state] += chance
    for state, one in found.items():
        for numbers in (one.gone, one.extra, one.changed):
            numbers /= total[state]
    return found


def expected(law, drafts, level) -> dict[Row, Answers]:
    """The exact answers at every state of a level of noise."""
    return _expected(tuple(law.items()), tuple(drafts.items()), level)


class Exact(torch.nn.Module):
    """A network whose heads are exact, or off by factors that depend on the place."""

    def __init__(self, law, drafts, tilt=0.0):
        super().__init__()
        self.vocab, self.law, self.drafts, self.tilt = VOCAB, law, drafts, tilt
        self.found = []

    def trunk(self, x, attend, t):
        hidden = torch.zeros((*x.shape, 2), dtype=torch.float64)
        for i, row in enumerate(x.tolist()):
            state = tuple(one for one in row if one >= A or one == MASK)
            level = float(t[i] if t.ndim else t)
            self.found.append(self.answers(state, level))
            hidden[i, :, 0] = len(self.found) - 1
        hidden[..., 1] = torch.arange(x.shape[1])
        return hidden

    def answers(self, state, level) -> Answers:
        return expected(self.law, self.drafts, level).get(state) or Answers(len(state))

    def _at(self, hidden, kind, shift=0):
        found = [getattr(self.found[int(row)], kind)[int(at) - shift] for row, at in hidden]
        return torch.tensor(np.array(found))

    def off(self, hidden):
        return 1 + self.tilt * torch.cos(hidden[:, 1])

    def missing(self, hidden):
        return self._at(hidden, "gone").reshape(-1, VOCAB.size).sum(1) * self.off(hidden)

    def surplus(self, hidden):
        return self._at(hidden, "extra", 1) * self.off(hidden)

    def wrong(self, hidden):
        return self._at(hidden, "changed", 1).reshape(-1, VOCAB.size).sum(1) * self.off(hidden)

    def new(self, hidden):
        return self._logits(self._at(hidden, "gone"))

    def right(self, hidden):
        return self._logits(self._at(hidden, "changed", 1))

    def _logits(self, counts):
        counts = counts.reshape(-1, VOCAB.size)
        even = torch.zeros(VOCAB.size).double()
        even[A:] = 1e-9
        chances = torch.where(counts.sum(1, keepdim=True) > 0, counts, even)
        law = chances / chances.sum(1, keepdim=True)
        mixed = (1 - self.tilt / 2) * law + self.tilt / 2 * even / even.sum()
        return mixed.log()


def poisson(mean, n):
    return mean - n + (n * log(n / mean) if n else 0.0)


def costs(net, state, left, level):
    """The five costs of a state with some edits left."""
    exact = net.answers(state, level)
    off = [1 + net.tilt * float(np.cos(i)) for i in range(len(state) + 1)]
    gone = Counter(place for kind, place, _ in left if kind == "gone")
    found = dict.fromkeys(("missing", "new", "surplus", "wrong", "right"), 0.0)
    for place in range(len(state) + 1):
        found["missing"] += poisson(max(exact.gone[place].sum() * off[place], 1e-30), gone[place])
    for place in range(len(state)):
        kinds = {kind for kind, at, _ in left if at == place and kind != "gone"}
        for head, kind, rate in (
            ("surplus", "extra", exact.extra[place]),
            ("wrong", "changed", exact.changed[place].sum()),
        ):
            found[head] += poisson(max(rate * off[place + 1], 1e-30), int(kind in kinds))
    for kind, place, token in left:
        if kind != "extra":
            law = getattr(exact, kind)[place]
            chance = (1 - net.tilt / 2) * law[token] / law.sum() + net.tilt / 2 / 3
            found["new" if kind == "gone" else "right"] += -log(chance)
    return found


def bound(net, text, points=48):
    """The bound of a text by an integral over time of the costs of all states."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    total = 0.0
    for u, v in zip((nodes + 1) / 2, weights / 2, strict=True):
        x, w = u**3, 3 * u**2 * v  # smooth at both ends
        for chance, _, state, left in states({text: 1.0}, net.drafts, x):
            several = Counter(one for one in left if one[0] == "gone")
            more = sum(n * log(n) for n in several.values())
            more -= sum(n * log(n) for n in Counter(p for k, p, _ in left if k == "gone").values())
            cost = sum(costs(net, state, left, x).values())
            total += w / x * chance * (cost + more)
    return total


def stepped(law, drafts, state, t, s):
    """The law of the state after a step in which every place is edited on its own."""
    exact = expected(law, drafts, t).get(state)
    if exact is None:
        return {state: 1.0}
    share, choices = (t - s) / t, []
    for place in range(len(state) + 1):
        if place:
            extra, changed = exact.extra[place - 1], exact.changed[place - 1]
            rate = (extra + changed.sum()) * share
            here = {(): extra * share / rate * (1 - exp(-rate))} if extra else {}
            for x in np.nonzero(changed)[0]:
                here[(int(x),)] = changed[x] * share / rate * (1 - exp(-rate))
            old = (state[place - 1],)
            here[old] = here.get(old, 0.0) + exp(-rate)
            choices.append(here)
        gone = exact.gone[place]
        rate = gone.sum() * share
        here = {(int(x),): gone[x] / gone.sum() * (1 - exp(-rate)) for x in np.nonzero(gone)[0]}
        choices.append({**here, (): exp(-rate)})
    found = Counter()
    for outcome in product(*(choice.items() for choice in choices)):
        row = tuple(x for tokens_, _ in outcome for x in tokens_)
        found[row] += np.prod([p for _, p in outcome])
    return found


def decoded_law(law, drafts, steps):
    now = Counter(drafts)
    for i in range(steps):
        later = Counter()
        for state, p in now.items():
            after = stepped(law, drafts, state, 1 - i / steps, 1 - (i + 1) / steps)
            for row, q in after.items():
                later[row] += p * q
        now = later
    whole = Counter()
    for state, p in now.items():
        whole[tuple(x for x in state if x != MASK)] += p  # masks that are left are taken out
    return whole

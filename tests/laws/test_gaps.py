"""Insertions on a clock: decoders against a law found by brute force, and the likelihood."""

from collections import Counter
from itertools import combinations, product
from math import log

import numpy as np
import pytest
import torch
from laws import examples
from laws.build import VOCAB, A, B, Workshop
from laws.scripted import Scripted, draw, repeat
from laws.stats import samples_of
from laws.zoo import Spec

LAW = {(): 0.1, (A,): 0.2, (A, B): 0.25, (A, A, B): 0.3, (B, A): 0.15}
APART = {(A, B): 0.4, (B, A): 0.25, (B,): 0.35}  # no text repeats a token
RATES = """family rates {
  noise { clean -> gone survival alpha(t) = 1 - t**2; amount t ~ uniform(0, 1) }
  network { backbone dit(condition = t); head slot : logits at gaps; head gap : count at gaps }
  loss { slot : cross_entropy(gone) weight bound; gap : poisson(gone) weight bound }
  decoder {
    param steps : Count = 8
    grid uniform(steps)
    step { insert tokens chance min(1, gap * reveal(alpha)); draw slot }
  }
  decoder paced { step { insert tokens quota gap / steps_left; draw slot } }
  decoder single { step { insert tokens quota 1; draw slot } }
  decoder sure { step { insert tokens one by confidence; draw slot } }
  decoder many { step { insert tokens above 0.3 by confidence; draw slot greedy } }
  decoder tied { overflow drop_right; step { insert tokens chance 1; draw slot } }
  collate { text : bos [body] eos }
}"""
JOINT = """family joint {
  noise { clean -> gone survival alpha(t) = 1 - t**2; amount t ~ uniform(0, 1) }
  network {
    backbone dit(condition = t)
    head slot : logits at gaps
    head missing : distribution(6) at bos
  }
  loss { slot : joint_cross_entropy(gone); missing : cross_entropy(gone) }
  decoder {
    param steps : Count = 8
    grid uniform(steps)
    step { insert tokens chance min(1, missing * reveal(alpha)); draw slot }
  }
  decoder paced { step { insert tokens quota missing / steps_left; draw slot } }
  collate { text : bos [body] eos }
}"""
SPECS = {"rates": Spec(RATES), "joint": Spec(JOINT)}


def alpha(t):
    return 1 - t**2


def reveal(s, t):
    return (alpha(s) - alpha(t)) / (1 - alpha(t))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The packages by the names of their specs."""
    return Workshop(tmp_path_factory.mktemp("gaps"), SPECS).package


def expected(law, state, t):
    """How often each token is expected to be missing in each gap of a state at a time."""
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

    def __init__(self, law, joint=False):
        super().__init__()
        self.vocab, self.law, self.joint = VOCAB, law, joint
        self.known, self.found = {}, []

    def trunk(self, x, attend, t):
        hidden = torch.zeros((*x.shape, 2), dtype=torch.float64)
        for i, row in enumerate(x.tolist()):
            key = tuple(one for one in row if one >= A), float(t[i] if t.ndim else t)
            if key not in self.known:
                self.known[key] = len(self.found)
                self.found.append(expected(self.law, *key))
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
        """A law of the number missing that is within 1 of its mean."""
        means = np.array([self.found[int(row)].sum() for row, _ in hidden])
        number = np.arange(7)
        return torch.tensor(np.maximum(1e-300, 1 - abs(number - means[:, None]))).log()


def stepped(law, state, t, s):
    """The law of the state after a step in which each gap gets a token with its own chance."""
    counts = expected(law, state, t)
    choices = []
    for gap in counts:
        chance = min(1.0, gap.sum() * reveal(s, t))
        tokens = {x: chance * gap[x] / gap.sum() for x in (A, B) if gap[x]}
        choices.append({None: 1 - chance, **tokens})
    found = Counter()
    for outcome in product(*(one.items() for one in choices)):
        row = []
        for place, (token, _) in enumerate(outcome):
            row += [token] if token is not None else []
            row += [state[place]] if place < len(state) else []
        found[tuple(row)] += np.prod([p for _, p in outcome])
    return found


def decoded_law(law, steps):
    """The law of what a grid of so many steps ends in."""
    now = {(): 1.0}
    for i in range(steps):
        later = Counter()
        for state, p in now.items():
            for after, q in stepped(law, state, 1 - i / steps, 1 - (i + 1) / steps).items():
                later[after] += p * q
        now = {state: p for state, p in later.items() if p > 0}
    return now


def distance(a, b):
    return sum(abs(a.get(key, 0) - b.get(key, 0)) for key in {*a, *b}) / 2


def run(package, heads, name, rows=1500, limit=8, **params):
    batch = repeat(examples.one(package, (A,)), rows)
    return package.sampler(name, **params)(heads, batch, draw(batch, 5), limit, True)


def bodies(x):
    return [tuple(one for one in row if one >= A) for row in x.tolist()]


def test_more_steps_end_nearer_to_the_data():
    """The total variation falls like 1 / steps: that is what `limit` claims."""
    far = [distance(decoded_law(LAW, steps), LAW) for steps in (4, 16, 64)]
    assert far[0] > 3 * far[1] > 9 * far[2] > 0
    assert far[2] < 0.03


@pytest.mark.parametrize("name", ["rates", "joint"])
@pytest.mark.parametrize("steps", [1, 4])
def test_each_gap_gets_a_token_with_its_own_chance(made, name, steps):
    """One law of a gap's number and token, whether by a rate or by a share of the row's number."""
    decoded = run(made(name), Exact(LAW, joint=name == "joint"), "default", steps=steps)
    samples_of(Counter(bodies(decoded.x)), decoded_law(LAW, steps))


@pytest.mark.parametrize("name", ["rates", "joint"])
def test_a_quota_spreads_the_number_of_the_row(made, name):
    law = {(A, B, A, B, A, B): 0.5, (B, B, A, B, A): 0.5}
    steps, heads = 3, Exact(law, joint=name == "joint")
    decoded = run(made(name), heads, "paced", rows=60, steps=steps)
    for i, (old, new) in enumerate(zip(decoded.history, decoded.history[1:], strict=False)):
        for before, after in zip(bodies(old), bodies(new), strict=True):
            wanted = int(expected(law, before, 1 - i / steps).sum() / (steps - i) + 1e-6)
            assert len(after) - len(before) == min(wanted, len(before) + 1)
    assert {len(body) for body in bodies(decoded.x)} == {5, 6}


def test_gaps_are_drawn_in_proportion_to_what_they_miss(made):
    package, heads = made("rates"), Exact({(A, B, B): 0.75, (A, A, B): 0.25})
    decoded = run(package, heads, "single", rows=6000, steps=2)
    first, last = (bodies(one) for one in decoded.history[1:])
    came = Counter(after for old, after in zip(first, last, strict=True) if old == (A,))
    law, counts = {}, expected(heads.law, (A,), 0.5)
    for place, token in product(range(2), (A, B)):
        row = (token, A) if place == 0 else (A, token)
        law[row] = law.get(row, 0) + counts[place, token] / counts.sum()
    samples_of(came, law)


def best(law, state, t):
    counts = expected(law, state, t)
    return counts.max(1)


@pytest.mark.parametrize("name", ["sure", "many"])
def test_the_surest_gaps_get_a_token(made, name):
    """By confidence: where most of one token is expected."""
    package, heads = made("rates"), Exact({(A, B, A): 0.6, (B, B): 0.4})
    decoded = run(package, heads, name, rows=300, steps=3)
    seen = 0
    for i, (old, new) in enumerate(zip(decoded.history, decoded.history[1:], strict=False)):
        for before, after in zip(bodies(old), bodies(new), strict=True):
            score = best(heads.law, before, 1 - i / 3)
            if not score.sum():
                continue
            top = int(score.argmax())
            chosen = {top} if name == "sure" else {top, *np.flatnonzero(score > 0.3)}
            assert len(after) == len(before) + len(chosen)
            assert after[:top] == before[:top] or name == "many"
            seen += len(chosen) > 1 or name == "sure"
    assert seen > 100


def test_insertions_that_find_no_room_are_left_out(made):
    decoded = run(made("rates"), Exact(LAW), "tied", rows=50, limit=5, steps=4)
    assert [{len(body) for body in bodies(one)} for one in decoded.history] == [
        {0},
        {1},
        {3},
        {5},
    ]


def nats(package, heads, body, points=400):
    """The bound of one text, over a grid of times and every corruption."""
    batch = examples.one(package, body)
    free = batch.free[0].nonzero()[:, 0].tolist()
    every = [gone for k in range(len(free) + 1) for gone in combinations(free, k)]
    amount = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    u = torch.full((len(every), batch.x0.shape[1]), 1 - 2.0**-53, dtype=torch.float64)
    for i, gone in enumerate(every):
        u[i, list(gone)] = 0.0
    noise = Scripted(
        amount=amount.repeat_interleave(len(every))[:, None], corrupt=u.repeat(points, 1)
    )
    found = package.likelihood.nelbo(heads, repeat(batch, points * len(every)), noise).nats
    t = (1 - amount) ** 2  # as the likelihood draws it
    sizes = torch.tensor([len(gone) for gone in every])
    chance = (t**2)[:, None] ** sizes * (1 - t**2)[:, None] ** (len(free) - sizes)
    return float((found.view(points, -1) * chance).sum(1).mean())


@pytest.mark.parametrize("body", APART)
def test_the_bound_is_tight_where_no_text_repeats_a_token(made, body):
    assert nats(made("rates"), Exact(APART), body) == pytest.approx(-log(APART[body]), abs=5e-3)


@pytest.mark.parametrize("body", [(A, A, B), (A,)])
def test_the_bound_holds_where_texts_repeat_tokens(made, body):
    assert nats(made("rates"), Exact(LAW), body) > -log(LAW[body]) - 1e-3


def test_claims_of_decoders_and_likelihoods(made):
    rates, joint = made("rates").family, made("joint").family
    laws = {name: worth.law for name, worth in rates.samples.items()}
    assert laws.pop("default") == "limit"
    assert {*laws.values()} == {"none"}
    assert {worth.law for worth in joint.samples.values()} == {"none"}
    assert (rates.claim.value, joint.claim.value) == ("bound", "none")

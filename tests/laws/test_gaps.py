"""Insertions on a clock: decoders against laws found by brute force."""

from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from laws.build import VOCAB, A, B
from laws.decoded import every
from laws.examples import MIXED
from laws.inserted import CLOCKED, RATES, Exact, bodies, exact, expected, reveal, run
from laws.memory import Made
from laws.stats import distance, samples_of


def stepped(law, state, t, s, limit):
    """The law of the state after a step in which each gap gets a token with its own chance.

    A state for whose tokens there is no room stays as it is.
    """
    counts = expected(law, state, t)
    choices = []
    for gap in counts:
        chance = min(1.0, gap.sum() * reveal(s, t))
        tokens = {x: chance * gap[x] / gap.sum() for x in (A, B) if gap[x]}
        choices.append({None: 1 - chance, **tokens})
    found = Counter()
    for outcome in product(*(choice.items() for choice in choices)):
        row = []
        for place, (token, _) in enumerate(outcome):
            row += [token] if token is not None else []
            row += [state[place]] if place < len(state) else []
        row = tuple(row) if len(row) <= limit else state
        found[row] += np.prod([p for _, p in outcome])
    return found


def decoded_law(law, steps, limit=8):
    """The law of what a grid of so many steps ends in."""
    now = {(): 1.0}
    for i in range(steps):
        later = Counter()
        for state, p in now.items():
            step = stepped(law, state, 1 - i / steps, 1 - (i + 1) / steps, limit)
            for after, q in step.items():
                later[after] += p * q
        now = {state: p for state, p in later.items() if p > 0}
    return now


def test_d27_more_steps_end_nearer_to_the_data():
    """The total variation falls like 1 / steps: that is what `limit` claims."""
    far = [distance(decoded_law(MIXED, steps), MIXED) for steps in (4, 16, 64)]
    assert far[0] > 3 * far[1] > 9 * far[2] > 0
    assert far[2] < 0.03


@every(CLOCKED)
@pytest.mark.parametrize("steps", [1, 4])
def test_d27_each_gap_gets_a_token_with_its_own_chance(package, steps):
    """One law of a gap's number and token, whether by a rate or by a share of the row's number."""
    decoded = run(package, exact(package, MIXED), "default", steps=steps)
    samples_of(Counter(bodies(decoded.x)), decoded_law(MIXED, steps))


@every(RATES)
def test_d16_no_gap_gets_a_token_in_a_row_without_room_for_all(package):
    law = {(A, B, A): 0.7, (B, B, A): 0.3}
    decoded = run(package, exact(package, law), "default", limit=2, steps=4)
    samples_of(Counter(bodies(decoded.x)), decoded_law(law, 4, limit=2))


@every(CLOCKED)
@pytest.mark.parametrize("steps", [3, 4])
def test_d27_a_quota_spreads_the_number_of_the_row(package, steps):
    """As many as are expected in all, over the steps left, rounded down; one a gap at most."""
    law = {(A, B, A, B, A, B): 0.5, (B, B, A, B, A): 0.5}
    heads = exact(package, law)
    decoded = run(package, heads, "paced", rows=60, steps=steps)
    for i, (old, new) in enumerate(zip(decoded.history, decoded.history[1:], strict=False)):
        for before, after in zip(bodies(old), bodies(new), strict=True):
            wanted = int(expected(law, before, 1 - i / steps).sum() / (steps - i) + 1e-6)
            assert len(after) - len(before) == min(wanted, len(before) + 1)
    assert {len(body) for body in bodies(decoded.x)} == {5, 6}


@every(RATES)
def test_d27_gaps_are_drawn_in_proportion_to_what_they_miss(package):
    heads = Exact({(A, B, B): 0.75, (A, A, B): 0.25})
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


@every(RATES)
@pytest.mark.parametrize("name", ["sure", "many"])
def test_d27_the_surest_gaps_get_a_token(package, name):
    """By confidence: where most of one token is expected."""
    heads = Exact({(A, B, A): 0.6, (B, B): 0.4})
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


def within(scores, bound):
    """The surest gaps whose errors add up to less than a bound, and at least the surest."""
    by_error = sorted((max(0.0, 1 - s), i) for i, s in enumerate(scores))
    return {
        i
        for n, (_, i) in enumerate(by_error)
        if not n or sum(e for e, _ in by_error[: n + 1]) < bound
    }


def factor(scores, bound):
    by_error = sorted((max(0.0, 1 - s), i) for i, s in enumerate(scores))
    return {i for n, (e, i) in enumerate(by_error, 1) if n == 1 or (n + 1) * e < bound}


def top(scores, number):
    return {*sorted(range(len(scores)), key=lambda i: -scores[i])[:number]}


def surely(scores):
    return {i for i, s in enumerate(scores) if s > 0.6}


SEVERAL = {
    "crowded": lambda scores: {i for i, s in enumerate(scores) if s > 1.1} or top(scores, 1),
    "near": lambda scores: within(scores, 0.9),
    "most": lambda scores: factor(scores, 1.9),
    "either": lambda scores: surely(scores) or top(scores, 2),
    "known": lambda scores: top(scores, int(0.2 + 2 * sum(scores))),
}


def grown(state, counts, gaps):
    """A state with the likeliest token in each of some gaps."""
    parts = [
        [A + int(counts[i, A:].argmax())] * (i in gaps) + [*state[i : i + 1]]
        for i in range(len(counts))
    ]
    return tuple(one for part in parts for one in part)


class Diverse(Exact):
    """A network whose numbers are drawn anew for each state, by a seed in place of a law."""

    @staticmethod
    def expects(seed, state, t):
        drawn = np.random.default_rng([seed, *state])
        found = np.zeros((len(state) + 1, VOCAB.size))
        found[:, A:] = drawn.exponential(0.4, (len(state) + 1, VOCAB.size - A))
        return found


def inserts_into(package, name, gaps, seeds=12):
    """Each step of a decoder inserts into those gaps that `gaps` takes, by what they miss."""
    for seed in range(seeds):
        heads = Diverse(seed, joint=package.spec.has("joint_cross_entropy"))
        decoded = run(package, heads, name, rows=1, limit=40, steps=4)
        rows = [row for one in decoded.history for row in bodies(one)]
        for before, after in pairwise(rows):
            counts = Diverse.expects(seed, before, None)
            assert after == grown(before, counts, gaps(counts))


@every(RATES)
@pytest.mark.parametrize("name", SEVERAL)
def test_d27_gaps_are_chosen_by_the_rules_of_masks(package, name):
    """The score of a gap is the number of its likeliest token that is missing."""
    inserts_into(package, name, lambda counts: SEVERAL[name](counts.max(1)))


@every(["gone_joint"])
def test_d27_a_joint_distribution_gives_shares_of_what_is_missing(package):
    inserts_into(package, "near", lambda counts: within(counts.max(1) / counts.sum(), 1.9))


class Ended(Diverse):
    """A network that is sure whether a text of three tokens or more has ended."""

    def trunk(self, x, attend):
        return super().trunk(x, attend, torch.tensor(1.0)) - torch.tensor([0, 1])  # cls is first

    def done(self, hidden):
        sizes = [len(state) for state, _ in self.known]
        return torch.tensor([100.0 if sizes[int(row)] > 2 else -100.0 for row, _ in hidden])


@every(["gone_ended"])
@pytest.mark.parametrize("name", ["several", "chances"])
def test_d27_a_row_that_a_head_ends_gets_no_more_tokens(package, name):
    gaps = SEVERAL["either"] if name == "several" else lambda scores: top(scores, 2)
    for seed in range(12):
        decoded = run(package, Ended(seed, joint=True), name, rows=1, limit=40)
        rows = [row for one in decoded.history for row in bodies(one)]
        assert len(rows[-1]) > 2
        for before, after in pairwise(rows):
            counts = Ended.expects(seed, before, None)
            shares = counts.max(1) / counts.sum()
            assert after == (before if len(before) > 2 else grown(before, counts, gaps(shares)))


def moves(decoded, steps):
    """Each step of each row: its time, the body before, and after it."""
    for i, (old, new) in enumerate(zip(decoded.history, decoded.history[1:], strict=False)):
        yield from ((1 - i / steps, *pair) for pair in zip(bodies(old), bodies(new), strict=True))


TEXTS = {(A, B, A, B): 0.5, (B, B, A): 0.3, (A, A): 0.2}


@every(RATES)
def test_d27_what_either_rule_takes_is_taken(package):
    """The amount of a chance reads the number and the likeliest token of its own gap."""
    decoded, came, laws = run(package, Exact(TEXTS), "joined", steps=5), {}, {}
    for t, before, after in moves(decoded, 5):
        came.setdefault((t, before), Counter())[after] += 1
    for (t, before), found in came.items():
        counts = expected(TEXTS, before, t)
        if found.total() < 300 or not counts.sum():
            continue
        chance = [1 if best > 0.6 else 0.4 * best for best in counts.max(1)]
        law = laws[before] = Counter()
        for some in product((0, 1), repeat=len(counts)):
            p = np.prod([c if one else 1 - c for c, one in zip(chance, some, strict=True)])
            law[grown(before, counts, {i for i, one in enumerate(some) if one})] += p
        samples_of(found, {row: p for row, p in law.items() if p})
    assert len(laws) > 2


@every(["gone_joint"])
@pytest.mark.parametrize("name", ["known", "spread"])
def test_d27_a_number_of_the_row_follows_from_the_answer(package, name):
    """All that are the likeliest of their gaps; or all, where no gap has got a token by chance."""
    decoded = run(package, exact(package, TEXTS), name, steps=5)
    found = [len(after) - 1 for t, before, after in moves(decoded, 5) if (t, before) == (0.8, (A,))]
    counts = expected(TEXTS, (A,), 0.8)
    law = Counter({min(2, int(0.2 + counts.max(1).sum())): 1.0})
    if name == "spread":
        left, right = counts.sum(1) / 8
        law = Counter({1: left + right - 2 * left * right, 2: left * right})
        law[min(2, int(counts.sum()))] += (1 - left) * (1 - right)
    assert len(found) > 200
    samples_of(Counter(found), law)


@every(RATES)
def test_d16_insertions_that_find_no_room_are_left_out(package):
    decoded = run(package, Exact(MIXED), "tied", rows=50, limit=5, steps=4)
    assert [{len(body) for body in bodies(one)} for one in decoded.history] == [
        {0},
        {1},
        {3},
        {5},
    ]


def test_claims_of_decoders_and_likelihoods_on_a_clock(workshop):
    rates, joint, pairs = (workshop.package(name).family for name in CLOCKED)
    for family in (rates, pairs):
        laws = {name: worth.law for name, worth in family.samples.items()}
        assert laws.pop("default") == "limit"
        assert {*laws.values()} == {"none"}
    assert {worth.law for worth in joint.samples.values()} == {"none"}
    assert [one.claim.value for one in (rates, joint, pairs)] == ["bound", "none", "bound"]


@every(["gone_joint"])
def test_chances_of_gaps_are_of_a_chunk_at_a_time(package, monkeypatch):
    """In float64 are the logits of 2 gaps here."""
    vocab = 50
    logits, open_ = torch.randn(30, vocab), torch.ones(3, 10, dtype=torch.bool)
    whole = package.gaps.shares(logits, open_)
    monkeypatch.setattr(package.sampling, "LOGITS", 2 * vocab)
    with Made(lambda one: len(one) * (one.dim() == 2 and one.shape[1] == vocab)) as on_the_way:
        parts = package.gaps.shares(logits, open_)
    assert torch.equal(parts, whole)
    assert on_the_way.largest == 2

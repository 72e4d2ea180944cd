"""Tokens that leave a row again and are inserted anew: the law of the states, and which leave."""

from collections import Counter
from itertools import combinations, pairwise, product, zip_longest

import numpy as np
import pytest
import torch
from laws.build import A, B
from laws.decoded import every
from laws.examples import MIXED, examples, network
from laws.inserted import Exact, alpha, bodies, exact, expected, reveal, run
from laws.scripted import draw
from laws.stats import follows, samples_of

ONE = {(A,): 0.6, (B,): 0.4}
STEPS = 4


def stepped(law, state, t, s, eta, limit):
    """The law of the state after a step: tokens leave and come, each with its own chance.

    Both are of the state before it; where not all that come have room in that, none comes.
    """
    back = min(eta, (1 - alpha(s)) / max(alpha(t), 1e-9))
    due = reveal(s, t) + back * alpha(t) / (1 - alpha(t))
    choices = []
    for place, gap in enumerate(expected(law, state, t)):
        chance = min(1.0, gap.sum() * due)
        tokens = {(x,): chance * gap[x] / gap.sum() for x in (A, B) if gap[x]}
        choices.append({(): 1 - chance, **tokens})
        if place < len(state):
            choices.append({(): back, (state[place],): 1 - back})
    found = Counter()
    for outcome in product(*(choice.items() for choice in choices)):
        come = sum(len(token) for token, _ in outcome[::2])
        kept = outcome if len(state) + come <= limit else outcome[1::2]
        row = tuple(x for token, _ in kept for x in token)
        found[row] += np.prod([p for _, p in outcome])
    return found


def decoded_laws(law, eta, limit, ends):
    """Yield the law after each step of the grid; ``ends``: a row that is full changes no more."""
    now = {(): 1.0}
    for i in range(STEPS):
        later = Counter()
        for state, p in now.items():
            step = {state: 1.0}
            if not (ends and len(state) == limit):
                step = stepped(law, state, 1 - i / STEPS, 1 - (i + 1) / STEPS, eta, limit)
            for after, q in step.items():
                later[after] += p * q
        now = {state: p for state, p in later.items() if p > 0}
        yield now


@every(["gone_again"])
@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_d43_the_marginals_are_those_of_the_noise(package, eta):
    """At every time of the grid the token is there with the chance alpha(t), whatever left."""
    decoded = run(package, exact(package, ONE), "default", rows=6000, eta=eta, steps=STEPS)
    for i, state in enumerate(decoded.history[: STEPS + 1]):
        there = alpha(1 - i / STEPS)
        law = {(): 1 - there, **{text: p * there for text, p in ONE.items()}}
        samples_of(Counter(bodies(state)), {text: p for text, p in law.items() if p})


@every(["gone_again"])
@pytest.mark.parametrize(
    ("name", "limit"), [("default", 8), ("full", 8), ("default", 1), ("full", 1)]
)
def test_d43_tokens_leave_and_come_each_with_its_own_chance(package, name, limit):
    """Also in rows that are full: a `stop` alone ends these."""
    decoded = run(package, exact(package, MIXED), name, 4000, limit, eta=0.3, steps=STEPS)
    laws = decoded_laws(MIXED, 0.3, limit, ends=name == "full")
    for state, law in zip(decoded.history[1:], laws, strict=False):
        samples_of(Counter(bodies(state)), law)


@every(["gone_again"])
def test_d43_without_deletions_it_is_the_decoder_that_inserts(package, workshop):
    """eta = 0: the same tokens at every step, and the same calls where full rows end."""
    plain = workshop.package("gone_rates")
    batch = plain.layout("text", 5)(examples("text"))
    net = network(package, "text")
    made = [
        sampler(net, batch, draw(batch, 3), 8, record=True)
        for sampler in (package.sampler("full", eta=0.0, steps=5), plain.sampler(steps=5))
    ]
    assert torch.equal(made[0].nfe, made[1].nfe)
    states = zip(made[0].history, made[1].history, strict=True)
    assert all(bodies(a) == bodies(b) for a, b in states)


@every(["gone_again"])
def test_d43_a_row_that_ends_loses_nothing(package):
    """The head ends a row before its step; it ends every row that holds two tokens, for good."""
    heads = exact(package, {(A, B, A): 1.0})
    heads.done = lambda hidden: torch.tensor(
        [9.0 if _length(heads, row) >= 2 else -9.0 for row in hidden[:, 0]]
    )
    decoded = run(package, heads, "done", eta=0.3, steps=8)
    seen = 0
    for old, new in pairwise(decoded.history):
        for before, after in zip(bodies(old), bodies(new), strict=True):
            assert len(before) < 2 or after == before
            seen += len(before) > len(after)
    assert seen > 20
    ended = [len(body) == 2 for body in bodies(decoded.history[6])]
    assert (decoded.nfe[torch.tensor(ended)] < 8).all()


def _length(heads, row):
    """The number of tokens of a state that was looked up."""
    return next(len(state) for (state, _), i in heads.known.items() if i == int(row))


@every(["gone_again"])
def test_d43_one_token_leaves_at_random(package):
    """Of two tokens either leaves as often, beside those that come."""
    decoded = run(package, Exact({(A, B): 1.0}), "careless", rows=6000, steps=3)
    left = Counter()
    for old, new in pairwise(decoded.history[:-1]):
        both = [after for before, after in zip(bodies(old), bodies(new), strict=True)
                if before == (A, B)]  # fmt: skip
        assert all(len(after) == 1 for after in both)
        left.update(both)
    follows([left[A,], left[B,]], [0.5, 0.5])


@every(["gone_again"])
@pytest.mark.parametrize("worst", [1, 2])
def test_d43_the_least_sure_tokens_leave(package, worst):
    """By the chance that each had when it was inserted, wherever it has moved since."""
    law = {(A, B, A, B, B, A): 0.6, (B, B, A, A, B): 0.25, (A, A, B, B): 0.15}
    heads = Exact(law)
    decoded = run(package, heads, "doubting", rows=200, worst=worst, steps=6)
    seen = 0
    for i in range(200):
        rated = [()]  # what a row may be: its tokens with the chances that they had
        states = [bodies(state[i : i + 1])[0] for state in decoded.history[:7]]
        for k, (before, after) in enumerate(pairwise(states)):
            gaps = expected(law, before, 1 - k / 6)
            later = {one for row in rated for one in _after(row, gaps, worst)}
            rated = [row for row in later if tuple(token for token, _ in row) == after]
            assert rated, (before, after)
            seen += len(before) > worst
    assert seen > 60


def _after(row, gaps, worst):
    """Yield what a row may be after a step in which the least sure tokens leave.

    Of tokens that were equally sure any may leave.
    """
    number = min(worst, len(row))
    least = sorted(chance for _, chance in row)[:number]
    chances = gaps / np.maximum(gaps.sum(1, keepdims=True), 1e-300)
    come = [[(), *(((x, round(one[x], 6)),) for x in (A, B) if one[x])] for one in chances]
    for gone in combinations(range(len(row)), number):
        if sorted(row[place][1] for place in gone) != least:
            continue
        kept = [[()] if place in gone else [(one,)] for place, one in enumerate(row)]
        for outcome in product(*(x for pair in zip_longest(come, kept) for x in pair if x)):
            yield tuple(one for token in outcome for one in token)


@every(["gone_again"])
def test_d43_where_tokens_leave_the_law_of_the_samples_is_another(package):
    """It is that of the likelihood, with many steps, where a param lets none leave."""
    samples = package.module.FAMILY.samples
    for name, param in (("default", "eta"), ("doubting", "worst")):
        assert (samples[name].law, samples[name].neutral) == ("limit", {param: 0})
    assert samples["careless"].law == "none"
    assert samples["careless"].why == "tokens leave the row and are inserted anew, several at once"

"""Guidance where tokens are appended or inserted: the laws of samples, by brute force."""

from dataclasses import replace
from functools import cache
from itertools import product
from math import exp

import numpy as np
import pytest
import torch
from laws.build import VOCAB, A, B
from laws.decoded import bodies, every, samplers
from laws.scripted import draw, repeat
from laws.stats import samples_of

from xlm_runtime.plug import Example

ROWS = 4_000
BOS, CLS, EOS, MASK = (VOCAB[name] for name in ("bos", "cls", "eos", "mask"))
SCALES = pytest.mark.parametrize("scale", [0.0, 0.5, 2.0])


@cache
def logits_of(ids, place):
    """The logits of A and B at a token of a row: any numbers, the same for the same row."""
    seed = [len(ids), place, *ids]
    return tuple(np.random.default_rng(seed).normal(0, 1.2, 2))


class Answers:
    """A network that answers `logits_of`; `causal`: of the row up to the token."""

    vocab = VOCAB

    def __init__(self, causal=False):
        self.causal, self.rows = causal, 0
        self.seen = []

    def trunk(self, xt, attend, told=None):
        seen = torch.ones_like(xt, dtype=torch.bool) if attend is None else attend.bool()
        rows, number = torch.where(seen, xt, -1).unique(dim=0, return_inverse=True)
        state = (number + len(self.seen))[:, None].expand_as(xt)
        self.seen += [tuple(x for x in row if x >= 0) for row in rows.tolist()]
        self.rows += len(xt)
        return torch.stack([state, seen.cumsum(1) - 1], -1)

    def extend(self, new, attend, past):
        """A cache of the ids themselves: of what was read before and what is new."""
        before = past[0][0] if past else new[:, :0]
        x = torch.cat([before, new], 1)
        return self.trunk(x, attend)[:, -new.shape[1] :], ((x, x),)

    def token(self, hidden):
        states, number = hidden.unique(dim=0, return_inverse=True)
        made = torch.full((len(states), VOCAB.size), -torch.inf, dtype=torch.float64)
        for i, (row, place) in enumerate(states.tolist()):
            ids = self.seen[row]
            ids = ids[: place + 1] if self.causal else ids
            made[i, [A, B]] = torch.tensor(logits_of(ids, place), dtype=torch.float64)
        return made[number]

    slot = token

    def gap(self, hidden):
        return torch.zeros(len(hidden), dtype=torch.float64)

    def done(self, hidden):
        return torch.full((len(hidden),), -40.0, dtype=torch.float64)


def law_of(pairs):
    """Return the law that goes as exp of some numbers."""
    total = sum(exp(value) for value in pairs.values())
    return {key: exp(value) / total for key, value in pairs.items()}


def steered(known, blind, scale):
    return [b + (scale + 1) * (k - b) for k, b in zip(known, blind, strict=True)]


def appended(front, without, length, scale):
    """The law of a body that is appended to, by all its prefixes."""
    law = {(): 1.0}
    for _ in range(length):
        longer = {}
        for body, p in law.items():
            rows = (*front, *body), (*without, *body)
            answers = [logits_of(row, len(row) - 1) for row in rows]
            nexts = law_of(dict(zip((A, B), steered(*answers, scale), strict=True)))
            longer |= {(*body, x): p * chance for x, chance in nexts.items()}
        law = longer
    return law


@samplers([("next_led", "default"), ("next_led", "kept")])
@SCALES
def test_d10_appended_tokens_follow_the_law_that_the_scale_says(package, name, scale):
    """At each step p(x | prompt, before)**(w + 1) / p(x | before)**w; calls are counted."""
    batch = repeat(package.layout("seq2seq", 2)([Example(0, (A, A), (A, B))]), ROWS)
    network = Answers(causal=True)
    made = package.sampler(name, w=scale)(network, batch, draw(batch, 3), 2)
    samples_of(bodies(made), appended((A, B, CLS, BOS), (CLS, BOS), 2, scale))
    assert network.rows == int(made.nfe.sum()) == ROWS * 2 * (2 if scale else 1)


@every(["next_begun"])
@SCALES
def test_a_beginning_can_be_what_an_answer_is_without(package, scale):
    given = (True, True, False, False)
    batch = repeat(package.layout("infill", 4)([Example(0, (A, B, A, A), (), given)]), ROWS)
    made = package.sampler("default", w=scale)(Answers(causal=True), batch, draw(batch, 4), 4)
    law = appended((BOS, A, B), (BOS,), 2, scale)
    samples_of(bodies(made), {(A, B, *body): p for body, p in law.items()})


def inserted(front, without, behind, length, scale):
    """The law of a body into which tokens are inserted, by all pairs of a gap and a token."""
    law = {(): 1.0}
    for _ in range(length):
        longer = {}
        for body, p in law.items():
            pairs = {}
            for gap in range(len(body) + 1):
                rows = [(one, len(one) - 1 + gap) for one in (front, without)]
                answers = [logits_of((*one, *body, *behind), place) for one, place in rows]
                for x, value in zip((A, B), steered(*answers, scale), strict=True):
                    pairs[gap, x] = value
            for (gap, x), chance in law_of(pairs).items():
                row = (*body[:gap], x, *body[gap:])
                longer[row] = longer.get(row, 0.0) + p * chance
        law = longer
    return law


@samplers([("gone_led", "default"), ("gone_led", "staged")])
@SCALES
def test_d10_the_joint_law_of_gaps_and_tokens_is_guided(package, name, scale):
    """In one draw, and in two: a gap, then a token for it."""
    batch = repeat(package.layout("seq2seq", 2)([Example(0, (A, A), (A, B))]), ROWS)
    network = Answers()
    made = package.sampler(name, w=scale)(network, batch, draw(batch, 3), 2)
    samples_of(bodies(made), inserted((CLS, A, B, BOS), (CLS, BOS), (EOS,), 2, scale))
    assert network.rows == int(made.nfe.sum()) == ROWS * 2 * (2 if scale else 1)


def hidden(batch):
    """A batch with masks for its free tokens."""
    return replace(batch, x0=batch.x0.masked_fill(batch.free, MASK))


@every(["both_led"])
@SCALES
def test_d10_tokens_of_two_clocks_are_guided(package, scale):
    """Tokens of masks; the prompt of the second row, all before the brackets, is masks."""
    batch = hidden(package.layout("seq2seq", 2)([Example(0, (A, A), (A, B))]))
    batch = repeat(batch, ROWS)
    network = Answers()
    made = package.sampler("default", w=scale, steps=1)(network, batch, draw(batch, 3), 2)
    rows = (A, B, BOS, MASK, MASK, EOS), (MASK, MASK, MASK, MASK, MASK, EOS)
    expected = {}
    laws = []
    for place in (3, 4):
        answers = [logits_of(row, place) for row in rows]
        laws.append(law_of(dict(zip((A, B), steered(*answers, scale), strict=True))))
    for pair in product((A, B), repeat=2):
        expected[pair] = laws[0][pair[0]] * laws[1][pair[1]]
    samples_of(bodies(made), expected)
    assert network.rows == int(made.nfe.sum()) == ROWS * (2 if scale else 1)


@every(["both_led"])
def test_a_prompt_ends_before_brackets_that_are_empty(package):
    """A token behind the brackets is no prompt, when none is in them yet."""
    batch = package.layout("seq2seq", 2)([Example(0, (A,), (A, B))])
    network = Answers()
    canvas = package.canvas.Canvas.of(network, batch, 2).remove(batch.free)
    assert canvas.x.tolist() == [[A, B, BOS, EOS]]
    assert package.guidance.prompt(canvas).tolist() == [[True, True, True, False]]


@samplers([("next_led", "default"), ("next_led", "kept"), ("gone_led", "default"),
           ("both_led", "default")])  # fmt: skip
def test_d10_rows_without_a_prompt_are_not_led(package, name):
    """Both answers are the same then, whatever the scale."""
    batch = package.layout("text", 3)([Example(0, (A, B, A))])
    batch = repeat(hidden(batch) if package.spec.two else batch, 20)
    made = [
        package.sampler(name, w=scale)(Answers(), batch, draw(batch, 8), 3) for scale in (0.0, 3.0)
    ]
    assert len(bodies(made[0])) > 1
    assert torch.equal(made[0].x, made[1].x)
    assert torch.equal(2 * made[0].nfe, made[1].nfe)

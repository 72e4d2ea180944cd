"""Drafts that are copies of the text with mistakes, or that rows bring, against brute force."""

from collections import Counter
from dataclasses import replace
from math import exp, log

import pytest
import torch
from laws.build import VOCAB, A, B, C
from laws.decoded import every
from laws.drafted import Exact, bound, copies, decoded_law, states
from laws.edited import ROWS, Wide, body, left_of, made_whole, nelbo, noised_at
from laws.examples import layouts, one, tokens
from laws.scripted import draw, pick, repeat
from laws.stats import mean_is, samples_of

from xlm_runtime.plug import Example

RATE = 0.6  # of edit_copy
PAIRS = {((A, B), (B,)): 0.3, ((B,), (B,)): 0.3, ((A, A), (B,)): 0.2, ((), (B,)): 0.2}


def drafts(batch, package):
    found = package.noise.draft(batch, draw(batch, 3), VOCAB)
    width = batch.x0.shape[1]
    return [
        tuple((int(x), int(at)) for x, at in zip(ids, gap, strict=True) if at < width)
        for ids, gap in zip(found.token, found.gap, strict=True)
    ]


def brought(package, text, draft, layout="text", **more):
    return package.layout(layout, 6)([Example(0, text, draft=draft, **more)])


@every(["edit_copy"])
@pytest.mark.parametrize("text", [(A, B), (C,), ()])
def test_c10_copies_have_their_law(package, text):
    batch = repeat(one(package, text), ROWS)
    seen = Counter(tuple(x for x, _ in row) for row in drafts(batch, package))
    samples_of(seen, copies(text, RATE))


@every(["edit_copy"])
def test_c10_given_tokens_are_not_copied_and_mistakes_stay_between_them(package):
    some = Example(0, (A, B, C), (), (False, True, False))
    batch = repeat(package.layout("infill", 5)([some]), ROWS)
    law = Counter()
    for left, p in copies((A,), RATE).items():
        for right, q in copies((C,), RATE).items():
            law[(*((x, 0) for x in left), *((x, 2) for x in right))] += p * q
    samples_of(Counter(drafts(batch, package)), law)


@every(["edit_rate"])
@pytest.mark.parametrize("t", [0.3, 1.0])
def test_c10_without_mistakes_the_draft_is_the_text_and_the_loss_the_sum_of_rates(package, t):
    clock = package.schedule.Clock()
    for _, _, batch in layouts(package):
        time = torch.full((len(batch.x0),), t, dtype=torch.float64)
        noised = package.noise.corrupt(batch, time, draw(batch, 3), VOCAB, clock)
        assert [tokens(row) for row in noised.xt] == [tokens(row) for row in batch.x0]
        edited = (noised.gone, noised.extra, noised.changed)
        assert not any(one.any() for one in edited)
        found = package.family.loss(Wide(), noised, batch)
        places = noised.open.sum() + 2 * noised.free.sum()  # each at the rate 1
        assert float(found.total) == pytest.approx(0.999 / t * float(places) / len(batch.x0))
        assert float(found.terms["new"]) == float(found.terms["right"]) == 0


@every(["edit_copy"])
def test_c10_states_and_edits_of_copies_have_their_law(package):
    text, t = (A, B), 0.5
    batch = repeat(one(package, text), ROWS)
    noised = noised_at(package, batch, t)
    law = Counter()
    for chance, _, state, left in states({text: 1.0}, copies(text, RATE), t):
        law[state, left] += chance
    seen = Counter((body(noised.xt[i].tolist()), left_of(noised, batch, i)) for i in range(ROWS))
    samples_of(seen, law)


@every(["edit_copy"])
@pytest.mark.parametrize("layout", ["text", "seq2seq", "infill"])
def test_c10_a_row_that_brings_a_draft_becomes_it(package, layout):
    """Between the tokens that are given; beside rows of other lengths, and as it does alone."""
    given, kept = {}, {}
    if layout == "infill":
        given, kept = {"given": (False, True, False)}, {"kept": (True, False, False, False)}
    some = [
        Example(5, (A, B, C), (), draft=(B, A, A, C), **given, **kept),
        Example(8, (B, C, A), (C, B) if layout == "seq2seq" else (), draft=(C,), **given,
                **({"kept": (True,)} if kept else {})),
    ]  # fmt: skip
    make = package.layout(layout, 6)
    batch = make(some)
    for row, example in enumerate(some):
        blank = replace(example, body=example.draft, given=example.kept)
        assert tokens(noised_at(package, batch, 1.0).xt[row]) == tokens(make([blank]).x0[0])
        halfway = noised_at(package, batch, 0.6)
        assert made_whole(halfway, batch, row) == tokens(batch.x0[row])
        alone = noised_at(package, make([example]), 0.6)
        assert tokens(alone.xt[0]) == tokens(halfway.xt[row])
        assert tokens(noised_at(package, pick(batch, [row]), 0.6).xt[0]) == tokens(alone.xt[0])


@every(["edit_copy"])
def test_c10_drafts_that_lack_a_given_token_are_refused(package):
    lacking = Example(3, (A, B), (), (True, False), draft=(B, B))
    with pytest.raises(ValueError, match="the draft of example 3 has 0 of the 1 given tokens"):
        package.layout("infill", 5)([lacking])
    with pytest.raises(ValueError, match="example 4 brings no draft, and others here do"):
        package.layout("text", 5)([Example(3, (A,), draft=(B,)), Example(4, (A,))])


def given_draft(draft):
    """The law of texts given a draft, by a joint law."""
    found = {text: p for (text, d), p in PAIRS.items() if d == draft}
    return {text: p / sum(found.values()) for text, p in found.items()}


@every(["edit_copy"])
@pytest.mark.parametrize("tilt", [pytest.param(0.0, marks=pytest.mark.slow), 0.5])
def test_l17_the_likelihood_given_a_draft_is_its_bound(package, tilt):
    law, total = given_draft((B,)), 0.0
    net = Exact(law, {(B,): 1.0}, tilt)
    for text, p in law.items():
        known = bound(net, text, 24)
        batch = repeat(brought(package, text, (B,)), 3000)
        mean_is(nelbo(package, net, batch), known)
        assert tilt or known > -log(p) - 1e-3
        total += exp(-known)
    assert total < 1 + 1e-3
    assert "draft" in package.layout("text", 5).given


@every(["edit_copy"])
def test_d19_decoding_starts_from_the_draft_of_a_row(package):
    law, draft = given_draft((B,)), {(B,): 1.0}
    batch = repeat(brought(package, (B,), (B,)), 3000)
    decoder = package.sampler("default", steps=3)
    decoded = decoder(Exact(law, draft), batch, draw(batch, 5), 12, True)
    assert (decoded.history[0] == batch.x0).all()
    samples_of(Counter(map(body, decoded.x.tolist())), decoded_law(law, draft, 3))


@every(["edit_copy"])
def test_d16_a_row_has_room_for_a_draft_beside_a_text(package):
    class Growing(Wide):
        def surplus(self, hidden):
            return torch.zeros(len(hidden))

        def missing(self, hidden):
            return torch.full((len(hidden),), 5.0)

    batch = repeat(brought(package, (A,), (A,)), 200)
    decoded = package.sampler("default", steps=30)(Growing(), batch, draw(batch, 5), 4, True)
    sizes = [int((state >= A).sum(1).max()) for state in decoded.history[:-1]]
    assert max(sizes) == 8
    assert int(decoded.body.sum(1).max()) == 4

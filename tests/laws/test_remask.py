"""Tokens that become masks again: the law of the states, and which tokens come back."""

import itertools
from math import comb

import pytest
import torch
from laws.build import VOCAB, A
from laws.decoded import (
    APART,
    LIMIT,
    bodies,
    every,
    filled,
    grown,
    mask_table,
    samplers,
    takes_back,
)
from laws.examples import MIXED, examples, network, strings, tokens
from laws.flow import chances
from laws.scripted import draw
from laws.stats import follows, samples_of

BACK = [("remdm", "default"), ("mask_back", "default")]
MASK = VOCAB["mask"]


@samplers(BACK)
@pytest.mark.parametrize("eta", [0.0, 0.2, 1.0])
def test_d9_the_marginals_are_those_of_the_noise(package, name, eta):
    """At every time of the grid the masks are binomial with 1 - alpha(t), whatever comes back."""
    steps = 4
    table = mask_table(package, APART)
    _, decoded = filled(
        package, table, package.sampler(name, eta=eta, steps=steps), 2, rows=6000, record=True
    )
    for i, state in enumerate(decoded.history[: steps + 1]):
        p = 1 - package.spec.alpha(1 - i / steps)
        law = [comb(2, k) * p**k * (1 - p) ** (2 - k) for k in range(3)]
        counts = torch.bincount((state == MASK).sum(1), minlength=3).tolist()
        follows(counts, law)
    samples_of(bodies(decoded), APART)


@samplers(BACK)
def test_d9_a_token_comes_back_with_its_chance(package, name):
    """min(eta, (1 - alpha(s)) / alpha(t)) of the tokens are masks after the step; at 0 none."""
    steps, eta = 4, 0.3
    table = mask_table(package, APART)
    _, decoded = filled(
        package, table, package.sampler(name, eta=eta, steps=steps), 2, rows=6000, record=True
    )
    alpha = package.spec.alpha
    for i, (before, after) in enumerate(itertools.pairwise(decoded.history[: steps + 1])):
        t, s = 1 - i / steps, 1 - (i + 1) / steps
        written = (before != MASK)[:, 1:3]
        if not written.any():
            continue
        back = min(eta, (1 - alpha(s)) / alpha(t))
        gone = int(((after == MASK)[:, 1:3] & written).sum())
        total = int(written.sum())
        follows([gone, total - gone], [back, 1 - back])


def test_d9_without_remasking_it_is_the_decoder_of_the_parent(workshop):
    """eta = 0: the same tokens at every step, and the same calls (atlas 3.6)."""
    remdm, mdlm = workshop.package("remdm"), workshop.package("mdlm")
    for layout in ("text", "seq2seq", "infill"):
        batch = mdlm.layout(layout, 5)(examples(layout))
        net = network(mdlm, layout)
        made = [
            sampler(net, batch, draw(batch, 3), LIMIT, record=True)
            for sampler in (remdm.sampler(eta=0.0, steps=5), mdlm.sampler(steps=5))
        ]
        assert torch.equal(made[0].x, made[1].x)
        assert torch.equal(made[0].nfe, made[1].nfe)
        states = zip(made[0].history[:6], made[1].history, strict=True)
        assert all(torch.equal(*pair) for pair in states)


@samplers([("mask_back", "doubting"), ("mask_back", "revised"), ("mask_blocks", "doubting")])
@pytest.mark.parametrize("worst", [1, 2])
def test_d9_the_least_sure_tokens_come_back(package, name, worst):
    """By the chance that each had when it was drawn; tokens of the same step stay."""
    params = {"worst": worst} if package.spec.has("worst") and name == "doubting" else {}
    number = params.get("worst", 1)
    table = mask_table(package, strings(3))
    params["steps"] = 5
    _, decoded = filled(package, table, package.sampler(name, **params), 3, rows=150, record=True)
    seen = 0
    for i in range(150):
        sure = {}
        states = [state[i] for state in decoded.history]
        for before, after in itertools.pairwise(states[:6]):
            hidden = table.trunk(before[None], None)[0]
            chances = torch.softmax(table.token(hidden).detach(), -1)
            again = {p for p in sure if after[p] == MASK}
            if sure:
                assert len(again) == min(number, len(sure))
                least = max(sure[p] for p in again)
                assert all(least <= sure[p] + 1e-6 for p in sure if p not in again)
                seen += 1
            sure = {p: c for p, c in sure.items() if p not in again}
            for p in (1, 2, 3):
                if before[p] == MASK and after[p] != MASK:
                    sure[p] = float(chances[p, after[p]])
    assert seen > 150


@every(["mask_back"])
def test_d9_tokens_come_back_at_random(package):
    """Of two tokens drawn either is masked again as often."""
    table = mask_table(package, APART)
    sampler = package.sampler("careless", steps=3)
    _, decoded = filled(package, table, sampler, 2, rows=6000, record=True)
    before, after = decoded.history[1:3]
    both = (before[:, 1:3] != MASK).all(1)
    again = (after[both][:, 1:3] == MASK).long()
    assert (again.sum(1) == 1).all()
    follows([int(again[:, 0].sum()), int(again[:, 1].sum())], [0.5, 0.5])


@samplers(
    [
        *BACK,
        *(("mask_back", "doubting"), ("mask_blocks", "doubting")),
    ]
)
@pytest.mark.parametrize("layout", ["seq2seq", "infill"])
def test_d14_what_is_given_never_becomes_a_mask(package, name, layout):
    assert takes_back(package.spec, name)
    batch = package.layout(layout, 5)(examples(layout))
    net = network(package, layout)
    back = 0
    for seed in range(6):
        decoded = package.sampler(name)(net, batch, draw(batch, seed), LIMIT, record=True)
        for before, after in itertools.pairwise(decoded.history):
            back += int(((before != MASK) & (after == MASK)).sum())
            assert torch.equal(after[~batch.free], batch.x0[~batch.free])
        assert not (decoded.x == MASK).any()
    assert back


def finishes(package, name="default"):
    """Whether a decoder has a last step of its own."""
    return type(package.sampler(name)).finish is not package.canvas.Decoding.finish


def test_a_finish_is_there_if_the_last_step_may_leave_masks(workshop):
    """If nothing comes back at s = 0 and every mask is revealed, none is left to finish."""
    for package in (workshop.package("remdm"), workshop.package("mask_back")):
        assert not finishes(package)
        for layout in ("text", "seq2seq", "infill"):
            batch = package.layout(layout, 5)(examples(layout))
            net = network(package, layout)
            for eta, steps in itertools.product((0.0, 0.5, 1.0), (1, 2, 7)):
                sampler = package.sampler(eta=eta, steps=steps)
                decoded = sampler(net, batch, draw(batch, 3), LIMIT, record=True)
                assert len(decoded.history) == steps + 1
                assert not (decoded.x == MASK).any()
    for name in ("doubting", "careless", "revised"):
        assert finishes(workshop.package("mask_back"), name), name


# Two clocks: rows grow as well


@every(["both_back"])
@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_d9_the_marginals_of_two_clocks_are_those_of_the_noise(package, eta):
    """As many masks come back as tokens were masked: both are as many as the noise leaves."""
    steps = 24
    _, decoded = grown(package, "default", strings(2), 2_000, steps=steps, eta=eta)
    for i in (8, 14, 20):
        clean, masked, _ = chances(package.spec, 1 - i / steps)
        state = decoded.history[i]
        assert float((state == MASK).sum(1).double().mean()) == pytest.approx(2 * masked, abs=0.12)
        assert float((state >= A).sum(1).double().mean()) == pytest.approx(2 * clean, abs=0.12)


@every(["both_back"])
def test_d9_two_clocks_without_remasking_are_the_plain_decoder(package):
    """eta = 0: the same tokens at every step, and the same calls but for rows that are done."""
    _, plain = grown(package, "plain", MIXED, 300, steps=5)
    _, found = grown(package, "default", MIXED, 300, steps=5, eta=0.0)
    assert bodies(found) == bodies(plain)
    assert all(
        [*map(tokens, a)] == [*map(tokens, b)]
        for a, b in zip(found.history, plain.history, strict=True)
    )


HIDDEN = (MASK, MASK, MASK)


@every(["both_back"])
@pytest.mark.parametrize("worst", [1, 2])
def test_d9_the_least_sure_tokens_of_two_clocks_come_back(package, worst):
    """In a row without room every token keeps its place."""
    steps, seen = 6, 0
    flow, decoded = grown(
        package, "doubting", strings(3), 150, HIDDEN, limit=3, steps=steps, worst=worst
    )
    for i in range(150):
        sure = {}
        states = [state[i].tolist() for state in decoded.history[: steps + 1]]
        for step, (before, after) in enumerate(itertools.pairwise(states)):
            law, _ = flow.heads(tuple(before[1:4]), 1 - step / steps)
            again = {p for p in sure if after[p] == MASK}
            assert len(again) == min(worst, len(sure))
            if again:
                assert all(max(sure[p] for p in again) <= sure[p] + 1e-9 for p in {*sure} - again)
                seen += 1
            sure = {p: c for p, c in sure.items() if p not in again}
            new = [p for p in (1, 2, 3) if before[p] == MASK and after[p] != MASK]
            sure |= {p: float(law[p - 1, after[p]]) for p in new}
    assert seen > 150


@every(["both_back"])
def test_d9_a_tenth_of_the_tokens_of_two_clocks_comes_back(package):
    _, decoded = grown(package, "careless", strings(3), 3_000, HIDDEN, limit=3, steps=6)
    back = kept = 0
    for before, after in itertools.pairwise(decoded.history[:7]):
        written = (before != MASK)[:, 1:4]
        again = int(((after == MASK)[:, 1:4] & written).sum())
        back, kept = back + again, kept + int(written.sum()) - again
    follows([back, kept], [0.1, 0.9])


@every(["both_back"])
def test_d9_a_token_of_two_clocks_comes_back_with_its_chance(package):
    """eta * min(1, s / t * masked(t) / clean(t)): 0 in the last step."""
    steps, eta = 6, 0.5
    _, decoded = grown(package, "default", strings(3), 3_000, HIDDEN, limit=3, steps=steps, eta=eta)
    for i, (before, after) in enumerate(itertools.pairwise(decoded.history[: steps + 1])):
        written = (before != MASK)[:, 1:4]
        again, number = int(((after == MASK)[:, 1:4] & written).sum()), int(written.sum())
        t, s = 1 - i / steps, 1 - (i + 1) / steps
        clean, masked, _ = chances(package.spec, t)
        chance = eta * min(1.0, s / t * masked / clean) if number else 0.0
        follows([again, number - again], [chance, 1 - chance])


@every(["both_back"])
def test_a_confidence_moves_with_its_token(package):
    """Through every edit that moves tokens; a token that comes anew has none."""
    batch = package.layout("infill", 8)(examples("infill"))
    sampler = package.sampler("doubting")
    canvas = sampler.canvas.of(network(package, "infill"), batch, 12)
    x = torch.arange(canvas.x.numel()).view_as(canvas.x) + 20  # every token is another one
    rating = package.rating
    canvas = canvas.write(canvas.seen, x[canvas.seen])
    canvas = rating.rated(canvas, canvas.seen, x[canvas.seen])

    def as_one(state):
        old = state.seen & (state.x >= 20)
        assert old.any()
        assert torch.equal(rating.sureness(state)[old], state.x[old].double())
        assert not rating.sureness(state)[~old].any()

    longer = canvas.insert(canvas.open * (canvas.x % 3), MASK)
    assert (longer.x == MASK).any()
    for state in (longer, canvas.remove(canvas.free), longer.select(torch.tensor([1, 0]))):
        as_one(state)


@samplers([("both_back", "default"), ("both_back", "doubting")])
@pytest.mark.parametrize("layout", ["seq2seq", "infill"])
def test_d14_what_is_given_stays_in_rows_that_grow(package, name, layout):
    """In its order; other tokens become masks in their places or stay."""
    batch = package.layout(layout, 5)(examples(layout))
    net, back = network(package, layout), 0
    for seed in range(3):
        decoded = package.sampler(name)(net, batch, draw(batch, seed), LIMIT, record=True)
        for i, fixed in enumerate(~batch.free & (batch.x0 != VOCAB["pad"])):
            given = batch.x0[i][fixed].tolist()
            rows = [tokens(state[i]) for state in decoded.history]
            for before, after in itertools.pairwise(rows):
                left = iter(after)
                assert all(x in left for x in given)
                back += sum(x != MASK for x in before) > sum(x != MASK for x in after)
        assert not (decoded.x == MASK).any()
    assert back


@every(["both_back"])
def test_no_more_is_claimed_than_two_clocks_keep(package):
    """Unless a param switches it off, remasking has a law of its own, as has waiting."""
    samples = package.family.samples
    laws = {name: one.law for name, one in samples.items()}
    limits = {name for name, law in laws.items() if law == "limit"}
    assert limits == {"default", "plain", "one_by_one", "doubting"}
    assert {laws[name] for name in {*laws} - limits} == {"none"}
    assert samples["default"].neutral == {"eta": 0}
    assert samples["doubting"].neutral == {"worst": 0}
    assert "wait" in samples["windowed"].why
    assert "masked again" in samples["careless"].why

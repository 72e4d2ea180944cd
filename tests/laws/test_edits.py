"""Decoders of drafts: steps that edit every place, against brute force, and what stays."""

from collections import Counter
from itertools import product
from math import exp

import torch
from laws.build import VOCAB, A, B, C
from laws.decoded import every
from laws.drafted import MASK, decoded_law
from laws.edited import ALL, TWO, Wide, body, drafts_of, heads
from laws.examples import layouts, one, tokens
from laws.scripted import draw, repeat
from laws.stats import distance, samples_of

TEXTS = {(A, B): 0.4, (B,): 0.3, (A,): 0.2, (): 0.1}


@every(ALL)
def test_d19_a_grid_of_steps_samples_by_the_rates(package):
    batch = repeat(one(package, (A,)), 3000)
    decoder = package.sampler("default", steps=3)
    decoded = decoder(heads(package, TEXTS), batch, draw(batch, 5), 12, True)
    samples_of(Counter(map(body, decoded.x.tolist())), decoded_law(TEXTS, drafts_of(package), 3))
    samples_of(Counter(map(body, decoded.history[0].tolist())), drafts_of(package))


@every(ALL)
def test_d19_more_steps_end_nearer_to_the_data(package):
    drafts = drafts_of(package)
    far = [distance(decoded_law(TEXTS, drafts, steps), TEXTS) for steps in (4, 16, 64)]
    assert far[0] > 2.5 * far[1] > 6 * far[2] > 0
    assert far[2] < 0.04


@every(TWO)
def test_d14_given_tokens_stay_and_closed_gaps_stay_closed(package):
    for _, _, batch in layouts(package):
        net = Wide()
        decoded = package.sampler("default", steps=5)(net, batch, draw(batch, 5), 9, True)
        fixed = (~batch.free) if batch.attend is None else batch.attend.bool() & ~batch.free
        for row in range(len(batch.x0)):
            ids = [int(x) for x in batch.x0[row][fixed[row]]]
            for state in decoded.history:
                found = iter(tokens(state[row]))
                assert all(x in found for x in ids)
            lead = int((~batch.inside[row] & fixed[row]).sum())
            assert tokens(decoded.x[row])[:lead] == ids[:lead]
            inside = decoded.x[row][decoded.body[row]].tolist()
            assert all(x >= A or x == MASK for x in inside)


@every(TWO)
def test_d19_of_two_edits_of_a_token_one_comes_in_proportion(package):
    one_, other = torch.full((1, 40_000), 0.6).double(), torch.full((1, 40_000), 0.3).double()
    noise = draw(repeat(one(package, (A,)), 1), 5)
    u, everywhere = noise.uniform("edit", 40_000), torch.ones(1, 40_000, dtype=torch.bool)
    gone, changed = package.editing.either(one_, other, u, everywhere)
    assert not (gone & changed).any()
    hit = 1 - exp(-0.9)
    seen = {"gone": int(gone.sum()), "changed": int(changed.sum())}
    seen["none"] = 40_000 - sum(seen.values())
    samples_of(seen, {"gone": hit * 2 / 3, "changed": hit / 3, "none": 1 - hit})


@every(["edit_random"])
def test_d19_all_edits_of_a_step_are_of_the_same_row(package):
    """Every set of deletions with every set of insertions, of one row."""
    body_, choices = (A, B, C), list(product((False, True), repeat=7))
    batch = repeat(one(package, body_), len(choices))
    canvas = package.canvas.Canvas.of(Wide(), batch, 9)
    gaps = torch.tensor([choice[:4] for choice in choices])
    gone = torch.tensor([(False, *choice[4:]) for choice in choices])
    token = torch.arange(int(gaps.sum())) % 3 + A
    made = package.editing.edited(canvas, gone, gaps, token)
    new = iter(token.tolist())
    for row, choice in enumerate(choices):
        known = []
        for place, old in enumerate((VOCAB["bos"], *body_)):
            known += [] if gone[row, place] else [old]
            known += [next(new)] if choice[place] else []
        assert tokens(made.x[row]) == known


@every(TWO)
def test_d16_a_row_has_room_for_its_draft_beside_the_text(package):
    class Growing(Wide):
        def surplus(self, hidden):
            return torch.zeros(len(hidden))

        def missing(self, hidden):
            return torch.full((len(hidden),), 5.0)

    batch = repeat(one(package, (A,)), 200)
    size = len(next(iter(drafts_of(package))))
    decoded = package.sampler("default", steps=30)(Growing(), batch, draw(batch, 5), 4, True)
    sizes = [int((state >= A).sum(1).max()) for state in decoded.history[:-1]]
    assert max(sizes) == 4 + size
    assert int(decoded.body.sum(1).max()) == 4


@every(TWO)
def test_d16_a_full_row_goes_on_when_tokens_have_left_it(package):
    """No gap closes for ever: a token may leave a full row, and another one come."""

    class Turning(Wide):
        def wrong(self, hidden):
            return torch.zeros(len(hidden))

    batch = repeat(one(package, (A,)), 100)
    decoded = package.sampler("default", steps=40)(Turning(), batch, draw(batch, 5), 1, True)
    sizes = torch.stack([(state >= A).sum(1) for state in decoded.history[5:]])
    grown = (sizes.diff(dim=0) > 0).sum()
    assert int(grown) > 100

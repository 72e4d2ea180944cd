"""Rows that end where their text holds a string that a run names."""

from dataclasses import replace
from math import inf

import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B, C
from laws.decoded import FILLING, LIMIT, cases, every, samplers
from laws.examples import layouts, network
from laws.scripted import Scripted, draw, repeat

from xlm_runtime.plug import Ended, Example

MASK = VOCAB["mask"]
APPENDED = [("next_both", "ended")]
INSERTED = [("gone_t", "staged"), ("both_square", "single")]


def of_two(ids, known):
    """Return whether a text holds B B behind what is given."""
    return any(ids[i : i + 2] == [B, B] for i in range(known, len(ids) - 1))


OF_TWO = Ended(of_two, 2)
ENDS = Ended(lambda ids, known: B in ids[known:], 1)
NEVER = Ended(lambda *_: False, 1)


@samplers(APPENDED)
def test_d32_a_text_that_is_appended_to_is_the_beginning_of_the_whole_one(package, name):
    """Up to the string that ends it, and with one call for each token of it."""
    shorter = 0
    for layout, _, batch in layouts(package):
        net = network(package, layout)
        whole = package.sampler(name)(net, batch, draw(batch, 6), LIMIT)
        cut = package.sampler(name, ended=ENDS)(net, batch, draw(batch, 6), LIMIT)
        for i in range(len(cut.x)):
            made, full = (one.x[i][one.body[i]].tolist() for one in (cut, whole))
            given = int((batch.inside & ~batch.free)[i].sum())
            end = full.index(B, given) + 1 if B in full[given:] else len(full)
            assert made == full[:end], layout
            assert int(cut.nfe[i]) == int(whole.nfe[i]) - (len(full) - end)
            shorter += end < len(full)
        none = package.sampler(name, ended=NEVER)(net, batch, draw(batch, 6), LIMIT)
        assert torch.equal(none.x, whole.x)
    assert shorter


@samplers(APPENDED)
def test_the_last_tokens_of_a_text_alone_are_read_until_they_end_it(package, name):
    """As many as a string can be in; the whole text decides, and rows end at the same step."""
    read = []

    def counted(ids, known):
        read.append(len(ids))
        return of_two(ids, known)

    for layout, _, batch in layouts(package):
        net = network(package, layout)
        whole, part = (
            package.sampler(name, ended=Ended(counted, reach))(net, batch, draw(batch, 6), LIMIT)
            for reach in (10**6, 2)
        )
        assert torch.equal(whole.x, part.x)
        assert torch.equal(whole.nfe, part.nfe)
    read.clear()
    package.sampler(name, ended=Ended(lambda ids, _: bool(read.append(len(ids))), 2))(
        net, batch, draw(batch, 6), LIMIT
    )
    assert max(read) == 2


@samplers([("mask_shifted", "default"), *INSERTED])
def test_a_text_is_read_again_only_if_tokens_came_into_it(package, name):
    """A text that is cut off at its end is read in one copy, however many rows there are."""
    batch = repeat(package.layout("text")([Example(0, (A, B, A))]), 40)
    seen = []
    never = Ended(lambda *text: bool(seen.append(text)), 1)
    made = package.sampler(name, ended=never)(Guess(), batch, draw(batch, 9), LIMIT, record=True)
    states = list(zip(made.history, made.history[1:], strict=False))
    changed = sum(
        [i for i in a.tolist() if i] != [i for i in b.tolist() if i]
        for before, after in states
        for a, b in zip(before, after, strict=True)
    )
    assert seen
    assert len(seen) <= changed * (3 if name != "default" else 1)


class Guess:
    """A network that knows nothing: each letter is as likely, and two are missing in each gap."""

    vocab = VOCAB

    def trunk(self, xt, attend, told=None):
        return torch.zeros(*xt.shape, 1)

    def token(self, hidden):
        logits = torch.full((len(hidden), VOCAB.size), -inf)
        logits[:, [A, B, C]] = 0.0
        return logits

    slot = token

    def gap(self, hidden):
        return torch.full((len(hidden),), 2.0)

    def done(self, hidden):
        return torch.full((len(hidden),), -1.0)


@samplers(INSERTED)
@pytest.mark.parametrize(("ended", "size"), [(ENDS, 1), (OF_TWO, 2)])
def test_d32_nothing_comes_into_a_string_that_ends_a_text_nor_behind_it(package, name, ended, size):
    """From the step at which it is there it is the last of the text, which grows before it."""
    batch = repeat(package.layout("seq2seq")([Example(0, (), (A, B))]), 60)
    sampler = package.sampler(name, ended=ended)
    made = sampler(Guess(), batch, draw(batch, 9), LIMIT, record=True)
    fixed = batch.x0[0].tolist()
    before = fixed.index(VOCAB["bos"]) + 1
    kept = grown = 0
    for i in range(len(made.x)):
        long = 0
        for state in made.history[1:]:
            row = [x for x in state[i].tolist() if x != VOCAB["pad"]]
            text = row[before : len(row) - (len(fixed) - before)]
            if long:
                assert text[-size:] == [B] * size
                kept, grown = kept + 1, grown + (len(text) > long)
            long = len(text) if ended(text, 0) else 0
        assert MASK not in text
    assert kept
    assert grown


@samplers(INSERTED)
def test_a_string_that_no_text_holds_changes_nothing(package, name):
    batch = repeat(package.layout("text")([Example(0, ())]), 9)
    plain, same = (
        package.sampler(name, ended=end)(Guess(), batch, draw(batch, 9), LIMIT)
        for end in (None, NEVER)
    )
    assert torch.equal(plain.x, same.x)
    assert torch.equal(plain.nfe, same.nfe)


@every(["gone_t"])
def test_d32_what_is_cut_off_is_the_part_behind_the_first_string(package):
    """Tokens that are given stay; a gap is closed if it is in the string or behind it."""
    layout = package.layout("infill")
    batch = layout([Example(0, (A, B, C, B, A, C), (), (False, True, False, False, False, False))])
    canvas = package.canvas.Canvas.of(None, batch, LIMIT)
    canvas = replace(canvas, network=type("Net", (), {"vocab": VOCAB})())
    empty = replace(canvas, inside=torch.zeros_like(canvas.inside))
    cut = package.ending.cut_off(canvas, empty, ENDS)
    inside = cut.inside[0]
    assert cut.x[0][inside].tolist() == [A, B, C, B]
    before = batch.open[0].nonzero()[:, 0].tolist()
    last = int(inside.nonzero()[-1, 0])
    assert cut.open[0].nonzero()[:, 0].tolist() == [i for i in before if i < last]
    assert package.ending.cut_off(cut, empty, ENDS).x.tolist() == cut.x.tolist()
    begins = Ended(lambda ids, known: ids[known:][:2] == [C, B], 2)
    two = package.ending.cut_off(canvas, empty, begins)
    assert two.open[0].nonzero()[:, 0].tolist() == [i for i in before if i < last - 1]


@every(["both_square"])
def test_d32_a_string_with_a_mask_in_it_ends_no_text(package):
    layout = package.layout("text")
    for body, found in (((A, MASK, A), False), ((MASK, A, A, MASK), True)):
        batch = layout([Example(0, (C,) * len(body))])
        x = batch.x0.masked_scatter(batch.inside, torch.tensor(body))
        net = type("Net", (), {"vocab": VOCAB})()
        canvas = replace(package.canvas.Canvas.of(net, batch, LIMIT), x=x)
        empty = replace(canvas, inside=torch.zeros_like(canvas.inside))
        begins = Ended(lambda ids, known: ids[known:][:2] == [A, A], 2)
        cut = package.ending.cut_off(canvas, empty, begins)
        expected = [MASK, A, A] if found else list(body)
        assert cut.x[0][cut.inside[0]].tolist() == expected


@samplers([("gone_fixed", "default")])
def test_nothing_comes_into_a_beginning_that_is_given(package, name):
    """`keeping prefix`: the text begins with it, and goes on behind it."""
    batch = package.layout("infill")([Example(0, (A, B, C), (), (True, True, False))])
    made = package.sampler(name)(Guess(), repeat(batch, 60), draw(repeat(batch, 60), 3), LIMIT)
    texts = [x[body].tolist() for x, body in zip(made.x, made.body, strict=True)]
    assert all(text[:2] == [A, B] for text in texts)
    assert max(map(len, texts)) > 3


class Sure(Guess):
    """A network that is sure that nothing is missing once a row has some tokens."""

    def trunk(self, xt, attend, told=None):
        seen = torch.ones_like(xt, dtype=torch.bool) if attend is None else attend.bool()
        return seen.sum(1)[:, None, None].expand(*xt.shape, 1).float()

    def done(self, hidden):
        return torch.where(hidden[:, 0] > 3, 40.0, -40.0)


@samplers([("both_done", "default")])
def test_a_row_of_two_clocks_that_a_head_ends_gets_no_more_masks(package, name):
    """Its masks are still filled."""
    batch = repeat(package.layout("text", 30)([Example(0, (A,))]), 200)
    made = package.sampler(name, steps=12)(Sure(), batch, draw(batch, 3), 30, record=True)
    longer = 0
    for i in range(len(made.x)):
        sizes = [sum(x != VOCAB["pad"] for x in state[i].tolist()) for state in made.history]
        first = next((k for k, size in enumerate(sizes) if size > 3), None)
        assert first is None or len({*sizes[first:]}) == 1
        longer += first is not None
    assert not (made.x == MASK).any()
    assert longer


@every(["both_done"])
@pytest.mark.parametrize(
    ("gone", "masked", "cost"), [(True, False, 40.0), (False, True, 0.0), (False, False, 0.0)]
)
def test_the_end_of_two_clocks_is_that_no_token_is_gone(package, gone, masked, cost):
    """A head that is sure of it pays where some are; masks are none of its concern."""
    batch = package.layout("text")([Example(0, (A, B)), Example(1, (C,))])
    never = torch.full(batch.x0.shape, 1 - 2.0**-53, dtype=torch.float64)
    noise = Scripted(insert=never * (not gone), unmask=never * (not masked))
    noised = package.noise.corrupt(batch, torch.full((2,), 0.5).double(), noise, VOCAB)
    assert bool(noised.masked.any()) == masked
    network, hidden = Sure(), torch.full((*noised.xt.shape, 1), 9.0)
    assert float(package.loss.done_term(network, hidden, noised, batch)) == pytest.approx(2 * cost)


ENDING = [
    (name, sampler)
    for name, sampler in FILLING
    if zoo.SPECS[name].has("text = stop_strings")
    and sampler in ("default", "origin", "drawn", "blockwise")
]


@samplers(ENDING)
def test_d32_a_row_is_done_when_its_text_has_ended(package, name):
    """It is cut at the first mask and asks no more; what stands before the end is the same."""
    ended = set()
    for layout, batch, net in cases(package):
        whole = package.sampler(name)(net, batch, draw(batch, 6), LIMIT)
        sampler = package.sampler(name, ended=Ended(lambda ids, given: B in ids[given:], 1))
        cut = sampler(net, batch, draw(batch, 6), LIMIT, record=True)
        assert not (cut.x == VOCAB["mask"]).any(), layout
        assert (cut.nfe <= whole.nfe).all()
        for i in range(len(cut.x)):
            made, full = (x[i][batch.inside[i]].tolist() for x in (cut.x, whole.x))
            given = (~batch.free)[i][batch.inside[i]].nonzero()[:, 0].tolist()
            start = given[-1] + 1 if given else 0
            if B not in full[start:]:
                assert made == full
                assert cut.nfe[i] == whole.nfe[i]
                continue
            end = full.index(B, start) + 1
            assert made[:end] == full[:end]
            assert all(a in (b, VOCAB["pad"]) for a, b in zip(made, full, strict=True))
            ended.add(int(cut.nfe[i]) < int(whole.nfe[i]))
        none = package.sampler(name, ended=Ended(lambda *_: False, 1))(
            net, batch, draw(batch, 6), LIMIT
        )
        assert torch.equal(none.x, whole.x)
    assert True in ended

"""Decoders that write from left to right, against tables of prefixes (atlas 2.1)."""

from collections import Counter
from itertools import pairwise, product
from math import log

import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B, C
from laws.costs import row_of
from laws.decoded import every, samplers
from laws.examples import MIXED, NESTED, REPEATS, around, layouts, network, one, strings
from laws.prefix import CACHING, ENDING, EOS, Prefixes, end, made, nats, nexts, tables_of
from laws.scripted import draw, repeat
from laws.stats import near, samples_of
from laws.table import Table, chain_costs, conditionals

from xlm_runtime.plug import Example

DRAWS = 8_000
PAIRS = [(name, sampler) for name in zoo.NONES for sampler in zoo.SPECS[name].samplers]
DRAWING = [(name, sampler) for name, sampler in PAIRS if sampler not in zoo.SPECS[name].greedy]
GREEDY = [(name, sampler) for name, sampler in PAIRS if sampler in zoo.SPECS[name].greedy]
LAWS = [MIXED, REPEATS, NESTED]
NAMES = ["mixed", "repeats", "nested"]


def bodies(decoded):
    rows = zip(decoded.x, decoded.body, strict=True)
    return Counter(tuple(x for x in row[body].tolist() if x != EOS) for row, body in rows)


@samplers(DRAWING)
@pytest.mark.parametrize("law", [*LAWS, strings(3)], ids=[*NAMES, "strings"])
def test_d12_samples_are_of_the_law(package, name, law):
    """Also by their total variation; one call of the network for each token drawn."""
    if not end(package) and law != strings(3):
        return
    table = Prefixes(tables_of(package, law))
    batch = repeat(one(package, (A,)), DRAWS)
    decoded = package.sampler(name)(table, batch, draw(batch, 51), 4 if end(package) else 3)
    samples_of(bodies(decoded), law)
    near(bodies(decoded), law)
    drawn = decoded.body.sum(1)
    assert torch.equal(decoded.nfe, drawn)
    assert table.rows == int(drawn.sum())


@samplers([(name, sampler) for name, sampler in DRAWING if name in ENDING])
@pytest.mark.parametrize("limit", [0, 1, 2])
def test_d16_a_row_at_its_limit_is_cut(package, name, limit):
    """The law of what is made is that of the beginnings."""
    tables = tables_of(package, MIXED, wrong=True)
    batch = repeat(one(package, (A, A)), DRAWS // 2)
    decoded = package.sampler(name)(Prefixes(tables), batch, draw(batch, 52), limit)
    assert int(decoded.body.sum(1).max()) == limit
    samples_of(bodies(decoded), made(tables, around(package)[0], limit))


@samplers(GREEDY)
def test_d_greedy_decoding_follows_a_deterministic_chain(package, name):
    """To its end, and from any beginning of it."""
    chain = (A, C, B, B, A, C)
    table = Prefixes(nexts({chain: 1.0}, around(package)[0]))
    batch = package.layout("infill")(
        [Example(k, chain, (), [i < k for i in range(len(chain))]) for k in range(len(chain) + 1)]
    )
    decoded = package.sampler(name)(table, batch, draw(batch), 8)
    assert set(bodies(decoded)) == {chain}
    assert decoded.nfe.tolist() == [len(chain) + 1 - k for k in range(len(chain) + 1)]


@samplers(DRAWING)
def test_d_a_cold_decoder_takes_the_likeliest(package, name):
    """Temperature 0 is greedy, whatever the noise."""
    tables = tables_of(package, strings(3))
    row = around(package)[0]
    for _ in range(3):
        row = (*row, int(tables[row].argmax()))
    batch = repeat(one(package, (A,)), 50)
    decoded = package.sampler(name, temperature=0.0)(Prefixes(tables), batch, draw(batch, 5), 3)
    assert set(bodies(decoded)) == {row[len(around(package)[0]) :]}


@samplers(DRAWING)
def test_d12_temperature_top_k_and_top_p_work_together(package, name):
    """On (.5, .3, .2): at T = 1/2 .658, .237, .105; the best two .735, .265; .7 of them is one."""
    law = {(A,): 0.5, (B,): 0.3, (C,): 0.2}
    table = Prefixes(tables_of(package, law))
    batch = repeat(one(package, (A,)), 2000)
    for params, kept in [
        ({"temperature": 0.5, "top_k": 2, "top_p": 1.0}, {(A,): 25 / 34, (B,): 9 / 34}),
        ({"temperature": 0.5, "top_k": 2, "top_p": 0.7}, {(A,): 1.0}),
        ({"temperature": 0.5, "top_k": 2, "top_p": 0.8}, {(A,): 25 / 34, (B,): 9 / 34}),
    ]:
        decoded = package.sampler(name, **params)(table, batch, draw(batch, 7), 1)
        samples_of(bodies(decoded), kept)


@samplers(PAIRS)
def test_d14_each_step_appends_one_token(package, name):
    """Given tokens stay at every step, and so do appended ones."""
    for layout, laid, batch in layouts(package):
        decoded = package.sampler(name)(
            network(package, layout), batch, draw(batch, 3), 5, record=True
        )
        assert torch.equal(decoded.history[-1], decoded.x), laid
        for i in range(len(batch.x0)):
            seen = ~batch.free[i] if batch.attend is None else ~batch.free[i] & batch.attend[i]
            rows = [
                [x for x in state[i].tolist() if x != VOCAB["pad"]] for state in decoded.history
            ]
            assert rows[0] == batch.x0[i][seen].tolist()
            kept = int((batch.inside[i] & seen).sum())
            for before, after in pairwise(rows):
                assert before == after or before == after[:-1]
            inside = decoded.x[i][decoded.body[i]].tolist()
            assert rows[-1][len(rows[0]) - kept :] == inside
            assert len(inside) == kept + int(decoded.nfe[i]) <= max(5, kept)
            assert EOS not in inside[:-1]
            assert len(inside) >= 5 or inside[-1] == EOS


@samplers([(name, s) for name, s in PAIRS if s != "anew" and name in CACHING])
def test_d24_a_cache_computes_each_token_once(package, name):
    """The prompt at the first step, then one token a row and step."""
    law = {(A, A, A): 0.5, (A,): 0.3, (): 0.2}
    table = Prefixes(nexts(law, around(package)[0], end(package) or (EOS,)))
    batch = repeat(one(package, (A,)), 200)
    decoded = package.sampler(name)(table, batch, draw(batch, 9), 3)
    drawn = int(decoded.body.sum())
    assert table.computed == drawn + 200 * (len(around(package)[0]) - 1)


@every(["next_both"])
def test_d24_decoders_with_and_without_a_cache_make_the_same(package):
    for layout, _, batch in layouts(package):
        net = network(package, layout)
        found = [
            package.sampler(name)(net, batch, draw(batch, 4), 6, record=True)
            for name in ("default", "anew")
        ]
        assert torch.equal(found[0].x, found[1].x)
        assert torch.equal(found[0].nfe, found[1].nfe)
        assert all(torch.equal(a, b) for a, b in zip(*(f.history for f in found), strict=True))


@every(zoo.those("reuse while prefix"))
def test_d_what_is_kept_is_not_copied_while_no_row_ends(package):
    """The keys and values that a step gives are those that the next one takes, themselves."""
    batch = repeat(one(package, ()), 2)
    net, seen = network(package, "text"), []
    extend = net.extend

    def watched(new, attend, past):
        hidden, longer = extend(new, attend, past)
        seen.append((len(new), past, longer))
        return hidden, longer

    net.extend = watched
    alike = []
    for seed in range(20):
        seen.clear()
        package.sampler()(net, batch, draw(batch, seed), 6)
        for (rows, _, kept), (after, past, _) in pairwise(seen):
            assert (past is kept) == (rows == after)
            alike.append(rows == after)
    assert True in alike


@every(zoo.NONES)
def test_k_only_a_beginning_can_be_given(package):
    layout = package.layout("infill")
    layout([Example(0, (A, B, C), (), (True, True, False))])
    with pytest.raises(ValueError, match="example 4 gives tokens behind others"):
        layout([Example(4, (A, B, C), (), (False, True, False))])


# The same model, said in masks


@pytest.mark.parametrize("law", [strings(3), strings(2, seed=8)], ids=["three", "two"])
def test_1_masks_revealed_from_left_to_right_are_the_same_model(workshop, law):
    """One law over strings: the same costs, and the same samples."""
    masks, left = workshop.package("mask_orders"), workshop.package("next_fixed")
    rows = {row_of(masks, body)[0]: p for body, p in law.items()}
    places = row_of(masks, next(iter(law)))[1]
    tables = conditionals(rows, places)
    ahead = Prefixes(tables_of(left, law))
    for body, p in law.items():
        costs = chain_costs(tables, row_of(masks, body)[0], places)
        identity = next(costs[i] for i, o in enumerate(orders(places)) if [*o] == places)
        assert float(nats(left, ahead, one(left, body))) == pytest.approx(identity, abs=1e-12)
        assert identity == pytest.approx(-log(p), abs=1e-12)
    batch = repeat(one(masks, next(iter(law))), DRAWS)
    sampler = masks.sampler("single", order="left")
    decoded = sampler(Table(tables), batch, draw(batch, 61), 8, record=True)
    samples_of(bodies(decoded), law)
    for k, state in enumerate(decoded.history):
        assert ((state == VOCAB["mask"]).sum(1) == len(places) - k).all()
        assert not (state[:, places[:k]] == VOCAB["mask"]).any()
    batch = repeat(one(left, next(iter(law))), DRAWS)
    samples_of(bodies(left.sampler()(ahead, batch, draw(batch, 62), len(places))), law)


def orders(places):
    """The orders of `chain_costs`."""
    return [o for o in product(places, repeat=len(places)) if len({*o}) == len(o)]

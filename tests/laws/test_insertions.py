"""Insertions of one token at a time, with exact tables: what they make, and their calls."""

from math import inf

import pytest
import torch
from laws import zoo
from laws.build import A, B
from laws.decoded import JOINT, bodies, every, filled, gone_table, samplers
from laws.examples import MIXED, NESTED, REPEATS, one
from laws.scripted import draw, repeat
from laws.stats import samples_of
from laws.table import normalised


@every(zoo.those("draw slot greedy"))
def test_d17_the_likeliest_insertion_is_that_of_the_joint_law(package):
    """A gap and a token, of equal ones the first; nothing of the size gaps times tokens is made."""
    generator = torch.Generator().manual_seed(2)
    open_ = torch.rand(300, 4, generator=generator) < 0.7
    open_[:, 1] = True
    logits = torch.randint(0, 9, (int(open_.sum()), 5), generator=generator).double()
    wide = logits.new_full((*open_.shape, 5), -inf)
    wide[open_] = logits
    joint = wide.flatten(1).argmax(-1)
    gap = package.gaps.at_gaps(logits.amax(-1), open_).argmax(-1)
    assert torch.equal(gap, joint // 5)
    assert torch.equal(package.gaps.of_gap(logits, open_, gap).argmax(-1), joint % 5)
    assert package.has("gaps.per_row") == (package.spec.has("draw slot with temperature, top_k"))


@samplers(JOINT)
@pytest.mark.parametrize("law", [MIXED, NESTED, REPEATS], ids=["mixed", "nested", "repeats"])
@pytest.mark.parametrize("weighted", [False, True], ids=["weight 1", "weight L + 1"])
def test_d17_insertions_generate_p_over_l_plus_1(package, name, law, weighted):
    """Heads trained with weight 1 give p / (L + 1), with weight L + 1 p itself."""
    made = normalised({body: p / (len(body) + 1) for body, p in law.items()})
    if law is NESTED:
        assert list(made.values()) == pytest.approx([0.25] * 4)
    table = gone_table(package, law, weighted)
    _, decoded = filled(package, table, package.sampler(name), 2)
    samples_of(bodies(decoded), law if weighted else made)


@samplers([("ilm", "sampled"), ("gone_bound", "default")])
def test_d17_the_example_of_the_paper(package, name):
    """{a: .5, ab: .5} comes out as .6 and .4."""
    table = gone_table(package, {(A,): 0.5, (A, B): 0.5}, weighted=False)
    _, decoded = filled(package, table, package.sampler(name), 0)
    samples_of(bodies(decoded), {(A,): 0.6, (A, B): 0.4})


@samplers([("ilm", "default"), *((name, "staged") for name in zoo.GONES if name != "ilm")])
def test_d17_a_gap_first_and_then_its_token(package, name):
    """The same joint law in two draws: with data of one length, exact and with a sure stop."""
    law = {(A, B): 0.5, (B, A): 0.2, (A, A): 0.2, (B, B): 0.1}
    table = gone_table(package, law, weighted=False)
    whole = {"top_p": 1.0} | ({"gap_top_k": 0} if name == "default" else {})
    _, decoded = filled(package, table, package.sampler(name, **whole), 1)
    samples_of(bodies(decoded), law)


@samplers(JOINT)
def test_d5_an_insertion_decoder_calls_once_a_decision(package, name):
    """Once for each token and once to stop, unless the limit stops it."""
    table = gone_table(package, MIXED, weighted=True)
    _, decoded = filled(package, table, package.sampler(name), 0, rows=500)
    assert torch.equal(decoded.nfe, decoded.body.sum(1) + 1)
    assert table.rows == int(decoded.nfe.sum())
    batch = repeat(one(package, ()), 500)
    decoded = package.quick(name)(table, batch, draw(batch), 2)
    assert torch.equal(decoded.nfe, (decoded.body.sum(1) + 1).clamp(max=2))

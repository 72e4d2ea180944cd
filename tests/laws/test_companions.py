"""Rows of a batch: none depends on those beside it, and each has noise of its own."""

import torch
from laws import zoo
from laws.build import A, B
from laws.decoded import (
    EVERY,
    LIMIT,
    bodies,
    cases,
    filled,
    made,
    name_of_chain,
    samplers,
    table_of,
)
from laws.examples import MIXED, examples, strings
from laws.scripted import draw, pick

from xlm_runtime.plug import Noise


@samplers(EVERY)
def test_d21_a_row_does_not_depend_on_its_companions(package, name):
    """Alone, in a batch, in another order and with other padding it comes out the same.

    But for rows of masks alone, whose places are all alike: there rounding decides which is first.
    """
    compared = 0
    for layout, batch, net in cases(package):
        sampler = package.quick(name)
        together = made(sampler(net, batch, draw(batch, 6), LIMIT))
        order = [4, 0, 5, 2, 1, 3]
        shuffled = pick(batch, order)
        assert made(sampler(net, shuffled, draw(batch, 6).rows(torch.tensor(order)), LIMIT)) == [
            together[i] for i in order
        ]
        for i in (0, 1, 2):
            laid = package.layout(layout, 5)
            alone = laid([examples(layout, begins=laid.begins)[i]])
            if alone.free.all():
                continue
            found = made(sampler(net, alone, Noise(6, alone.example), LIMIT))
            assert found == [together[i]], (layout, i)
            compared += 1
    assert compared >= 2


@samplers([(spec, name) for spec, name in EVERY if name not in zoo.SPECS[spec].greedy])
def test_d21_seeds_and_examples_differ(package, name):
    """Noise is keyed by the example and by the seed: neither is forgotten."""
    grows = name_of_chain(package) in ("gone", "both")
    law = MIXED if grows else strings(3)
    if name == "oracle":  # all its rows get 3 tokens, which must be possible
        law = {(A, B, A): 0.6, (B, A, B): 0.4}
    table = table_of(package, law, weighted=True)
    _batch, first = filled(package, table, package.quick(name), 3, rows=64)
    _, again = filled(package, table, package.quick(name), 3, rows=64)
    _, other = filled(package, table, package.quick(name), 3, rows=64, seed=42)
    assert made(first) == made(again)
    assert made(first) != made(other)
    assert len(bodies(first)) > 1

"""Rows without masks that a step leaves as they were: the network's answer to them is kept."""

from itertools import pairwise

import pytest
import torch
from laws.examples import layouts, network, tokens
from laws.scripted import draw

LIMIT = 8


@pytest.mark.parametrize("package", ["gone_kept"], indirect=True)
@pytest.mark.parametrize(("kept", "anew"), [("default", "anew"), ("sure", "sure_anew")])
def test_rows_that_grow_are_read_anew_when_they_have_grown(package, kept, anew):
    """The same tokens at every step; one call at first, and one after each step that inserts."""
    calls = []
    for layout, _, batch in layouts(package):
        made = network(package, layout)
        made.gap = lambda hidden, few=made.gap: 3 * few(hidden)
        made.done = lambda hidden: torch.full(hidden.shape[:1], -9.0, dtype=hidden.dtype)
        whole, found = (
            package.sampler(one)(made, batch, draw(batch, 5), LIMIT, record=True)
            for one in (anew, kept)
        )
        assert torch.equal(whole.x, found.x)
        assert all(torch.equal(*pair) for pair in zip(whole.history, found.history, strict=True))
        states = found.history[: package.sampler(kept).steps]
        for i, number in enumerate(found.nfe.tolist()):
            rows = [tokens(state[i]) for state in states]
            grown = sum(a != b for a, b in pairwise(rows))
            full = int(found.body[i].sum()) == LIMIT and tokens(found.x[i]) == rows[-1]
            assert number == 1 + grown - full  # a full row is not read again
        calls.append((int(found.nfe.sum()), int(whole.nfe.sum())))
    assert all(0 < few < 0.8 * most for few, most in calls), calls

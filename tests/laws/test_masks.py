"""Decoders of masks that reveal by sums of errors."""

from math import inf

import pytest
import torch
from laws.build import VOCAB
from laws.decoded import bodies, every, filled, mask_table
from laws.examples import strings
from laws.stats import samples_of

BOUNDED = [("mlm", "bounded"), ("mask_fixed", "default")]
ERRORS = {
    "entropy": lambda p: torch.special.entr(p).sum(-1),
    "confidence": lambda p: 1 - p.amax(-1),
    "margin": lambda p: 1 - p.topk(2).values[..., 0] + p.topk(2).values[..., 1],
}


def answers(table, state):
    """The chances of the tokens at every place of some rows."""
    logits = table.token(table.trunk(state, None).flatten(0, 1))
    return torch.softmax(logits.detach(), -1).view(*state.shape, -1)


def longest(errors, bound):
    """The most errors, the smallest first, whose sum without the largest is below the bound."""
    ranked = sorted(errors)
    fits = [n for n in range(1, len(ranked) + 1) if sum(ranked[:n]) - max(ranked[:n]) < bound]
    return max(fits, default=1)


@pytest.mark.parametrize(("package", "name"), BOUNDED, indirect=["package"])
@pytest.mark.parametrize("order", list(ERRORS))
@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.6, 1e9])
def test_d11_as_many_as_their_errors_allow(package, name, order, gamma):
    """The longest run, in rising order, whose sum without its largest is below gamma; never none.

    At 0 one token a step, without a bound all at once.
    """
    law = strings(3)
    table = mask_table(package, law)
    sampler = package.sampler(name, gamma=gamma, order=order)
    _, decoded = filled(package, table, sampler, 3, rows=200, record=True)
    if gamma in (0.0, 1e9):
        assert (decoded.nfe == (1 if gamma else 3)).all()
    for before, after in zip(decoded.history, decoded.history[1:], strict=False):
        error = ERRORS[order](answers(table, before))
        hidden = before == VOCAB["mask"]
        for i in range(len(before)):
            if not hidden[i].any():
                continue
            took = hidden[i] & (after[i] != before[i])
            assert int(took.sum()) == longest(error[i][hidden[i]].tolist(), gamma)
            rest = error[i][hidden[i] & ~took]
            assert not len(rest) or float(error[i][took].max()) <= float(rest.min())


@every(["mask_fixed"])
def test_d3_a_bound_of_0_gives_the_data(package):
    """One token a step, in an order that does not look at the token that was drawn."""
    law = strings(3)
    table = mask_table(package, law)
    for order in ERRORS:
        _, decoded = filled(package, table, package.sampler(gamma=0.0, order=order), 3)
        samples_of(bodies(decoded), law)


@every(["mask_fixed"])
def test_d11_places_that_are_no_candidates_have_no_error(package):
    error = torch.tensor([[0.0, 5.0, 0.2, 0.1], [0.0, 0.0, 0.0, 0.0], [3.0, 9.0, 9.0, 9.0]])
    seen = torch.tensor([[0, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]]).bool()
    for bound, first in ((0.1, [0, 0, 0, 1]), (0.3, [0, 0, 1, 1]), (inf, [0, 1, 1, 1])):
        found = package.places.surest(error.double(), seen, bound)
        assert found.long().tolist() == [first, [0, 0, 0, 0], [1, 0, 0, 0]]

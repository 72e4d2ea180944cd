"""Limits that every decoder keeps, with the package's own network."""

import itertools

import pytest
import torch
from laws.build import VOCAB
from laws.decoded import (
    EVERY,
    FILLING,
    INSERTING,
    LIMIT,
    cases,
    name_of_chain,
    samplers,
    takes_back,
)
from laws.examples import tokens
from laws.scripted import draw


@samplers(FILLING)
def test_d14_a_canvas_changes_only_from_mask_to_token(package, name):
    """Prompts, specials and given tokens stay at every step; what is revealed stays too.

    A decoder that takes tokens back changes them to masks alone, and none at its last step.
    """
    back = takes_back(package.spec, name)
    for layout, batch, net in cases(package):
        sampler = package.quick(name)
        decoded = sampler(net, batch, draw(batch, 3), LIMIT, record=True)
        masks = batch.free
        assert torch.equal(decoded.body, batch.inside), layout
        assert (decoded.history[0][batch.free] == VOCAB["mask"]).all()
        for before, after in zip(decoded.history, decoded.history[1:], strict=False):
            stays = ~masks & (after != VOCAB["mask"]) if back else ~masks
            assert torch.equal(before[stays], after[stays])
            assert torch.equal(after[~batch.free], batch.x0[~batch.free])
            masks = after == VOCAB["mask"]
        assert torch.equal(decoded.history[0][~batch.free], batch.x0[~batch.free])
        assert torch.equal(decoded.history[-1], decoded.x)


@samplers(INSERTING)
def test_d14_an_insertion_leaves_the_rest_in_place(package, name):
    """Each state is the one before with at most one token more, between the brackets."""
    for layout, batch, net in cases(package):
        decoded = package.quick(name)(net, batch, draw(batch, 3), LIMIT, record=True)
        for i in range(len(batch.x0)):
            stays = [int(x) for x, f in zip(batch.x0[i], batch.free[i], strict=True) if not f]
            rows = [tokens(state[i]) for state in decoded.history]
            assert rows[0] == [x for x in stays if x != VOCAB["pad"]], layout
            assert rows[-1] == tokens(decoded.x[i])
            column = int(batch.open[i].nonzero()[0, 0]) + 1
            for before, after in itertools.pairwise(rows):
                grown = [after[:k] + after[k + 1 :] for k in range(len(after))]
                assert after == before or before in grown
            begin = tokens(batch.x0[i, :column])
            assert rows[-1][: len(begin)] == begin
            end = len(tokens(batch.x0[i])) - int(batch.open[i].nonzero()[-1, 0] + 1)
            end += int((batch.x0[i, :column] == VOCAB["pad"]).sum())
            fixed = tokens(batch.x0[i])[len(tokens(batch.x0[i])) - end :] if end else []
            assert rows[-1][len(rows[-1]) - end :] == fixed or not end


@samplers(EVERY)
def test_d15_samples_hold_body_tokens_and_predicted_specials(package, name):
    for layout, batch, net in cases(package):
        allowed = VOCAB.allowed(package.family.layouts[layout].predicts)
        decoded = package.quick(name)(net, batch, draw(batch, 4), LIMIT)
        made = decoded.body & (decoded.x != VOCAB["pad"])
        if name_of_chain(package) == "mask":
            made = batch.free
        assert allowed[decoded.x[made]].all(), layout
        assert not (decoded.x == VOCAB["mask"]).any()


@samplers(INSERTING)
@pytest.mark.parametrize("limit", [0, 1, 3])
def test_d16_no_more_tokens_than_the_limit(package, name, limit):
    """Unless more were given; without a stop exactly that many. Nothing is inserted beyond it."""
    for _, batch, net in cases(package):
        kept = (batch.inside & ~batch.free).sum(1)
        decoded = package.quick(name)(net, batch, draw(batch, 5), limit)
        made = decoded.body.sum(1)
        assert (made <= kept.clamp(min=limit)).all()
        assert (made >= kept).all()
        assert (decoded.nfe <= (limit - kept).clamp(min=0)).all()
        if name == "full":
            assert torch.equal(made, kept.clamp(min=limit))
        if name == "oracle":
            own = batch.inside.sum(1).clamp(max=limit)
            assert torch.equal(made, kept.maximum(own))
        added = [len(tokens(x)) for x in decoded.x]
        fixed = [
            int((~f & (x != VOCAB["pad"])).sum())
            for f, x in zip(batch.free, batch.x0, strict=False)
        ]
        assert (torch.tensor(added) - torch.tensor(fixed)).tolist() == (made - kept).tolist()

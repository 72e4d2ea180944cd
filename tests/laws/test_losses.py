"""Losses against exact tables: every expectation is a sum over all outcomes."""

from math import lgamma, log

import numpy as np
import pytest
import torch
from laws import zoo
from laws.answers import gone_table, mask_table, nelbo, uniform
from laws.build import A, B
from laws.costs import expected_terms, gone_cost, mask_cost, over, row_of
from laws.decoded import every
from laws.examples import MIXED, REPEATS, around, network, one, strings
from laws.scripted import chosen
from laws.table import Table

CLOSE = 3e-6  # the training loss is computed in single precision
WEIGHTED = zoo.those("(gone) weight bound")


@every(zoo.MASKS)
@pytest.mark.parametrize("wrong", [False, True], ids=["exact", "wrong"])
def test_l1_expected_loss(package, wrong):
    """The training loss over all noise, weight and denominator as the spec says (L6 included)."""
    law = strings(3)
    tables, table = mask_table(package, law, wrong)
    for body in ((A, B, A), (B, B, A)):
        row, free = row_of(package, body)
        expected = mask_cost(package.spec, tables.__getitem__, row, free)
        terms = expected_terms(package, table, body)
        assert terms["token"].item() == pytest.approx(expected, rel=CLOSE, abs=CLOSE)


@every([n for n in zoo.MASKS if zoo.SPECS[n].has("weight bound") and zoo.SPECS[n].low == 0])
def test_l1_loss_with_the_weight_of_the_bound_is_minus_log_p(package):
    law = strings(3)
    _, table = mask_table(package, law)
    own = 3 if package.spec.over == "tokens per sequence" else 1
    for body in ((A, A, B), (B, A, B)):
        found = own * expected_terms(package, table, body)["token"].item()
        assert found == pytest.approx(-log(law[body]), rel=1e-5)


@every(zoo.those("mean over masked per sequence"))
def test_l6_a_mean_per_sequence_is_the_bound_over_l_plus_1(package):
    law = strings(3)
    _, table = mask_table(package, law)
    for body in ((A, A, B), (B, A, B)):
        found = 4 * expected_terms(package, table, body)["token"].item()
        assert found == pytest.approx(-log(law[body]), rel=1e-5)


@every(zoo.GONES)
@pytest.mark.parametrize("wrong", [False, True], ids=["exact", "wrong"])
def test_l1_expected_loss_of_insertions(package, wrong):
    logits, odds, table = gone_table(package, MIXED, weighted=False, wrong=wrong)
    for body in MIXED:
        insertions, stops = gone_cost(package.spec, logits, odds, body, around(package))
        terms = expected_terms(package, table, body)
        assert terms["slot"].item() == pytest.approx(insertions, rel=CLOSE, abs=CLOSE)
        assert terms["done"].item() == pytest.approx(stops, rel=CLOSE, abs=CLOSE)


@every([n for n in WEIGHTED if zoo.SPECS[n].over == "sequences"])
def test_l1_loss_of_insertions_with_the_weight_of_the_bound_is_minus_log_p(package):
    """Up to log L!, which no head can change."""
    _, _, table = gone_table(package, REPEATS, weighted=True)
    for body, p in REPEATS.items():
        total = sum(expected_terms(package, table, body).values()).item()
        assert total - lgamma(len(body) + 1) == pytest.approx(-log(p), rel=1e-5, abs=1e-5)


def slope_at(package, table, law):
    """The largest slope of the expected loss over data, with respect to the table's answers."""
    table.logits.data.clamp_(min=-60)  # the slope of a law that is impossible everywhere is nan
    total = sum(p * sum(expected_terms(package, table, body).values()) for body, p in law.items())
    total.backward()
    slopes = [answers.grad for answers in (table.logits, table.odds) if answers.grad is not None]
    return max(float(slope.abs().max()) for slope in slopes)


BALANCED = zoo.those("balance = 0.8")


@every([n for n in zoo.GONES if zoo.SPECS[n].over == "sequences" and n not in BALANCED])
def test_d17_training_finds_the_heads_that_the_claim_says(package):
    """The loss is least for the exact heads, of weight L + 1 where the claim is `tight`."""
    tight = package.family.claim.value == "tight"
    assert tight == package.spec.has("(gone) weight bound")
    *_, right = gone_table(package, MIXED, weighted=tight)
    *_, other = gone_table(package, MIXED, weighted=not tight)
    assert slope_at(package, right, MIXED) < 1e-6
    assert slope_at(package, other, MIXED) > 1e-3


@every(BALANCED)
def test_d17_a_balance_moves_the_odds_of_the_stop(package):
    """By log(balance / (1 - balance)), whatever they are."""
    *_, table = gone_table(package, MIXED, weighted=False)
    assert slope_at(package, table, MIXED) > 1e-3
    *_, table = gone_table(package, MIXED, weighted=False)
    with torch.no_grad():
        table.odds += log(0.8 / 0.2)
    assert slope_at(package, table, MIXED) < 1e-6


@every(["mdlm", "mask_t", "mask_orders", "mask_mlm", "mask_cubic"])
def test_l1_training_finds_the_exact_conditionals(package):
    law = strings(2)
    _, right = mask_table(package, law)
    _, other = mask_table(package, strings(2, seed=8))
    assert slope_at(package, right, law) < 1e-6
    assert slope_at(package, other, law) > 1e-3


def terms_of(package, net, body, taken, **params):
    """The terms of one row of which the given places of the body are gone."""
    batch = one(package, body)
    gone = torch.zeros_like(batch.free)
    gone[0, [row_of(package, body)[1][i] for i in taken]] = True
    amount = torch.tensor([len(taken)])
    if not package.spec.has("amount count"):
        amount = torch.tensor([0.4]).double()
    noised = chosen(package, batch, amount, gone)
    losses = package.family.loss(net, noised, batch, **params)
    return losses, noised, {k: v * over(package, noised, batch) for k, v in losses.terms.items()}


@every(zoo.those("visible(geometric(kernel))"))
@pytest.mark.parametrize(("body", "taken", "expected"), [
    ((A,), (0,), [0.3]),
    ((A, B, A), (0, 1, 2), [0.2235, 0.21, 0.2235]),
    ((A, B, A), (1,), [0.3 + 0.21]),
    ((A, B, A), (), []),
])  # fmt: skip
def test_l18_weights_by_what_is_visible(package, body, taken, expected):
    """Half of p (1 - p)^(d - 1) for each visible token at a distance d, bos and eos among them."""
    _, _, terms = terms_of(package, uniform(package, body), body, taken, kernel=0.3)
    assert terms["token"].item() == pytest.approx(log(3) * sum(expected), rel=1e-5)
    assert all(weight < 1 for weight in expected)


@every(zoo.those("visible(geometric(kernel))"))
def test_l18_a_token_with_nothing_in_sight_weighs_nothing(package):
    masked = torch.ones(1, 5, dtype=torch.bool)
    kernel = package.around.geometric(0.3)
    assert not package.around.visible(kernel, masked, None).any()
    middle = torch.tensor([[False, True, False]])
    assert not package.around.visible(kernel, middle, middle)[0, 1]  # padding is not visible
    few = package.around.visible(kernel, torch.tensor([[0, 1, 1, 1, 0]]).bool(), None) / 2
    assert few[0, 1:4].tolist() == pytest.approx([0.2235, 0.21, 0.2235], abs=1e-6)
    many = torch.zeros(1, 401, dtype=torch.bool)
    many[0, 200] = True
    assert 0.999 < float(package.around.visible(kernel, many, None)[0, 200] / 2) <= 1
    next_to = package.around.visible(package.around.geometric(1.0), many, None)
    assert float(next_to[0, 200]) == 2
    assert not package.around.visible(package.around.geometric(0.0), many, None).any()
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="from 0 to 1"):
            package.around.geometric(wrong)


@every(zoo.GONES)
def test_l13_one_missing_token_is_one_flat_cross_entropy(package):
    """Over (gap, token) of a row; nothing missing costs nothing; several: their mean."""
    net = network(package)
    body = (A, B, A)
    each = len(body) + 1 if package.spec.has("(gone) weight bound") else 1
    for taken in [(), (0,), (1,), (2,), (0, 1), (0, 2), (0, 1, 2)]:
        _, noised, terms = terms_of(package, net, body, taken)
        hidden = net.trunk(noised.xt, noised.attend)
        gaps = noised.open[0].nonzero()[:, 0]
        flat = net.slot(hidden[0, gaps]).detach().numpy()
        flat = flat - np.logaddexp.reduce(flat.ravel())
        wanted = [(sum(j < i and j not in taken for j in range(i)), body[i]) for i in taken]
        cost = -float(np.mean([flat[g, token] for g, token in wanted])) if taken else 0.0
        own = max(1, len(taken)) if package.spec.over == "gone per sequence" else 1
        assert terms["slot"].item() == pytest.approx(each * cost / own, rel=1e-4, abs=1e-5)


def test_l6_means_per_sequence_are_the_bound_of_another_package_over_l_plus_1(workshop):
    """Atlas 3.6: the loss of MLM by sequences is that of MDLM over L + 1, of any heads."""
    mlm, mdlm = workshop.package("mask_mlm"), workshop.package("mdlm")
    tables, _ = mask_table(mdlm, strings(3), wrong=True)
    for body in ((A, A, B), (B, A, B)):
        costs = [
            expected_terms(package, Table(tables), body)["token"].item() for package in (mlm, mdlm)
        ]
        assert 4 * costs[0] == pytest.approx(costs[1], rel=1e-5)
        assert nelbo(mlm, Table(tables), body) == pytest.approx(costs[1], rel=1e-5)


@every(["mlm"])
def test_l7_a_mean_over_the_masked_of_a_batch_is_a_ratio(package):
    """It divides by the masks that there are: a weight of L / k costs H_8 = 2.718 a row alone."""
    batch = one(package, (A,) * 8)
    weights = []
    for k in range(1, 9):
        gone = torch.zeros_like(batch.free)
        gone[0, batch.free[0].nonzero()[:k, 0]] = True
        noised = chosen(package, batch, torch.tensor([0.4]).double(), gone)
        weights.append(over(package, noised, batch))
    assert weights == list(range(1, 9))
    assert np.mean([8 / k for k in weights]) == pytest.approx(2.718, abs=1e-3)

"""Losses and likelihoods against exact tables: every expectation is a sum over all outcomes."""

from itertools import permutations
from math import exp, lgamma, log

import numpy as np
import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B
from laws.costs import (
    expected_terms,
    gone_cost,
    mask_cost,
    masked,
    over,
    row_of,
    weight,
)
from laws.examples import MIXED, REPEATS, around, layouts, network, one, strings
from laws.scripted import chosen, corrupted, draw, every_count, pick, repeat
from laws.stats import mean_is
from laws.table import (
    Table,
    chain_costs,
    conditionals,
    drops,
    generated,
    insertion_heads,
    masked_costs,
    normalised,
    scrambled,
)

from xlm_runtime.plug import Example

CLOSE = 3e-6  # the training loss is computed in single precision
LIKELY = zoo.MASKS + zoo.GONES
WEIGHTED = zoo.those("(gone) weight bound")


def every(names):
    return pytest.mark.parametrize("package", names, indirect=True)


def whole(package, law):
    """A law over bodies as one over rows, and the free places."""
    rows = {row_of(package, body)[0]: p for body, p in law.items()}
    return rows, row_of(package, next(iter(law)))[1]


def mask_table(package, law, wrong=False, tilt=0.0):
    tables = conditionals(*whole(package, law))
    tables = scrambled(tables) if wrong else tables
    return tables, Table(tables, tilt=tilt, shift=package.spec.shift)


def gone_table(package, law, weighted, wrong=False):
    """The heads that weight 1, or weight L + 1, trains on a law; or wrong ones."""
    before, after = around(package)
    logits, odds = insertion_heads(
        law, (lambda n: n + 1) if weighted else lambda n: 1, before, after
    )
    if wrong:
        rng = np.random.default_rng(4)
        logits = scrambled(logits)
        odds = {s: z if abs(z) == 40 else float(rng.normal()) for s, z in odds.items()}
    return logits, odds, Table(logits, odds)


def nelbo(package, table, body):
    """The likelihood bound of one body, over all that its noise can do."""
    batch, noise = every_count(one(package, body))
    found = package.family.nelbo(table, batch, noise)
    return float(found.nats.double().mean())


@every(zoo.MASKS)
def test_l1_nelbo_of_exact_conditionals_is_minus_log_p(package):
    """Pointwise, whatever the schedule: atlas L1, with L5's estimator by exact counts."""
    law = strings(3)
    _, table = mask_table(package, law)
    assert package.family.claim.value == "tight"
    for body, p in law.items():
        assert nelbo(package, table, body) == pytest.approx(-log(p), abs=1e-12)


@every(zoo.GONES)
@pytest.mark.parametrize("law", [MIXED, REPEATS], ids=["mixed", "repeats"])
def test_l1_nelbo_of_exact_insertions_is_minus_log_p(package, law):
    """With the heads that weight L + 1 trains: lengths differ, tokens repeat."""
    _, _, table = gone_table(package, law, weighted=True)
    for body, p in law.items():
        assert nelbo(package, table, body) == pytest.approx(-log(p), abs=1e-11)


@every(zoo.GONES)
@pytest.mark.parametrize("law", [MIXED, REPEATS], ids=["mixed", "repeats"])
def test_l1_nelbo_of_insertions_trained_with_weight_1_has_slack(package, law):
    """They model p / (L + 1): the bound is tight for that law, and above the entropy of p."""
    _, _, table = gone_table(package, law, weighted=False)
    other = normalised({body: p / (len(body) + 1) for body, p in law.items()})
    mean = 0.0
    for body, p in law.items():
        found = nelbo(package, table, body)
        assert found == pytest.approx(-log(other[body]), abs=1e-11)
        mean += p * found
    assert mean > -sum(p * log(p) for p in law.values()) + 0.01


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


def tilted_cost(package, tables, table, row, free):
    """The bound of answers that depend on the time: the integral of dp / p over p = 1 - alpha."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    total = 0.0
    for x, w in zip((nodes + 1) / 2, weights / 2, strict=True):
        told = -log(1 - x) if package.spec.has("condition = sigma") else when(package.spec, x)
        tilt = {
            s: tables[s] + told * table.tilt[i, : len(s)].numpy() for s, i in table.states.items()
        }
        costs, length = masked_costs(tilt.__getitem__, row, free), len(free)
        for k in range(1, length + 1):
            sets = lgamma(length + 1) - lgamma(k + 1) - lgamma(length - k + 1)
            total += w / x * exp(sets) * x**k * (1 - x) ** (length - k) * costs[k]
    return total


def when(spec, p):
    """The time at which 1 - alpha(t) = p, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - spec.alpha(middle) < p else (low, middle)
    return low


@every(zoo.those("dit(condition"))
def test_l1_nelbo_of_answers_that_depend_on_time(package):
    """Its mean is the integral of hazard times cross-entropies, for any answers."""
    tables, table = mask_table(package, strings(2), wrong=True, tilt=2.0)
    row, free = row_of(package, (A, B))
    expected = tilted_cost(package, tables, table, row, free)
    flat = mask_cost(zoo.SPECS["mdlm"], tables.__getitem__, row, free)
    assert abs(expected - flat) > 0.05  # the time matters here
    batch = repeat(one(package, (A, B)), 8_000)
    mean_is(package.family.nelbo(table, batch, draw(batch, 31)).nats, expected)


@every(LIKELY)
def test_l1_nelbo_is_unbiased(package):
    """The mean of single draws, for wrong answers."""
    body = (A, A, B)
    batch = repeat(one(package, body), 8_000)
    if package.has("noise.close"):
        *_, table = gone_table(package, MIXED, weighted=False, wrong=True)
    else:
        _, table = mask_table(package, strings(3), wrong=True)
    found = package.family.nelbo(table, batch, draw(batch, 32))
    mean_is(found.nats, nelbo(package, table, body))


def uniform(package, body):
    """A network that knows nothing but which tokens there are."""
    allowed = torch.zeros(VOCAB.size).masked_fill(~VOCAB.allowed(()), -torch.inf).numpy()
    row, free = row_of(package, body)
    if package.has("noise.close"):
        before, after = around(package)
        states = {before + left + after for left, _, _ in drops(body)}
        return Table({s: np.tile(allowed, (len(s), 1)) for s in states})
    states = conditionals({row: 1.0}, free)
    return Table({s: np.tile(allowed, (len(s), 1)) for s in states}, shift=package.spec.shift)


@every(LIKELY)
def test_l4_a_uniform_network_costs_log_v_a_token(package):
    """V = 3 tokens, no specials; with insertions each decision to stop costs log 2."""
    body = (A, B, B, A)
    stops = (len(body) + 1) * log(2) if package.has("noise.close") else 0.0
    table = uniform(package, body)
    assert nelbo(package, table, body) == pytest.approx(4 * log(3) + stops, abs=1e-11)


@every(zoo.MASKS)
def test_l4_a_network_that_knows_costs_nothing(package):
    _, table = mask_table(package, {(A, B, B): 1.0})
    assert nelbo(package, table, (A, B, B)) == pytest.approx(0, abs=1e-12)


@every(zoo.GONES)
def test_l4_insertions_that_know_cost_nothing(package):
    *_, table = gone_table(package, {(A, B, B): 1.0}, weighted=True)
    assert nelbo(package, table, (A, B, B)) == pytest.approx(0, abs=1e-11)


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


@every(zoo.MASKS)
def test_l22_nelbo_of_wrong_answers_is_the_mean_over_orders(package):
    """Hence above -log of the chance that revealing in a random order gives the row."""
    law = strings(3)
    tables, table = mask_table(package, law, wrong=True)
    mean = 0.0
    for body, p in law.items():
        row, free = row_of(package, body)
        costs = chain_costs(tables, row, free)
        assert len(costs) == len(list(permutations(free)))
        found = nelbo(package, table, body)
        assert found == pytest.approx(np.mean(costs), abs=1e-11)
        assert found >= -log(np.mean(np.exp(-np.array(costs)))) - 1e-12
        mean += p * found
    assert mean > -sum(p * log(p) for p in law.values())


@every(zoo.GONES)
@pytest.mark.parametrize("law", [MIXED, REPEATS], ids=["mixed", "repeats"])
def test_l22_nelbo_of_wrong_insertions_bounds_what_they_generate(package, law):
    logits, odds, table = gone_table(package, law, weighted=False, wrong=True)
    made = generated(logits, odds, *around(package), limit=9)
    mean = 0.0
    for body, p in law.items():
        found = nelbo(package, table, body)
        assert found >= -log(made[body]) - 1e-11
        mean += p * found
    assert mean > -sum(p * log(p) for p in law.values())


def ends(package, batch):
    """The batch with nothing and with everything corrupted, at the ends of the amount's range."""
    for share in (0, 1):
        gone = batch.free if share else torch.zeros_like(batch.free)
        amount = share * batch.free.sum(1)
        if not package.spec.has("amount count"):
            spec = package.spec
            t = min(spec.high, 1 - 1e-9) if share else spec.low
            amount = torch.full((len(gone),), t, dtype=torch.float64)
            if not amount.any():
                yield package.family.corrupt(batch, amount, draw(batch), VOCAB)
                continue
        yield chosen(package, batch, amount, gone)


@every(zoo.NOISED)
def test_l23_finite_whatever_is_corrupted(package):
    """The loss and its slopes, with empty bodies and with nothing else, too."""
    for name, _layout, batch in layouts(package):
        net = network(package, name)
        for part in (batch, pick(batch, slice(1, 2))):
            for noised in ends(package, part):
                losses = package.family.loss(net, noised, part)
                net.zero_grad()
                losses.total.backward()
                assert losses.total.isfinite()
                slopes = [w.grad for w in net.parameters() if w.grad is not None]
                assert all(slope.isfinite().all() for slope in slopes)
            assert package.family.nelbo(net, part, draw(part)).nats.isfinite().all()


@every(zoo.NOISED)
def test_l23_no_noise_costs_no_tokens(package):
    for name, _, batch in layouts(package):
        noised = next(ends(package, batch))
        terms = package.family.loss(network(package, name), noised, batch).terms
        assert terms["slot" if "slot" in terms else "token"].item() == 0


@every(zoo.NOISED)
def test_l24_a_batch_is_the_weighted_mean_of_its_rows(package):
    """The denominator is the one of the spec; a batch twice over has the same loss."""
    for name, _, batch in layouts(package):
        net = network(package, name)
        noised = corrupted(package, batch, draw(batch, 6))
        losses = package.family.loss(net, noised, batch)
        for term, value in losses.terms.items():
            rows = []
            for i in range(len(batch.x0)):
                alone, row = pick(noised, [i]), pick(batch, [i])
                part = package.family.loss(net, alone, row).terms[term]
                rows.append(part.item() * over(package, alone, row))
            total = sum(rows) / over(package, noised, batch)
            assert value.item() == pytest.approx(total, rel=1e-4, abs=1e-5)
        twice = [*range(len(batch.x0))] * 2
        again = package.family.loss(net, pick(noised, twice), pick(batch, twice))
        assert again.total.item() == pytest.approx(losses.total.item(), rel=1e-4)


ANSWERS = [n for n in zoo.those("[body eos pad]") if not zoo.SPECS[n].has("visible(")]


class Unsure(torch.nn.Module):
    """A network that finds all tokens alike."""

    vocab = VOCAB

    def trunk(self, xt, *_):
        return xt[..., None].double()

    def token(self, hidden):
        return torch.zeros(len(hidden), VOCAB.size)


@every(ANSWERS)
def test_l19_an_answer_in_more_room_costs_what_the_denominator_says(package):
    """The same, all hidden and each token as likely, where the mean is over its own tokens.

    Over sequences in proportion to the room that eos and padding fill; over the block by its share.
    """
    found, expected = [], []
    for room in (4, 7):
        batch = package.layout("seq2seq", room)([Example(0, (A, B), (A, A, B))])
        count = batch.free.sum(1)
        assert count == room + 1
        amount = count if package.spec.has("amount count") else torch.tensor([0.4]).double()
        noised = chosen(package, batch, amount, batch.free)
        found.append(package.family.loss(Unsure(), noised, batch).total.item() / log(VOCAB.size))
        share = weight(package.spec, 0.4, room + 1, room + 1) * (room + 1)
        share /= room + 1 if "per" in package.spec.over else 1
        expected.append(share / over(package, noised, batch))
    assert found == pytest.approx(expected, rel=1e-6)
    if package.spec.over.startswith("tokens"):
        assert found[0] == pytest.approx(found[1], rel=1e-6)


@every([n for n in zoo.NOISED if "per" in zoo.SPECS[n].over or zoo.SPECS[n].over == "sequences"])
def test_l19_a_row_costs_the_same_beside_any_companions(package):
    """With a mean over rows, each divided by its own number."""
    for name, _, batch in layouts(package):
        net = network(package, name)
        noised = corrupted(package, batch, draw(batch, 6))
        alone = [
            package.family.loss(net, pick(noised, [i]), pick(batch, [i])).total.item()
            for i in range(len(batch.x0))
        ]
        for rows in ([0, 2], [2, 3, 4], [5, 1, 0, 3]):
            found = package.family.loss(net, pick(noised, rows), pick(batch, rows)).total.item()
            assert found == pytest.approx(np.mean([alone[i] for i in rows]), rel=1e-4)


@every(zoo.those("param stop_scale"))
def test_l24_a_scale_multiplies_its_own_term_alone(package):
    _, _, batch = layouts(package)[0]
    net = network(package)
    noised = corrupted(package, batch, draw(batch, 6))
    once = package.family.loss(net, noised, batch).terms
    thrice = package.family.loss(net, noised, batch, stop_scale=3.0).terms
    assert thrice["slot"].item() == once["slot"].item()
    assert thrice["done"].item() == pytest.approx(3 * once["done"].item(), rel=1e-6)


def test_l1_the_table_is_exact():
    """The tables themselves: conditionals of the law, and insertions that generate it."""
    law = strings(3)
    tables = conditionals(law, range(3))
    for row, p in law.items():
        chances = np.exp(np.negative(chain_costs(tables, row, [0, 1, 2])))
        assert chances == pytest.approx([p] * 6)
    assert np.exp(tables[masked((A, B, A), [0, 1, 2])][0]).sum() == pytest.approx(1)
    for string_law in (MIXED, REPEATS):
        heads = insertion_heads(string_law, lambda n: n + 1, (2,))
        made = generated(*heads, (2,), (), limit=9)
        assert {k: v for k, v in made.items() if v > 1e-15} == pytest.approx(string_law)


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

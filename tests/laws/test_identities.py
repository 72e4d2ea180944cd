"""Families that say the same in different ways: the identities of atlas 3.6."""

from collections import Counter
from dataclasses import replace
from itertools import combinations, permutations, product
from math import comb, log

import numpy as np
import pytest
import torch
from laws.build import VOCAB, A, B
from laws.costs import expected_terms, over, row_of
from laws.examples import MIXED, REPEATS, around, one, strings
from laws.flow import COUNTED
from laws.scripted import Scripted, chosen, draw, every_count, pick, repeat
from laws.stats import samples_of
from laws.table import Row, Table, conditionals, insertion_heads, normal, scrambled

SAMPLED = [("ilm", "sampled"), ("gone_bound", "default"), ("gone_balanced", "default")]
DRAWS = 6_000


def dropped(law: dict[Row, float], size: int) -> dict[Row | str, float]:
    """The law of what is left when tokens are dropped in random order until `size` are there.

    Its chances add up to that of at least so many tokens.
    """
    found: Counter[Row | str] = Counter()
    for body, p in law.items():
        for kept in combinations(range(len(body)), size):
            found[tuple(body[i] for i in kept)] += p / comb(len(body), size)
    return dict(found)


@pytest.mark.parametrize(("package", "name"), SAMPLED, indirect=["package"])
@pytest.mark.parametrize("law", [MIXED, REPEATS], ids=["mixed", "repeats"])
def test_7_insertions_of_weight_l_plus_1_are_random_drops_run_backwards(package, name, law):
    """The jump chain of an insertion process: at every size the law of what drops would leave."""
    first, last = around(package)
    table = Table(*insertion_heads(law, lambda n: n + 1, first, last))
    batch = repeat(one(package, ()), DRAWS)
    made = package.sampler(name)(table, batch, draw(batch, 17), 8, record=True)
    size = made.body.sum(1)
    for tokens, state in enumerate(made.history):
        rows = state[size >= tokens][:, len(first) : len(first) + tokens]
        seen = Counter(map(tuple, rows.tolist()))
        expected = dropped(law, tokens)
        fewer = 1 - sum(expected.values())
        if len(rows) < DRAWS:
            seen["fewer"], expected["fewer"] = DRAWS - len(rows), fewer
        samples_of(seen, expected)


@pytest.mark.parametrize("package", ["ilm", "gone_t"], indirect=True)
def test_9_given_its_gap_a_token_follows_the_softmax_of_that_gap_alone(package):
    """A joint softmax is a law of gaps times one of the tokens of each: a slot-wise family.

    So n missing tokens of one gap cost what they cost slot by slot, plus -log p(gap) each.
    """
    rng = np.random.default_rng(3)
    first, last = around(package)
    state = (*first, 5, 6, *last)
    shape = (len(state), VOCAB.size)
    opened = range(len(first) - 1, len(first) + 2)
    logits = np.full(shape, -np.inf)
    for gap in opened:
        logits[gap, 5:8] = rng.normal(size=3)
    flat = normal(logits.reshape(1, -1))[0].reshape(shape)
    open_ = torch.tensor([[gap in opened for gap in range(len(state))]])
    rows = torch.from_numpy(logits)[open_[0]]
    for gap in opened:
        own = normal(logits[gap : gap + 1, 5:8])[0]
        where = log(np.exp(flat[gap]).sum())
        for token in (5, 6, 7):
            found = package.gaps.joint_nll(
                rows, open_, torch.tensor([gap]), torch.tensor([0]), torch.tensor([token])
            )
            assert float(found) == pytest.approx(-where - own[token - 5], abs=1e-12)


# 2: MDLM, LLaDA without its guard, and insertions of masks that all come at once


BODIES = [(A, A, B), (B, A, B)]


def tables_of(package, law, wrong):
    rows = {row_of(package, body)[0]: p for body, p in law.items()}
    tables = conditionals(rows, row_of(package, next(iter(law)))[1])
    return scrambled(tables) if wrong else tables


@pytest.mark.parametrize("wrong", [False, True], ids=["exact", "wrong"])
@pytest.mark.parametrize("body", BODIES)
def test_2_llada_without_its_guard_is_mdlm(workshop, body, wrong):
    """With t ~ U(0, 1) for U(1e-3, 1), token by token: the loss of one is that of the other."""
    mdlm, llada = workshop.package("mdlm"), workshop.package("llada")
    assert (llada.spec.low, mdlm.spec.has("amount count")) == (1e-3, True)
    unguarded = replace(llada, spec=replace(llada.spec, low=0.0))
    tables = tables_of(mdlm, strings(3), wrong)
    losses, bounds = [], []
    for package in (mdlm, unguarded):
        losses.append(expected_terms(package, Table(tables), body)["token"].item())
        batch, noise = every_count(one(package, body))
        bounds.append(package.family.nelbo(Table(tables), batch, noise).nats.mean().item())
    assert losses[0] == pytest.approx(losses[1], rel=3e-6)
    assert bounds[0] == pytest.approx(bounds[1], rel=1e-12) == pytest.approx(losses[0], rel=3e-6)
    if not wrong:
        assert bounds[0] == pytest.approx(-log(strings(3)[body]), abs=1e-12)


class Full(Table):
    """A table that knows that nothing is missing."""

    def gap(self, hidden):
        return torch.zeros(len(hidden), dtype=torch.float64)


def at_once(batch, masks, amount):
    """Noise under which every token has come back as a mask at t = 1; some are masks still."""
    nearly = torch.full(masks.shape, 1 - 2.0**-53, dtype=torch.float64)
    return Scripted(amount=amount, insert=nearly, unmask=torch.where(masks, 0.0, nearly))


def sets(package, body):
    """One row for each set of masks."""
    batch = one(package, body)
    places = batch.free[0].nonzero()[:, 0].tolist()
    masks = torch.zeros(2 ** len(body), batch.x0.shape[1], dtype=torch.bool)
    for row, hidden in enumerate(product((False, True), repeat=len(body))):
        masks[row, places] = torch.tensor(hidden)
    return repeat(batch, len(masks)), masks


@pytest.mark.parametrize("wrong", [False, True], ids=["exact", "wrong"])
@pytest.mark.parametrize("package", COUNTED, indirect=True)
def test_2_masks_that_come_all_at_once_have_the_bound_of_mdlm(package, workshop, wrong):
    """FlexMDM whose insertions are over at once, whatever its clock of unmasking."""
    mdlm, body = workshop.package("mdlm"), (A, B)
    tables = tables_of(mdlm, strings(2), wrong)
    batch, masks = sets(package, body)
    share, total = masks.sum(1).double(), 0.0
    for x, w in zip(*np.polynomial.legendre.leggauss(80), strict=True):
        table = Full(tables)
        noise = at_once(batch, masks, torch.full((len(masks), 1), (1 - x) / 2).double())
        nats = package.family.nelbo(table, batch, noise).nats
        p = 1 - package.spec.alpha(float(table.told[-1][0]))
        p = p / (1 - package.spec.alpha(1.0))
        total += w / 2 * float(nats @ (p**share * (1 - p) ** (len(body) - share)))
    batch, noise = every_count(one(mdlm, body))
    expected = mdlm.family.nelbo(Table(tables), batch, noise).nats.mean().item()
    assert total == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("two", "single"), [("flexmdm", "mask_t"), ("both_square", "mask_square")])
@pytest.mark.parametrize("t", [0.07, 0.5, 0.93])
def test_2_masks_that_come_all_at_once_have_the_loss_of_mdlm(workshop, two, single, t):
    """State by state, at the same time of the same clock: nothing is missing, which is free."""
    one_clock, two_clocks = workshop.package(single), workshop.package(two)
    tables = tables_of(one_clock, strings(3), wrong=True)
    many, masks = sets(two_clocks, BODIES[0])
    params = {"cap": 1e9} if two_clocks.spec.has("param cap") else {}
    for i in range(len(masks)):
        batch, found = pick(many, [i]), []
        times = torch.tensor([t], dtype=torch.float64)
        noised = two_clocks.family.corrupt(batch, times, at_once(batch, masks[[i]], times), VOCAB)
        assert torch.equal(noised.masked, masks[[i]])
        terms = two_clocks.family.loss(Full(tables), noised, batch, **params).terms
        found.append(terms["token"].item() * over(two_clocks, noised, batch))
        found[0] /= two_clocks.spec.high - two_clocks.spec.low
        assert terms["gap"].item() < 1e-20
        noised = chosen(one_clock, batch, times, masks[[i]])
        total = one_clock.family.loss(Table(tables), noised, batch).total
        found.append(total.item() * over(one_clock, noised, batch))
        assert found[0] == pytest.approx(found[1], rel=3e-6)


# 4: decoders that are one another


def test_4_llada_at_random_with_a_step_for_each_token_is_any_order_sampling(workshop):
    """Each order of the places alike, and in each of them the law of the data."""
    package, law = workshop.package("llada"), strings(3)
    table = Table(tables_of(package, law, wrong=False))
    batch = repeat(one(package, (A, A, A)), DRAWS)
    sampler = package.sampler(steps=3, order="random", temperature=1.0)
    made = sampler(table, batch, draw(batch, 19), 8, record=True)
    assert (made.nfe == 3).all()
    places = batch.free[0].nonzero()[:, 0]
    left = torch.stack([state[:, places] == VOCAB["mask"] for state in made.history]).sum(0)
    found = zip(left.tolist(), made.x[:, places].tolist(), strict=True)
    orders = list(permutations((1, 2, 3)))  # when each place was revealed
    expected = {(order, body): p / len(orders) for order in orders for body, p in law.items()}
    samples_of(Counter((tuple(order), tuple(body)) for order, body in found), expected)


@pytest.mark.parametrize("steps", [1, 3, 7])
@pytest.mark.parametrize(("name", "neutral"), [
    ("dream", {"temperature": 1.0, "top_p": 1.0}), ("mask_shifted", {}),
])  # fmt: skip
def test_4_the_origin_of_dream_is_the_sampler_of_mdlm(workshop, name, neutral, steps):
    """Draw for draw, with a table that speaks of one token further to the right."""
    dream, mdlm = workshop.package(name), workshop.package("mdlm")
    tables, batch = tables_of(mdlm, strings(3), wrong=False), repeat(one(mdlm, (A, A, A)), 300)
    made = [
        sampler(Table(tables, shift=package.spec.shift), batch, draw(batch, 23), 8, record=True)
        for package, sampler in (
            (dream, dream.sampler("origin", steps=steps, **neutral)),
            (mdlm, mdlm.sampler(steps=steps)),
        )
    ]
    assert torch.equal(made[0].x, made[1].x)
    assert len({*map(tuple, made[0].x.tolist())}) > 4
    ends = [state for run in made for state in run.history[len(made[0].history) - 1 :]]
    assert all(torch.equal(state, made[0].x) for state in ends)
    pairs = zip(made[0].history, made[1].history, strict=False)
    assert all(torch.equal(*pair) for pair in pairs)

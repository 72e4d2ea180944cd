"""Rules that give way to others, orders at random, and amounts that read the network's answer."""

import itertools
from math import exp

import numpy as np
import pytest
import torch
from laws.build import VOCAB, A, B, C
from laws.decoded import HITTING, bodies, every, filled, mask_table, samplers
from laws.examples import network, one, strings
from laws.scripted import draw, repeat
from laws.stats import follows, mean_is, samples_of

MASK = VOCAB["mask"]
SURE = (0.9, 0.8, 0.55)  # of A at each of three places
LAW = {
    row: SURE[0] ** (row[0] == A) * 0.1 ** (row[0] == B) * SURE[1] ** (row[1] == A)
    * 0.2 ** (row[1] == B) * SURE[2] ** (row[2] == A) * 0.45 ** (row[2] == B)
    for row in itertools.product((A, B), repeat=3)
}  # fmt: skip


def revealed(package, name, rows=4000, **params):
    """The places that each step reveals, in rows whose three places are independent."""
    table, sampler = mask_table(package, LAW), package.sampler(name, **params)
    _, decoded = filled(package, table, sampler, 3, rows=rows, record=True)
    free = one(package, (A, A, A)).free[0].nonzero()[:, 0]
    masked = [(state == MASK)[:, free] for state in decoded.history]
    return [before & ~after for before, after in itertools.pairwise(masked)], decoded


def without_replacement(weights, count):
    """The chance of each set of ``count`` places drawn one after the other by their weights."""
    law = {}
    for order in itertools.permutations(range(len(weights)), count):
        chance, left = 1.0, sum(weights)
        for place in order:
            chance, left = chance * weights[place] / left, left - weights[place]
        law[frozenset(order)] = law.get(frozenset(order), 0.0) + chance
    return law


@every(["mask_rules"])
@pytest.mark.parametrize("steps", [2, 4])
def test_d28_an_annealed_order_is_drawn_without_replacement(package, steps):
    """By exp(score / temperature), of which the temperature is that of the step: heat * s."""
    heat = 0.6
    steps_taken, _ = revealed(package, "annealed", heat=heat, steps=steps)
    s = 1 - 1 / steps
    law = without_replacement([exp(score / (heat * s)) for score in SURE], 2)
    found = [frozenset(row.nonzero()[:, 0].tolist()) for row in steps_taken[0]]
    follows([found.count(places) for places in law], list(law.values()))


@every(["mask_rules"])
def test_d28_an_order_at_temperature_0_is_the_plain_one(package):
    """The two surest, then the last; and the tokens are those of the decoder without noise."""
    for name in ("annealed", "heated"):
        (first, second, *_), cold = revealed(package, name, rows=200, heat=0.0, steps=4)
        assert first.tolist() == [[True, True, False]] * 200
        assert second.tolist() == [[False, False, True]] * 200
        _, plain = revealed(package, "plain", rows=200, steps=4)
        assert torch.equal(cold.x, plain.x)


@every(["mask_rules"])
def test_d28_a_temperature_of_a_row_is_its_own(package):
    """heat * masked / 3: rows with fewer masks are less random."""
    first, *_ = revealed(package, "heated", heat=0.6, steps=4)[0]
    law = without_replacement([exp(score / 0.6) for score in SURE], 2)
    found = [frozenset(row.nonzero()[:, 0].tolist()) for row in first]
    follows([found.count(places) for places in law], list(law.values()))


@every(["mask_rules"])
@pytest.mark.parametrize("tau", [0.5, 0.7, 0.85, 0.95])
def test_d29_rows_without_a_sure_mask_go_by_the_second_rule(package, tau):
    """All that are above the threshold; where none is, the next two."""
    steps, _ = revealed(package, "patient", rows=100, tau=tau)
    left = list(SURE)
    for step in steps:
        sure = [p for p in left if p > tau] or left[:2]
        expected = [score in sure for score in SURE]
        assert step.tolist() == [expected] * 100
        left = [p for p in left if p not in sure]
    assert not left


@every(["mask_rules"])
@pytest.mark.parametrize("tau", [0.5, 0.7, 0.85, 0.95])
def test_d39_joined_rules_take_what_either_takes(package, tau):
    """All that are above the threshold, and never fewer than the first two; in any order."""
    for name in ("joined", "swapped"):
        steps, _ = revealed(package, name, rows=100, tau=tau)
        left = list(SURE)
        for step in steps:
            taken = [p for i, p in enumerate(left) if p > tau or i < 2]
            assert step.tolist() == [[score in taken for score in SURE]] * 100
            left = [p for p in left if p not in taken]
        assert not left


@every(["mask_rules"])
def test_d39_of_three_rules_the_last_are_joined_first(package):
    """`above .85 else above .7 or quota 2`: .9 alone, and where none is above .85 two at least."""
    steps, _ = revealed(package, "three", rows=50)
    found = [step.tolist() for step in steps]
    assert found == [[[True, False, False]] * 50, [[False, True, True]] * 50]


@every(["mask_rules"])
def test_d29_a_chance_that_fails_everywhere_gives_way_to_the_leftmost(package):
    """Each on its own; a row in which none is revealed reveals its leftmost one."""
    first, *_ = revealed(package, "trying")[0]
    chance = 0.3
    for i in range(3):
        alone = (1 - chance) ** 3 if i == 0 else 0.0
        mean_is(first[:, i].double(), chance + alone)
    assert first.any(1).all()


@every(["mask_rules"])
def test_d30_a_quota_reads_the_mean_confidence_of_a_row(package):
    """floor(masked * confidence), at least one: 2 of (.9, .8, .55), then the last."""
    steps, _ = revealed(package, "measured", rows=100)
    assert steps[0].tolist() == [[True, True, False]] * 100
    assert steps[1].tolist() == [[False, False, True]] * 100


@every(["mask_rules"])
def test_d30_a_chance_reads_the_confidence_of_its_place(package):
    """A let of it, too: each is revealed with the square of the chance of its likeliest token."""
    first, *_ = revealed(package, "bold")[0]
    for i, score in enumerate(SURE):
        mean_is(first[:, i].double(), score**2)


def taken_back(package, name, rows=60, **params):
    """Each step's rows before it, the chances there, and the tokens that become masks again."""
    net = network(package, "text")
    batch = repeat(one(package, (A, B, A, B, A)), rows)
    sampler = package.sampler(name, steps=5, **params)
    decoded = sampler(net, batch, draw(batch, 5), 8, record=True)
    for before, after in itertools.pairwise(decoded.history[:6]):
        with torch.no_grad():
            chances = net.token(net.trunk(before, None)).softmax(-1)
        written = batch.free & (before != MASK)
        yield before, chances, written, written & (after == MASK)


def current(before, chances):
    return chances.gather(-1, before[:, :, None])[:, :, 0].double()


@every(["mask_rules"])
def test_d9_the_tokens_of_which_the_network_is_least_sure_now_come_back(package):
    """By the chance of each token in the answer to the row as it is."""
    seen = 0
    for before, chances, written, again in taken_back(package, "planned"):
        sure = current(before, chances).masked_fill(~written, 2.0)
        for i in range(len(before)):
            back = again[i].nonzero()[:, 0].tolist()
            assert len(back) == min(1, int(written[i].sum()))
            assert all(float(sure[i, k]) <= float(sure[i].min()) + 1e-6 for k in back)
            seen += len(back)
    assert seen > 100


@every(["mask_rules"])
def test_d9_a_token_comes_back_with_the_chance_that_its_present_confidence_leaves(package):
    """eta * (1 - confidence), each on its own."""
    off, variance = 0.0, 0.0
    for before, chances, written, again in taken_back(package, "shaken", eta=0.6):
        chance = (0.6 * (1 - current(before, chances)))[written]
        off += float((again[written].double() - chance).sum())
        variance += float((chance * (1 - chance)).sum())
    assert variance > 50
    assert abs(off) < 4.9 * variance**0.5
    assert not any(again.any() for *_, again in taken_back(package, "shaken", eta=0.0))


@every(["mask_rules"])
def test_d9_a_random_number_of_tokens_comes_back(package):
    """With mean 2 s; no more than there are: two after the first step, at s = .6."""
    again = next(itertools.islice(taken_back(package, "scattered", rows=3000), 1, None))[3].sum(1)
    mean, counts = 1.2, torch.bincount(again, minlength=3).tolist()
    law = [exp(-mean), mean * exp(-mean)]
    follows(counts, [*law, 1 - sum(law)])


@every(["mask_rules"])
def test_d9_tokens_come_back_in_an_order_with_noise(package):
    """At temperature 0 those of the smallest margin now; else others, too."""
    others = {0.0: 0, 2.0: 0}
    for heat in others:
        for _, chances, written, again in taken_back(package, "tepid", heat=heat):
            best = chances.double().topk(2, dim=-1).values
            lead = (best[:, :, 0] - best[:, :, 1]).masked_fill(~written, 2.0)
            least = lead <= lead.amin(1, keepdim=True) + 1e-6
            others[heat] += int((again & ~least).sum())
    assert others[0.0] == 0
    assert others[2.0] > 20


def rows_of(*values):
    return torch.tensor(values, dtype=torch.float64)


@every(["mask_rules"])
def test_d31_the_factor_rule_takes_as_many_as_its_bound_lets(package):
    """The largest n with (n + 1)(1 - c_n) < factor, in rows of any confidences; at least one."""
    seeded = torch.Generator().manual_seed(3)
    error = torch.rand(200, 6, generator=seeded, dtype=torch.float64) ** 2
    there = torch.rand(200, 6, generator=seeded) < 0.7
    for factor in (0.0, 0.5, 1.0, 2.5):
        found = package.places.factored(error, there, factor)
        for i in range(200):
            places = sorted(there[i].nonzero()[:, 0].tolist(), key=lambda k: error[i, k])
            fits = [n for n in range(1, len(places) + 1)
                    if (n + 1) * error[i, places[n - 1]] < factor]  # fmt: skip
            n = max(fits, default=min(1, len(places)))
            assert set(found[i].nonzero()[:, 0].tolist()) == set(places[:n])


@every(["mask_rules"])
def test_d31_a_decoder_reveals_by_the_factor_rule(package):
    """2 * .1 and 3 * .2 are below 1, and 4 * .45 is not."""
    steps, _ = revealed(package, "factored", rows=50, factor=1.0)
    assert steps[0].tolist() == [[True, True, False]] * 50
    steps, _ = revealed(package, "factored", rows=50, factor=0.3)
    assert steps[0].tolist() == [[True, False, False]] * 50


@every(["mask_rules"])
def test_the_mean_of_a_row_is_over_its_own_places(package):
    values = rows_of([0.5, 9.0, 0.1], [1.0, 2.0, 3.0])
    places = torch.tensor([[True, False, True], [False, False, False]])
    assert package.places.mean(values, places).tolist() == pytest.approx([0.3, 0.0])


@every(["mask_rules"])
def test_no_decoder_that_looks_at_an_answer_is_called_exact(package):
    """Several places at once, or an order that the answer decides."""
    laws = {name: samples.law for name, samples in package.family.samples.items()}
    assert laws.pop("default") == "limit"
    assert {*laws.values()} == {"none"}


@every(["mask_shifted"])
@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_d22_the_order_is_drawn_without_replacement(package, temperature):
    """By the chances softmax(score / temperature); at 0 the highest scores come first."""
    sampler = package.sampler("drawn", order_temperature=temperature)
    law = {(x, y): p * q for x, p in ((A, 0.9), (B, 0.1)) for y, q in ((A, 0.7), (B, 0.3))}
    table = mask_table(package, law)
    _, decoded = filled(package, table, sampler, 2, record=True)
    first = (decoded.history[1] == VOCAB["mask"])[:, 2]
    scores = np.array([0.9, 0.7])
    if temperature:
        chance = np.exp(scores / temperature)
        mean_is(first.double(), float(chance[0] / chance.sum()))
    else:
        assert first.all()


@every(["mask_orders"])
@pytest.mark.parametrize(
    ("order", "params", "place"),
    [
        ("entropy", {"temperature": 1.0}, 0),  # .69 and .95
        ("entropy", {"temperature": 0.2}, 1),  # .69 and .05
        ("entropy", {"temperature": 0.0}, 0),  # not tempered, for then both were certain
        ("entropy", {"temperature": 1.0, "top_p": 0.55}, 1),  # A alone stays of (.6, .2, .2)
        ("margin", {"temperature": 1.0}, 1),
        ("confidence", {"temperature": 0.0}, 1),  # .5 and .6
    ],
)
def test_d22_scores_of_the_law_that_tokens_are_drawn_from(package, order, params, place):
    """Two masks whose laws are (.5, .5, 0) and (.6, .2, .2): which is revealed first."""
    law = {(x, y): 0.5 * q for x in (A, B) for y, q in ((A, 0.6), (B, 0.2), (C, 0.2))}
    sampler = package.sampler("cooled", order=order, **params)
    _, decoded = filled(package, mask_table(package, law), sampler, 2, rows=50, record=True)
    free = one(package, (A, A)).free[0].nonzero()[:, 0]
    assert (decoded.history[1][:, free[1 - place]] == VOCAB["mask"]).all()


@every(["mask_orders"])
@pytest.mark.parametrize("order", ["confidence", "margin", "entropy", "random", "left"])
@pytest.mark.parametrize("name", ["single", "loud"])
def test_d3_one_token_a_step_in_any_order_gives_the_data(package, name, order):
    """As long as the order does not look at the token that was drawn."""
    law = strings(3)
    sampler = package.sampler(name, order=order)
    _, decoded = filled(package, mask_table(package, law), sampler, 3)
    samples_of(bodies(decoded), law)
    assert (decoded.nfe == 3).all()


@samplers([("mask_orders", "quick"), *((name, "first_hitting") for name in HITTING)])
def test_d3_one_token_a_step_at_random_gives_the_data(package, name):
    law = strings(3)
    _, decoded = filled(package, mask_table(package, law), package.sampler(name), 3)
    samples_of(bodies(decoded), law)


@every(["mask_orders"])
def test_d4_confidence_of_the_sampled_token_is_biased(package):
    """Two iid bits with P(1) = .9: .001, .891, .090, .018, where iid is .01, .81, .09, .09."""
    one_bit = {B: 0.1, A: 0.9}
    law = {(x, y): p * q for x, p in one_bit.items() for y, q in one_bit.items()}
    _, decoded = filled(package, mask_table(package, law), package.sampler("hasty"), 2)
    samples_of(bodies(decoded), {(B, B): 0.001, (A, A): 0.891, (A, B): 0.090, (B, A): 0.018})

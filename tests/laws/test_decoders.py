"""Decoders of masks with exact tables: the law of what they make, and their calls."""

from math import log

import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B, C
from laws.decoded import (
    CHANCES,
    DRAWS,
    HITTING,
    LIMIT,
    PAIRS,
    apart,
    bodies,
    every,
    filled,
    mask_table,
    shares,
)
from laws.examples import examples, network, strings
from laws.scripted import draw
from laws.stats import mean_is, samples_of


@every(CHANCES)
@pytest.mark.parametrize("steps", [1, 4])
def test_d1_two_tokens_revealed_together_are_drawn_apart(package, steps):
    """(1/S) p1 x p2 + (1 - 1/S) p for a linear clock; 1/S is the chance of a common step."""
    law = PAIRS
    same = sum(share**2 for share in shares(package.spec, steps))
    if package.spec.alpha(0.25) == 0.75:
        assert same == pytest.approx(1 / steps)
    product = apart(law)
    expected = {row: same * product[row] + (1 - same) * p for row, p in law.items()}
    table, sampler = mask_table(package, law), package.sampler(steps=steps)
    _, decoded = filled(package, table, sampler, 2, rows=2 * DRAWS)
    samples_of(bodies(decoded), expected)


@every(["mdlm", "mask_square", "mask_counted"])
def test_d2_many_steps_give_the_data(package):
    law = PAIRS
    _, decoded = filled(package, mask_table(package, law), package.sampler(steps=100), 2)
    samples_of(bodies(decoded), law)


@every(zoo.those("decoder origin"))
@pytest.mark.parametrize("steps", [1, 3])
def test_d22_each_mask_is_revealed_with_the_chance_1_minus_s_over_t(package, steps):
    """In the last step with certainty."""
    table = mask_table(package, strings(3))
    _, decoded = filled(
        package, table, package.sampler("origin", steps=steps), 3, record=True, rows=4_000
    )
    for i in range(steps):
        t, s = 1 - i / steps, 1 - (i + 1) / steps
        before, after = (decoded.history[k] == VOCAB["mask"] for k in (i, i + 1))
        revealed = (before & ~after)[before].double()
        assert (revealed.all()) if i == steps - 1 else True
        mean_is(revealed, 1 - s / t)


@every(CHANCES)
def test_d5_calls_of_the_network(package):
    """With answers that are reused S (1 - (1 - 1/S)^L); else each step that starts with a mask."""
    steps, length = 6, 3
    table = mask_table(package, strings(length))
    _, decoded = filled(package, table, package.sampler(steps=steps), length)
    assert table.rows == int(decoded.nfe.sum())
    parts, left, expected = shares(package.spec, steps), 1.0, 0.0
    for part in parts:
        reused = package.spec.has("reuse while unchanged")
        expected += 1 - (1 - (part if reused else left)) ** length
        left -= part
    if package.spec.alpha(0.25) == 0.75 and package.spec.has("reuse"):
        assert expected == pytest.approx(steps * (1 - (1 - 1 / steps) ** length))
    mean_is(decoded.nfe, expected)


@every(HITTING)
def test_d8_first_hitting_calls_once_a_token(package):
    table = mask_table(package, strings(3))
    _, decoded = filled(package, table, package.sampler("first_hitting"), 3, rows=200, record=True)
    assert (decoded.nfe == 3).all()
    assert table.rows == 600
    for i, state in enumerate(decoded.history):
        assert ((state == VOCAB["mask"]).sum(1) == 3 - i).all()


@every([name for name in HITTING if zoo.SPECS[name].has("condition = t")])
def test_d8_the_times_of_first_hitting(package):
    """The mean of 1 - alpha(t) after k of n events is (n - k + 1) / (n + 1)."""
    table = mask_table(package, strings(3))
    filled(package, table, package.sampler("first_hitting"), 3, rows=4000)
    assert len(table.told) == 3
    for k, times in enumerate(table.told, 1):
        p = torch.tensor([1 - package.spec.alpha(float(t)) for t in times])
        mean_is(p, (3 - k + 1) / 4)


@every(zoo.those("dit(condition"))
@pytest.mark.parametrize("steps", [1, 4])
def test_s9_the_network_is_told_the_time_of_the_state(package, steps):
    """At each step the time at which it begins: 1, 1 - 1/S, ..., 1/S."""
    table = mask_table(package, strings(3))
    filled(package, table, package.sampler(steps=steps), 3, rows=300)
    told = [times.unique().tolist() for times in table.told]
    times = [1 - i / steps for i in range(steps)]
    if package.spec.has("condition = sigma"):
        times = [-log(package.spec.alpha(t)) for t in times]
    times = [t for t in times for _ in range(1 + package.spec.has("guide cfg"))]
    assert told == [[pytest.approx(t, rel=1e-12)] for t in times]


@every(["mask_orders"])
@pytest.mark.parametrize("steps", [1, 3, 4, 7])
@pytest.mark.parametrize("name", ["default", "loud", "quick"])
def test_d7_quotas_add_up(package, name, steps):
    """Each row reveals floor(masked / steps left), and ends without masks."""
    batch = package.layout("text")(examples("text"))
    sampler = package.sampler(name, steps=steps)
    decoded = sampler(network(package), batch, draw(batch), LIMIT, record=True)
    left = batch.free.sum(1)
    for i, state in enumerate(decoded.history[1:]):
        left = left - left // (steps - i)
        assert torch.equal((state == VOCAB["mask"]).sum(1), left)
    assert len(decoded.history) == steps + 1
    assert not left.any()


@every(["mask_orders"])
def test_d7_no_quota_is_smaller_by_rounding(package):
    """In single precision 0.42 * 150 is less than 63."""
    number, floored = torch.arange(4097), package.places.floored
    for share in range(1, 101):
        assert torch.equal(floored(number * (share / 100)), number * share // 100)
        assert torch.equal(floored(number * torch.tensor(share / 100)), number * share // 100)
    for left in (1, 2, 3, 7, 49, 128, 1000, 4096):
        assert torch.equal(floored(number / left), number // left)


@every(["mask_orders"])
@pytest.mark.parametrize("tau", [0.0, 0.6, 1.0])
def test_d11_a_threshold_reveals_what_is_above_it_and_the_best(package, tau):
    """At 1 one token a step, at 0 all at once."""
    law = strings(3)
    table = mask_table(package, law)
    _, decoded = filled(
        package, table, package.sampler("threshold", tau=tau), 3, rows=300, record=True
    )
    if tau in (0.0, 1.0):
        assert (decoded.nfe == (3 if tau else 1)).all()
    for before, after in zip(decoded.history, decoded.history[1:], strict=False):
        best = torch.softmax(table.token(table.trunk(before, None).flatten(0, 1)), -1).amax(-1)
        hidden = before == VOCAB["mask"]
        score = best.view(before.shape).masked_fill(~hidden, -1)
        top = score == score.amax(1, keepdim=True)
        assert torch.equal(hidden & (after != before), hidden & ((score > tau) | top))


@every(["mask_orders"])
def test_d6_a_greedy_finish_takes_the_likeliest(package):
    """P(top) = p1 + (1 - p1) f, with f = .7^3 left over after three steps at a chance of .3."""
    law = {(A,): 0.6, (B,): 0.3, (C,): 0.1}
    table = mask_table(package, law)
    _, decoded = filled(package, table, package.sampler("slow"), 1)
    left = 0.7**3
    top = 0.6 + 0.4 * left
    samples_of(bodies(decoded), {(A,): top, (B,): 0.3 * (1 - left), (C,): 0.1 * (1 - left)})
    for name in ("unfinished", "at_once"):
        _, decoded = filled(package, table, package.sampler(name), 1)
        samples_of(bodies(decoded), law)


@every(["mask_orders"])
def test_d6_all_at_once_is_one_step(package):
    law = strings(2)
    _, decoded = filled(package, mask_table(package, law), package.sampler("at_once"), 2)
    samples_of(bodies(decoded), apart(law))
    assert (decoded.nfe == 1).all()

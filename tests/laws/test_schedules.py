"""Schedules: what was derived from the survival, against the survival itself and autograd."""

import itertools
from math import log, pi, sin, tan

import numpy as np
import pytest
import torch
from laws import zoo
from laws.build import A
from laws.examples import one
from laws.scripted import draw, repeat
from laws.stats import follows
from laws.table import Table, conditionals

RANDOM = np.random.default_rng(7).uniform(0.011, 0.989, 100)
TIMES = torch.tensor(RANDOM, dtype=torch.float64)

# Atlas 1.1: weights of the bound in closed form.
HAZARDS = {
    "mask_t": lambda t: 1 / t,
    "mask_square": lambda t: 2 / t,
    "mask_cosine": lambda t: pi / 2 / tan(pi * t / 4),
    "mask_leftover": lambda t: 1 / t,
    "mask_cubic": lambda t: (6 * t**2 - 6 * t + 2) / (2 * t**3 - 3 * t**2 + 2 * t),
    "mask_log": lambda t: 1 / ((1 + t) * log(1 + t)),
}
DERIVED = ["mask_cubic", "mask_log"]  # every quantity of the clock is in these packages


def every(names):
    return pytest.mark.parametrize("package", names, indirect=True)


def survival(package, t):
    return torch.tensor([package.spec.alpha(float(x)) for x in t], dtype=torch.float64)


def functions(package):
    return {name: f for name, f in vars(package.schedule).items() if callable(f)}


@every(DERIVED)
def test_s1_rates_are_derivatives_of_totals(package):
    """d sigma / dt by autograd is the rate; so is d alpha / dt."""
    t = TIMES.clone().requires_grad_()
    for total, rate in (("sigma", "dsigma"), ("alpha", "dalpha")):
        known = functions(package)
        (slope,) = torch.autograd.grad(known[total](t).sum(), t)
        assert torch.allclose(slope, known[rate](TIMES), rtol=1e-9)


@every(zoo.those("-> mask", "amount t"))
def test_s1_the_hazard_is_the_slope_of_the_log_of_what_is_corrupted(package):
    t = TIMES.clone().requires_grad_()
    (slope,) = torch.autograd.grad(package.schedule.corrupted(t).log().sum(), t)
    if package.has("schedule.hazard"):
        assert torch.allclose(package.schedule.hazard(TIMES), slope, rtol=1e-9)
    known = [-package.spec.slope(x) / (1 - package.spec.alpha(x)) for x in RANDOM]
    assert torch.allclose(slope, torch.tensor(known, dtype=torch.float64), rtol=1e-9)


@every([name for name in zoo.ONES if zoo.SPECS[name].has("amount t")])
def test_s2_a_clock_runs_from_clean_to_noise(package):
    """alpha(0) = 1, never rising, alpha(1) as the spec says."""
    grid = torch.linspace(0, 1, 1001, dtype=torch.float64)
    p = package.schedule.corrupted(grid)
    assert p[0] == 0
    assert float(p[-1]) == pytest.approx(1 - package.spec.alpha(1.0), abs=1e-15)
    assert (p.diff() >= 0).all()
    assert torch.allclose(1 - p, survival(package, grid), atol=1e-14)


@every(list(HAZARDS))
def test_s3_weights_in_closed_form(package):
    expected = torch.tensor([HAZARDS[name_of(package)](x) for x in RANDOM], dtype=torch.float64)
    assert torch.allclose(package.schedule.hazard(TIMES), expected, rtol=1e-12)


def name_of(package):
    return next(name for name, spec in zoo.SPECS.items() if spec is package.spec)


@every(list(HAZARDS))
def test_s3_weights_do_not_cancel_near_the_data(package):
    """To 1e-12 at t = 1e-6, where 1 - alpha(t) in floats has lost half its digits."""
    t = 1e-6
    p = {"mask_square": t * t, "mask_cosine": 2 * sin(pi * t / 4) ** 2}.get(name_of(package))
    tiny = torch.tensor(t, dtype=torch.float64)
    if p is not None:
        assert float(package.schedule.corrupted(tiny)) == pytest.approx(p, rel=1e-12)
    if name_of(package) != "mask_log":
        expected = HAZARDS[name_of(package)](t)
        assert float(package.schedule.hazard(tiny)) == pytest.approx(expected, rel=1e-12)


@every(list(HAZARDS))
def test_s4_the_integral_of_the_weight_is_a_logarithm(package):
    """From a to b: log (p(b) / p(a)), whatever the schedule."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    a, b = 0.05, 0.95
    t = torch.tensor(a + (b - a) * (nodes + 1) / 2)
    found = float(package.schedule.hazard(t) @ torch.tensor(weights)) * (b - a) / 2
    expected = log((1 - package.spec.alpha(b)) / (1 - package.spec.alpha(a)))
    assert found == pytest.approx(expected, rel=1e-10)


SPREAD = [*zoo.SPREAD, *zoo.boths("stratified"), *zoo.boths("antithetic")]


@every([name for name in SPREAD if zoo.SPECS[name].has("amount count")])
def test_s5_spread_counts_come_equally_often(package):
    """Of 64 rows of 8 tokens, 8 have each count from 1 to 8."""
    batch = repeat(one(package, (A,) * 8), 64)
    count = package.family.amount(batch, draw(batch, 3))
    assert count.bincount().tolist() == [0] + [8] * 8


@every([name for name in SPREAD if zoo.SPECS[name].has("amount t")])
@pytest.mark.parametrize("rows", [1, 5, 64])
def test_s5_spread_times_fall_one_into_each_stratum(package, rows):
    """Also the mean of what is corrupted over a batch is close to its integral."""
    spec = package.spec
    batch = repeat(one(package, (A,)), rows)
    for seed in range(20):
        t = package.family.amount(batch, draw(batch, seed))
        u = (t - spec.low) / (spec.high - spec.low)
        shift = u[0] % (1 / rows) if spec.has("antithetic") else 0.0
        cells = ((u - shift) * rows + 1e-9).floor().long() % rows
        assert cells.sort().values.tolist() == list(range(rows))
        if rows == 64:
            names = ("corrupted", "corrupted_alpha")
            corrupted = next(f for n in names if (f := getattr(package.schedule, n, None)))
            nodes, weights = np.polynomial.legendre.leggauss(40)
            times = spec.low + (spec.high - spec.low) * (nodes + 1) / 2
            mean = float(np.array([1 - spec.alpha(x) for x in times]) @ weights) / 2
            assert abs(float(corrupted(t).mean()) - mean) < 2 / rows


@every([name for name in zoo.ALL if zoo.SPECS[name].has("amount t ~ uniform")])
def test_s5_times_are_uniform_on_their_range(package):
    spec = package.spec
    batch = repeat(one(package, (A,)), 2000)
    t = torch.cat([package.family.amount(batch, draw(batch, 3, step)) for step in range(4)])
    u = (t - spec.low) / (spec.high - spec.low)
    assert float(u.min()) >= 0
    assert float(u.max()) <= 1
    follows(torch.histc(u, 20, 0, 1).tolist(), [1 / 20] * 20)


@every([name for name in zoo.ALL if zoo.SPECS[name].has("amount t ~ uniform")])
def test_s5_times_of_one_row_are_uniform(package):
    """Over the steps, in a batch of one; and no two steps draw the same."""
    batch, spec = one(package, (A,)), package.spec
    t = torch.cat([package.family.amount(batch, draw(batch, 3, step)) for step in range(1000)])
    u = (t - spec.low) / (spec.high - spec.low)
    follows(torch.histc(u, 10, 0, 1).tolist(), [1 / 10] * 10)
    assert len(t.unique()) == 1000


@every([name for name in zoo.PLAIN if zoo.SPECS[name].has("amount t ~ uniform")])
def test_s5_plain_times_are_independent(package):
    """Between neighbouring rows and between steps."""
    batch = repeat(one(package, (A,)), 8000)
    t = [package.family.amount(batch, draw(batch, 3, step)) for step in (0, 1)]
    u = [(x - package.spec.low) / (package.spec.high - package.spec.low) for x in t]
    for a, b in ((u[0][::2], u[0][1::2]), (u[0], u[1])):
        cells = (a * 5).long().clamp(max=4) * 5 + (b * 5).long().clamp(max=4)
        follows(torch.bincount(cells, minlength=25).tolist(), [1 / 25] * 25)


@every(zoo.those("amount t ~ fixed("))
def test_s5_a_fixed_time_is_the_same_for_all(package):
    batch = repeat(one(package, (A,)), 5)
    assert package.spec.low == package.spec.high
    assert package.family.amount(batch, draw(batch)).tolist() == [package.spec.low] * 5


@every(zoo.those("-> mask", "uniform(1e-3", "weight bound"))
def test_s6_a_guard_bounds_the_weight_and_leaves_the_other_end(package):
    """No time below the guard, whose weight is finite; t = 1 is in the range."""
    ends = []
    for u in (0.0, 1 - 2.0**-53):
        batch = one(package, (A,))
        source = Fixed(u)
        ends.append(package.family.amount(batch, source))
    low, high = (float(t) for t in ends)
    assert low == pytest.approx(1e-3, rel=1e-12)
    assert high == pytest.approx(1.0, rel=1e-12)
    assert float(package.schedule.hazard(ends[0])) == pytest.approx(
        -package.spec.slope(low) / (1 - package.spec.alpha(low)), rel=1e-8
    )


class Fixed:
    """Noise whose draws are all one number."""

    def __init__(self, u):
        self.u = u

    def uniform(self, stream, positions=1):
        return torch.full((1, 1), self.u, dtype=torch.float64)

    def stratified(self, stream):
        return torch.full((1,), self.u, dtype=torch.float64)

    antithetic = stratified


GRIDS = zoo.those("-> mask", "unmask chance reveal(alpha)")


@every([name for name in GRIDS if name not in ("mask_blocks", "dream")])
def test_s9_the_grid_walks_from_noise_to_data(package, monkeypatch):
    """S intervals that meet, from 1 to 0; each token is revealed with the exact chance.

    Decoding ends when no mask is left: of 1,000 rows some keep one until the last step.
    """
    seen = []
    reveal = package.schedule.reveal

    def recorded(s, t):
        seen.append((float(s), float(t)))
        return reveal(s, t)

    monkeypatch.setattr(package.decoder, "reveal", recorded)
    batch = repeat(one(package, (A, A)), 1000)
    row = {tuple(batch.x0[0].tolist()): 1.0}
    table = Table(conditionals(row, batch.free[0].nonzero()[:, 0].tolist()))
    for steps in (1, 3, 10):
        seen.clear()
        package.sampler(steps=steps)(table, batch, draw(batch), 2)
        assert len(seen) == steps
        assert seen[0][1] == 1
        assert seen[-1][0] == 0
        assert all(a[0] == b[1] for a, b in itertools.pairwise(seen))
        assert sum(t - s for s, t in seen) == pytest.approx(1, abs=1e-14)
        assert [t - s for s, t in seen] == pytest.approx([1 / steps] * steps, rel=1e-9)


@every([name for name in zoo.MASKS if zoo.SPECS[name].has("reveal(alpha)")])
def test_s9_reveal_is_what_the_reverse_chain_does(package):
    """(alpha(s) - alpha(t)) / (1 - alpha(t)), and 1 at s = 0, so that no mask is left."""
    t = TIMES
    for share in (0.0, 0.3, 0.9):
        s = share * t
        expected = (survival(package, s) - survival(package, t)) / (1 - survival(package, t))
        assert torch.allclose(package.schedule.reveal(s, t), expected, rtol=1e-7, atol=1e-9)
    ends = torch.cat([t, torch.tensor([1e-9, 1e-3, 1.0], dtype=torch.float64)])
    assert (package.schedule.reveal(torch.zeros_like(ends), ends) >= 1).all()


@every(zoo.those("dit(condition"))
def test_s2_the_inverse_undoes_the_clock(package):
    found = package.schedule.inverse(survival(package, TIMES))
    assert torch.allclose(found, TIMES, atol=1e-9)


@every([*zoo.BOTHS, "both_powers"])
def test_s2_the_inverse_undoes_the_clock_of_insertion(package):
    beta = torch.tensor([package.spec.beta(float(t)) for t in TIMES], dtype=torch.float64)
    assert torch.allclose(package.schedule.inverse_beta(beta), TIMES, atol=1e-7)


def kumaraswamy(a, b):
    return lambda u: 1 - (1 - u**a) ** b


# Package, hazard, and the clock of the papers that count time from noise to data (atlas 1.1).
TO_DATA = [
    ("mask_t", "hazard", kumaraswamy(1, 1)),
    ("mask_cosine", "hazard", lambda u: torch.sin(pi * u / 2)),
    ("mask_cubic", "hazard", lambda u: 2 * u**3 - 3 * u**2 + 2 * u),
    ("flexmdm", "hazard_alpha", lambda u: u),
    ("flexmdm", "hazard_beta", kumaraswamy(1, 1)),
    ("both_mixed", "hazard_beta", lambda u: torch.sin(pi * u / 2)),
    ("both_powers", "hazard_alpha", kumaraswamy(2, 1.5)),
    ("both_powers", "hazard_beta", kumaraswamy(2, 3)),
]


@pytest.mark.parametrize(("package", "name", "clock"), TO_DATA, indirect=["package"])
def test_s7_a_clock_from_noise_to_data_has_the_same_weights(package, name, clock):
    """At u = 1 - t: kappa' / (1 - kappa), the only place where the time enters a loss."""
    u = (1 - TIMES).requires_grad_()
    total = clock(u)
    (slope,) = torch.autograd.grad(total.sum(), u)
    expected = (slope / (1 - total)).detach()
    assert torch.allclose(getattr(package.schedule, name)(TIMES), expected, rtol=1e-9)


@every(["both_powers"])
def test_s8_the_hazards_of_kumaraswamy(package):
    """a b u^(a - 1) / (1 - u^a) at u = 1 - t; that of a = b = 1 is 1 / t, the linear clock's."""
    u = 1 - TIMES
    for hazard, b in ((package.schedule.hazard_alpha, 1.5), (package.schedule.hazard_beta, 3)):
        assert torch.allclose(hazard(TIMES), 2 * b * u / (1 - u**2), rtol=1e-12)


@every(zoo.those("condition = sigma"))
def test_s1_sigma_is_minus_log_alpha(package):
    assert torch.allclose(
        package.schedule.sigma(TIMES), -survival(package, TIMES).log(), rtol=1e-10
    )

"""Params of the noise: one spec, many processes, and every law holds for each of them."""

import json
import re
from dataclasses import replace
from functools import reduce
from math import log

import numpy as np
import pytest
import torch
from laws import zoo
from laws.build import SIZE, VOCAB, Package, Workshop
from laws.examples import network, one, strings
from laws.scripted import draw, pick, repeat
from laws.stats import mean_is, samples_of
from laws.table import Table, conditionals

from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import UsageError

FAMILY = """family powers "A clock with a param" {{
  noise {{ param {param}; {arrows}; amount {amount} }}
  network {{ backbone {backbone}; head token : logits{more} }}
  loss {{ token : cross_entropy(x0) on mask{weight}{term} }}
  decoder {{
    param steps : Count = 64
    grid {grid}
    step {{ {step}; draw token with temperature }}
  }}
  collate {{ text : {before} [body] eos }}
}}
"""
MASK = {
    "param": "power : Scale = 2.0",
    "arrows": "clean -> mask survival alpha(t) = (1 - t)**power",
    "amount": "t ~ uniform(0, 1)",
    "backbone": "dit",
    "more": "",
    "weight": "",
    "term": "",
    "grid": "uniform(steps)",
    "step": "unmask chance reveal(alpha)",
    "before": "bos",
}
TWO = MASK | {
    "param": "power : Size = 2; param other : Size = 3",
    "arrows": "clean -> mask survival alpha(t) = (1 - t)**power; "
    "mask -> gone survival beta(t) = (1 - t)**other",
    "amount": "t ~ uniform(1e-3, 1)",
    "more": "; head gap : count at gaps",
    "weight": "  weight bound",
    "term": "; gap : poisson(gone)  weight bound",
    "step": "unmask chance reveal(alpha); insert masks poisson gap * reveal(beta)",
    "before": "cls bos",
}
SPECS = {
    "mask": MASK,
    "bound": MASK | {"param": "power : Size = 2", "amount": "t ~ uniform(1e-3, 1)",
                     "weight": " weight bound"},
    "rising": MASK | {"arrows": "clean -> mask survival alpha(t) = 1 - t**power"},
    "bent": MASK | {"param": "bend : Chance = 0.5", "backbone": "dit(condition = t)",
                    "arrows": "clean -> mask survival alpha(t) = (1 - t) * (1 - bend * t * t)"},
    "sigma": MASK | {"backbone": "dit(condition = sigma)",
                     "arrows": "clean -> mask survival alpha(t) = 1 - 0.999 * t**power"},
    "events": MASK | {"backbone": "dit(condition = t)", "grid": "events",
                      "step": "unmask one by random"},
    "two": TWO,
}  # fmt: skip
POWERS = (0.1, 0.7, 2.0, 3.0, 10.0)
TIMES = torch.tensor(np.random.default_rng(3).uniform(0.011, 0.989, 40))


@pytest.fixture
def build_of(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    def made(name: str) -> Package:
        text = FAMILY.format(**SPECS[name])
        monkeypatch.setitem(zoo.SPECS, f"powers_{name}", zoo.Spec(text))
        return workshop.package(f"powers_{name}")

    return made


def under(package: Package, **params: float) -> Package:
    """The package under another noise."""
    changed = Package(package.module, package.spec)
    changed.__dict__["family"] = package.family.under(params)
    return changed


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("name", ["mask", pytest.param("rising", marks=pytest.mark.slow)])
def test_s10_what_is_derived_holds_at_every_value(build_of, name, power):
    """The chances of corruption and of a reveal, against the survival itself."""
    schedule = build_of(name).schedule
    clock = schedule.Clock(power)
    alpha = (lambda t: (1 - t) ** power) if name == "mask" else (lambda t: 1 - t**power)
    assert torch.allclose(schedule.corrupted(TIMES, clock), 1 - alpha(TIMES), atol=1e-14)
    chance = schedule.reveal(TIMES / 3, TIMES, clock)
    fallen = chance * (1 - alpha(TIMES))
    assert torch.allclose(fallen, alpha(TIMES / 3) - alpha(TIMES), atol=1e-14)
    assert (schedule.reveal(torch.zeros_like(TIMES), TIMES, clock) == 1).all()
    assert (schedule.reveal(TIMES, TIMES, clock) == 0).all()


@pytest.mark.parametrize("power", [1, 2, 3, 10])
def test_s10_the_weight_of_the_bound_is_the_hazard_of_the_process(build_of, power):
    schedule = build_of("bound").schedule
    t = TIMES.clone().requires_grad_()
    (slope,) = torch.autograd.grad((1 - (1 - t) ** power).log().sum(), t)
    assert torch.allclose(schedule.hazard(TIMES, schedule.Clock(power)), slope, rtol=1e-9)
    tiny = torch.tensor(1e-6, dtype=torch.float64)
    found = schedule.hazard(tiny, schedule.Clock(power))
    assert float(found) == pytest.approx(1e6 - (power - 1) / 2, rel=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "values"), [("events", POWERS), ("bent", (0.0, 0.3, 1.0))])
def test_the_inverse_gives_the_time_back(build_of, name, values):
    """Also where it is found by bisection."""
    package = build_of(name)
    schedule = package.schedule
    for value in values:
        clock = schedule.Clock(value)
        back = schedule.inverse(1 - schedule.corrupted(TIMES, clock), clock)
        alive = 1 - schedule.corrupted(TIMES, clock) > 1e-6
        assert torch.allclose(back[alive], TIMES[alive], atol=1e-9)


@pytest.mark.slow
def test_sigma_is_that_of_the_process(build_of):
    package = build_of("sigma")
    batch = one(package, (5, 6))
    for power in (1.0, 2.0):
        family = package.family.under({"power": power})
        net = family.network(VOCAB, VOCAB.allowed(["eos"]), SIZE)
        seen = []
        net.backbone.forward = lambda xt, attend, told, seen=seen: (
            seen.append(told) or torch.zeros(*xt.shape, 8)
        )
        net.trunk(batch.x0, batch.attend, torch.tensor([0.5], dtype=torch.float64))
        assert float(seen[0][0]) == pytest.approx(-log(1 - 0.999 * 0.5**power), rel=1e-12)


@pytest.mark.parametrize("power", [0.5, 3.0])
def test_s10_noise_of_another_power_masks_as_many_as_its_survival_says(build_of, power):
    package = under(build_of("mask"), power=power)
    batch = repeat(one(package, (5, 6, 7)), 20_000)
    times = torch.full((len(batch.x0),), 0.4, dtype=torch.float64)
    noised = package.family.corrupt(batch, times, draw(batch, 5), VOCAB)
    mean_is(noised.masked[:, 1:4].double().flatten(), 1 - 0.6**power)


def test_at_power_3_the_samples_of_a_perfect_table_follow_the_law(build_of):
    """The toy law, on a grid that is fine enough, and not by the clock of the default power."""
    package = under(build_of("mask"), power=3.0)
    law = {(2, *row, 3): p for row, p in strings(2).items()}
    table = Table(conditionals(law, [1, 2]))
    batch = repeat(one(package, (5, 5)), 4_000)
    made = package.sampler(steps=400)(table, batch, draw(batch, 9), 2)
    seen: dict[tuple[int, ...], int] = {}
    for row in map(tuple, made.x.tolist()):
        seen[row] = seen.get(row, 0) + 1
    samples_of(seen, law)


@pytest.mark.parametrize("power", [2.0, 3.0])
def test_s10_a_step_reveals_by_the_clock_of_its_power(build_of, power):
    """Of the masks at t = 1 the first of 4 steps reveals (3/4)-th of the clock: alpha(3/4)."""
    package = under(build_of("mask"), power=power)
    batch = repeat(one(package, (5, 6)), 8_000)
    table = Table(conditionals({(2, *row, 3): p for row, p in strings(2).items()}, [1, 2]))
    made = package.sampler(steps=4)(table, batch, draw(batch, 4), 2, record=True)
    left = (made.history[1][:, 1:3] != VOCAB["mask"]).double()
    mean_is(left.flatten(), 0.25**power)


def test_s10_the_training_loss_is_unbiased_for_every_power(build_of):
    """With the weight of the bound its mean is the same for all powers: the likelihood is."""
    package = build_of("bound")
    net = network(package)
    batch = repeat(one(package, (5, 6, 7)), 6_000)
    found = []
    for power in (1, 3):
        family = package.family.under({"power": power})
        noise = draw(batch, power)
        times = family.amount(batch, noise)
        noised = family.corrupt(batch, times, noise, VOCAB)
        row = [family.loss(net, part(noised, i), part(batch, i)).total for i in range(0, 6_000, 50)]
        found.append(torch.stack(row).detach())
    low, high = found
    gap = (low.mean() - high.mean()).abs()
    assert gap < 4 * ((low.var() + high.var()) / len(low)).sqrt()


def part(thing, start):
    return pick(thing, slice(start, start + 50))


def test_s10_two_clocks_have_params_of_their_own(build_of):
    package = build_of("two")
    family = package.family.under({"power": 1, "other": 4})
    t = torch.tensor([0.25, 0.5], dtype=torch.float64)
    unmasking, insertion = (clock(t) for clock in family.clocks)
    assert unmasking.tolist() == pytest.approx([0.25, 0.5])
    assert insertion.tolist() == pytest.approx([1 - 0.75**4, 1 - 0.5**4])
    batch = repeat(one(package, (5, 6, 7)), 20_000)
    times = torch.full((len(batch.x0),), 0.25, dtype=torch.float64)
    noised = family.corrupt(batch, times, draw(batch, 5), VOCAB)
    mean_is(noised.missing.sum(1).double() / 3, 1 - 0.75**4)


@pytest.mark.parametrize(
    ("name", "values"), [("two", {"power": 1, "other": 4}), ("bound", {"power": 3})]
)
def test_s10_a_spec_with_params_is_the_one_with_the_numbers_in_it(workshop, name, values):
    """The same noise and samples, and the same loss and likelihood but for rounding."""
    texts = {**SPECS[name], "arrows": reduce(written, values.items(), SPECS[name]["arrows"])}
    plain = FAMILY.format(**texts).replace(f"param {texts['param']}; ", "")
    named = {"with": FAMILY.format(**SPECS[name]), "without": plain}
    package, other = (
        Workshop(workshop.root, {f"powers_{key}": zoo.Spec(text)}).package(f"powers_{key}")
        for key, text in named.items()
    )
    found, expected = (
        everything(family, network(one_of))
        for family, one_of in ((package.family.under(values), package), (other.family, other))
    )
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=1e-6, atol=1e-12, msg=key)


def written(formula, value):
    """A formula with a number in the place of a name."""
    return re.sub(rf"\b{value[0]}\b", str(value[1]), formula)


def everything(family, net):
    """The noise, the loss, the likelihood and samples of a family, for the same draws."""
    batch = repeat(family.layouts["text"](VOCAB, 8)([Example(0, (5, 6, 7))]), 40)
    noise = draw(batch, 3)
    noised = family.corrupt(batch, family.amount(batch, noise), noise, VOCAB)
    made = family.decoders["default"](steps=5)(net, batch, draw(batch, 4), 8)
    return {
        "noised": noised.xt,
        "loss": family.loss(net, noised, batch).total.detach(),
        "nats": family.nelbo(net, batch, draw(batch, 6)).nats,
        "sample": made.x,
    }


def test_claims_hold_for_all_values(build_of):
    assert build_of("bound").family.claim.value == "tight"
    assert build_of("mask").family.samples["default"].law == "limit"


@pytest.mark.slow
def test_a_claim_that_fails_at_one_value_is_not_made(build_of):
    """At a power of 0.1 the last step of a grid finds most of the masks, however many there are."""
    assert build_of("rising").family.samples["default"].law == "none"


def test_a_run_sets_a_param_of_the_noise(build_of):
    family = build_of("mask").family
    config = build(family, [], parse_sets(["noise.power=3"]))
    assert config.noise == {"power": 3.0}
    assert json.loads(json.dumps(config.to_json()))["noise"] == {"power": 3.0}
    assert build(family, [], []).noise == {"power": 2.0}
    for wrong in ("noise.power=0", "noise.power=1000", "noise.powr=2"):
        with pytest.raises(UsageError):
            build(family, [], parse_sets([wrong]))
    changed = family.under(config.noise)
    assert replace(changed, process=None).params == family.params

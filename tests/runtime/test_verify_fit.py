"""How a table is fitted, how far it is from the best, and how that enters verdicts."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import evolve

from xlm_runtime.packages import package
from xlm_runtime.plug import Batch, Decoded, Noise
from xlm_runtime.verify import budget as clock
from xlm_runtime.verify import examine
from xlm_runtime.verify.basis import KNOTS, Basis
from xlm_runtime.verify.bench import Bench, Settings
from xlm_runtime.verify.budget import Budget, Late
from xlm_runtime.verify.examine import _stable
from xlm_runtime.verify.fit import excess, fit
from xlm_runtime.verify.law import law_of
from xlm_runtime.verify.likelihood import Value, _decides, _outcome, _words, value
from xlm_runtime.verify.manners import manners
from xlm_runtime.verify.samplers import samplers
from xlm_runtime.verify.stats import ERROR, null
from xlm_runtime.verify.toys import toys, vocabulary
from xlm_runtime.verify.verdict import Verdict

EXAMPLES = Path(__file__).parents[2] / "examples"


def bench(family: str, toy: str, **settings: object) -> Bench:
    plug = package.load(EXAMPLES / family).family
    (chosen,) = [one for one in toys(plug.layouts) if one.name == toy]
    return Bench(plug, vocabulary(plug.specials), chosen, Settings(**settings))


def at(basis: Basis, values: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    lower, share = basis(times)
    return torch.lerp(values[lower], values[lower + 1], share)


def test_between_knots_and_before_the_first_a_power_of_time_is_met() -> None:
    basis = Basis(torch.linspace(1e-3, 1, 5000, dtype=torch.float64))
    times = torch.tensor([1e-5, 1e-3, 0.02, 0.4, 0.9], dtype=torch.float64)
    assert basis.parts == KNOTS
    torch.testing.assert_close(at(basis, 2 * basis.knots, times), 2 * times.logit())


def test_after_the_last_knot_nothing_changes() -> None:
    basis = Basis(torch.linspace(0.1, 0.6, 5000, dtype=torch.float64))
    found = at(basis, basis.knots, torch.tensor([0.6, 0.8, 1.0], dtype=torch.float64))
    torch.testing.assert_close(found, found[:1].expand(3))


def test_one_time_has_one_knot() -> None:
    assert Basis(torch.full((100,), 0.4)).parts == 1


def test_numbers_that_heads_read_are_independent_directions() -> None:
    network = bench("flexmdm", "mixed").table.network
    rows = torch.cat([network.to_token.weight, network.to_gap.weight])
    torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows), dtype=rows.dtype))


def test_two_fits_show_what_their_mean_loses() -> None:
    """Of a parabola, whose optimum is 0: fits at 0.1 and 0.3 have a mean at 0.2."""
    assert excess(0.2**2 + 0.1**2, [0.1**2 + 0.1**2, 0.3**2 + 0.1**2], 0.05) == pytest.approx(0.01)
    rng = np.random.default_rng(1)
    fits = rng.normal(size=(20_000, 2))
    mean = fits.mean(1)
    assert np.mean((fits**2).mean(1) - mean**2) == pytest.approx(np.mean(mean**2), rel=0.05)


@pytest.mark.parametrize(
    ("reported", "fit", "outcome"),
    [
        (3.01, 0.01, "confirmed"),
        (3.01, 0.10, "undecided"),  # met, with a margin too wide to mean anything
        (3.90, 0.01, "refuted"),
        (3.90, 0.50, "undecided"),  # above, by heads that are not fitted
        (2.90, 0.50, "refuted"),  # no heads cost so little
    ],
)
def test_only_a_proven_fit_refutes_and_only_a_narrow_margin_confirms(reported, fit, outcome) -> None:
    found = Value(reported, expected=3.0, noise=0.02, fit=fit)
    assert _outcome(found, 3.0, known=True, least=0.02) == outcome
    words = _words(found, outcome, "the entropy", 3.0, known=True)
    assert ("not what is claimed" in words) == (outcome == "refuted")


def refuted(measured: float) -> Verdict:
    return Verdict(claim="samples", outcome="refuted", found="off", decoder="default",
                   measured=measured, expected=0.01, fitted=True)  # fmt: skip


def test_a_distance_that_still_falls_with_the_fit_refutes_nothing() -> None:
    toy = bench("mdlm", "given")
    before = {("samples", "default"): refuted(0.16)}
    assert _stable(toy, before, refuted(0.15)).outcome == "refuted"
    found = _stable(toy, before, refuted(0.08))
    assert found.outcome == "undecided"
    assert "--points 2048" in found.found


def test_a_perfect_sampler_is_seldom_refuted() -> None:
    law = (0.5, 0.3, 0.15, 0.05)
    high = null([(2000, law)], 1).high
    rng = np.random.default_rng(7)
    counts = rng.multinomial(2000, law, 40_000)
    distance = np.abs(counts - 2000 * np.array(law)).sum(1) / 4000
    assert 0.2 * ERROR < (distance > high).mean() < 3 * ERROR


def test_a_share_of_the_time_ends_alone(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(clock, "process_time", lambda: now[0])
    whole = Budget.of(10)
    with whole.share(0.5):
        now[0] = 6.0
        with pytest.raises(Late):
            whole.check()
    whole.check()
    assert whole.left() == 4


def endless(*_: object, **__: object) -> Callable[..., Decoded]:
    def decode(network: object, batch: Batch, noise: Noise, *rest: object) -> Decoded:
        for step in count():
            noise.at(step)
        raise AssertionError

    return decode


def test_a_slow_decoder_is_not_refuted_and_leaves_time_for_the_others() -> None:
    toy = bench("mdlm", "given")
    slow = {"slow": endless, **toy.family.decoders}
    toy = Bench(replace(toy.family, decoders=slow), toy.vocab, toy.toy, toy.settings, Budget.of(4))
    found = list(manners(toy))
    assert [(v.claim, v.decoder, v.outcome) for v in found if v.outcome != "confirmed"] == [
        ("decoder.ends", "slow", "undecided")
    ]
    assert {v.decoder for v in found if v.outcome == "confirmed"} > {"default", "confident"}
    assert toy.budget.left() > 1


def test_a_harder_fit_leaves_what_was_not_refuted(monkeypatch) -> None:
    toy = bench("mdlm", "given")
    fine = Verdict(claim="likelihood.tight", outcome="confirmed", found="met", fitted=True)
    first = [fine, refuted(0.2)]
    second = [evolve(fine, outcome="undecided"), refuted(0.19)]
    monkeypatch.setattr(examine, "fit", lambda *_: None)
    monkeypatch.setattr(examine, "_judged", lambda *_: second)
    assert examine._again(toy, None, first)[0] == [first[0], second[1]]


def test_an_undecided_value_names_the_options_that_decide_it() -> None:
    toy = bench("flexmdm", "given", points=128, seconds=60)
    assert _decides(toy, Value(1.0, 1.0, noise=0.05, fit=0.01), 2.0) == "--seconds 300"
    assert _decides(toy, Value(1.0, 1.0, noise=0.05, fit=0.1), 2.0) == "--points 512 --seconds 480"


def test_a_decoder_without_time_is_not_judged() -> None:
    toy = bench("remdm", "given", points=8)
    table, law = fit(toy).table, law_of(toy)
    toy.budget.end = -1.0
    found = list(samplers(toy, law, table, 0.0))
    assert {v.outcome for v in found} == {"undecided"}
    assert "longer than the time allows" in found[0].found


def test_a_tight_claim_is_met_with_a_margin_that_means_something() -> None:
    toy = bench("mdlm", "given", points=32)
    law = law_of(toy)
    (found,) = value(toy, law, fit(toy))
    assert found.outcome == "confirmed"
    assert found.margin < 0.02 * law.entropy()

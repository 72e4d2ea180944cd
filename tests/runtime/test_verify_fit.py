"""How a table is fitted, how far it is from the best, and how that enters verdicts."""

from collections.abc import Callable, Iterable
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
from xlm_runtime.verify.bench import Bench, Settings, source
from xlm_runtime.verify.budget import Budget, Late
from xlm_runtime.verify.examine import _stable
from xlm_runtime.verify.fit import excess, fit
from xlm_runtime.verify.law import law_of
from xlm_runtime.verify.likelihood import Value, _decides, _outcome, _words, value
from xlm_runtime.verify.manners import manners
from xlm_runtime.verify.mixture import Mixture
from xlm_runtime.verify.objective import _weighed
from xlm_runtime.verify.samplers import Curve, measured, samplers
from xlm_runtime.verify.second import Second
from xlm_runtime.verify.stats import ERROR, null, reach
from xlm_runtime.verify.toys import toys, vocabulary
from xlm_runtime.verify.verdict import Outcome, Verdict
from xlm_runtime.verify.window import RARE, window

EXAMPLES = Path(__file__).parents[2] / "examples"


def bench(family: str, toy: str, points: int = 128, seconds: int = 60) -> Bench:
    plug = package.load(EXAMPLES / family).family
    (chosen,) = [one for one in toys(plug.layouts) if one.name == toy]
    return Bench(plug, vocabulary(plug.specials), chosen, Settings(points=points, seconds=seconds))


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
def test_only_a_proven_fit_refutes_and_only_a_narrow_margin_confirms(
    reported: float, fit: float, outcome: Outcome
) -> None:
    found = Value(reported, expected=3.0, noise=0.02, fit=fit)
    assert _outcome(found, 3.0, known=True, least=0.02) == outcome
    words = _words(found, outcome, "the entropy", 3.0, known=True)
    assert ("not what is claimed" in words) == (outcome == "refuted")


def verdicts(found: Iterable[Verdict | Curve]) -> list[Verdict]:
    return [one for one in found if isinstance(one, Verdict)]


def refuted(measured: float) -> Verdict:
    return Verdict(claim="samples", outcome="refuted", found="off", decoder="default",
                   measured=measured, expected=0.01, fitted=True)  # fmt: skip


def test_a_distance_that_still_falls_with_the_fit_refutes_nothing() -> None:
    toy = bench("mdlm", "given")
    before = {("samples", "default"): refuted(0.16)}
    (same,) = verdicts([_stable(toy, before, refuted(0.15))])
    assert same.outcome == "refuted"
    (found,) = verdicts([_stable(toy, before, refuted(0.08))])
    assert found.outcome == "undecided"
    assert "--points 2048" in found.found


def test_a_perfect_sampler_is_seldom_refuted() -> None:
    law = (0.5, 0.3, 0.15, 0.05)
    high = null([(2000, law)], 1).high
    rng = np.random.default_rng(7)
    counts = rng.multinomial(2000, law, 40_000)
    distance = np.abs(counts - 2000 * np.array(law)).sum(1) / 4000
    assert 0.2 * ERROR < (distance > high).mean() < 3 * ERROR


def test_a_share_of_the_time_ends_alone(monkeypatch: pytest.MonkeyPatch) -> None:
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
    (late,) = [v.found for v in found if v.claim == "decoder.ends"]
    assert "it is slow, or it never ends" in late
    assert "--seconds 600" in late
    assert int(late.split(" at step ")[1].split(":")[0].replace(",", "")) > 1000


def test_a_harder_fit_leaves_what_was_not_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = bench("mdlm", "given", points=8)
    fine = Verdict(claim="likelihood.tight", outcome="confirmed", found="met", fitted=True)
    first: list[Verdict | Curve] = [fine, refuted(0.2)]
    second = [evolve(fine, outcome="undecided"), refuted(0.19)]
    harder = fit(toy)
    monkeypatch.setattr(examine, "fit", lambda *_: harder)
    monkeypatch.setattr(examine, "_judged", lambda *_: second)
    assert examine._again(toy, law_of(toy), first, harder)[0] == [first[0], second[1]]
    more = evolve(harder, summary=evolve(harder.summary, examples=harder.summary.examples + 1))
    doubtful = verdicts(examine._again(toy, law_of(toy), first, more)[0])
    assert [one.outcome for one in doubtful] == ["confirmed", "undecided"]


def test_an_undecided_value_names_the_options_that_decide_it() -> None:
    toy = bench("flexmdm", "given", points=128, seconds=60)
    assert _decides(toy, Value(1.0, 1.0, noise=0.05, fit=0.01), 2.0) == "--seconds 300"
    assert _decides(toy, Value(1.0, 1.0, noise=0.05, fit=0.1), 2.0) == "--points 512 --seconds 480"


def test_a_decoder_without_time_is_not_judged() -> None:
    toy = bench("remdm", "given", points=8)
    table, law = fit(toy).table, law_of(toy)
    toy.budget.end = -1.0
    found = verdicts(samplers(toy, law, table, 0.0))
    assert {v.outcome for v in found} == {"undecided"}
    assert "longer than the time allows" in found[0].found


def test_a_tight_claim_is_met_with_a_margin_that_means_something() -> None:
    toy = bench("mdlm", "given", points=32)
    law = law_of(toy)
    (found,) = value(toy, law, fit(toy))
    assert found.outcome == "confirmed"
    assert found.margin is not None
    assert found.margin < 0.02 * law.entropy()


def test_a_mixture_is_what_rows_gathered_and_weighted_are() -> None:
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(7, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    index = torch.randint(0, 7, (20, 2), generator=generator)
    weights = torch.rand(20, 2, generator=generator, dtype=torch.float64)
    goal = torch.randn(20, 3, generator=generator, dtype=torch.float64)
    mixed, plain = Mixture(index, weights, 7)(rows), (rows[index] * weights[..., None]).sum(1)
    torch.testing.assert_close(mixed, plain)
    (slope,) = torch.autograd.grad((mixed * goal).sum(), rows)
    (other,) = torch.autograd.grad((plain * goal).sum(), rows)
    torch.testing.assert_close(slope, other)


def test_batches_that_come_many_times_are_answered_alike() -> None:
    toy = bench("flexmdm", "given", points=16)
    batch = toy.weighted(4)
    noised = toy.noised(batch, source(batch, 3))
    toy.loss(toy.table, noised, batch)
    toy.table.settle()
    table = toy.table.wrong(1, 1.0)
    once = toy.loss(table, noised, batch).total
    table.remember(True)
    assert table.basis.parts > 1
    for _ in range(2):
        torch.testing.assert_close(toy.loss(table, noised, batch).total, once)


def test_a_distance_is_seldom_farther_from_its_mean_than_its_reach() -> None:
    law = np.array((0.5, 0.3, 0.15, 0.05))
    counts = np.random.default_rng(7).multinomial(2000, law, 40_000)
    distance = np.abs(counts - 2000 * law[::-1]).sum(1) / 4000
    assert (abs(distance - distance.mean()) > reach(2000)).mean() < ERROR
    assert reach(2000) < 0.05


@pytest.mark.slow
def test_no_more_is_drawn_than_decides_and_what_is_wrong_is_drawn_in_full() -> None:
    toy = bench("flexmdm", "given", points=32)
    table, law = fit(toy).table, law_of(toy)
    assert law.made is not None
    fine = measured(toy, law, law.made, "default", table, 0.04)
    wrong = measured(toy, law, law.made, "default", toy.table.wrong(1, 1.0), 0.04)
    assert fine is not None
    assert wrong is not None
    assert fine.enough
    assert fine.draws < 15_000
    assert not wrong.enough
    assert wrong.draws > 19_000


def test_two_clocks_are_compared_from_where_few_tokens_are_changed() -> None:
    toy = bench("flexmdm", "given")
    linear = window(toy)
    assert linear is not None
    assert linear.low == pytest.approx(0.009)  # t + t log(1 / t) is `RARE` there
    assert f"with less than {RARE:.0%} of the tokens changed, nothing is compared" in str(linear)

    def cube(t: torch.Tensor) -> torch.Tensor:
        return t**3

    cubic = Bench(replace(toy.family, clocks=(cube, cube)), toy.vocab, toy.toy, toy.settings)
    found = window(cubic)
    assert found is not None
    assert found.low == pytest.approx(linear.low ** (1 / 3), rel=0.02)


def test_an_undecided_weight_names_the_seconds_that_decide_it() -> None:
    found = _weighed(bench("mdlm", "given"), 0.1, 0.5, True)
    falling = _weighed(bench("mdlm", "given"), 0.1, 0.5, False)  # so little decides no slope
    assert found.outcome == falling.outcome == "undecided"
    assert found.found.endswith("more draws of the loss decide it: --seconds 360")


def test_a_fit_without_time_decides_nothing() -> None:
    toy = bench("mdlm", "given", points=8)
    toy.budget.end = -1.0
    with pytest.raises(Late):
        fit(toy)


def test_a_refuted_claim_is_doubtful_without_time_for_a_harder_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    toy = bench("mdlm", "given", points=8)

    def late(*_: object) -> None:
        raise Late

    fitted, fine = fit(toy), Verdict(claim="loss.additive", outcome="refuted", found="it depends")
    monkeypatch.setattr(examine, "fit", late)
    found = verdicts(examine._again(toy, law_of(toy), [refuted(0.2), fine], fitted)[0])
    assert [one.outcome for one in found] == ["undecided", "refuted"]
    assert "--seconds 240" in found[0].found


def test_a_second_network_answers_each_text_once_and_every_row() -> None:
    toy = bench("loflexmdm", "mixed")
    batch, seen = toy.weighted(1), []

    def clocks(x0: torch.Tensor, attend: torch.Tensor | None) -> object:
        seen.append(len(x0))
        return toy.table.network.clocks(x0, attend)

    found = Second(clocks)(batch.x0, batch.attend)
    plain = toy.table.network.clocks(batch.x0, batch.attend)
    assert seen == [len(toy.toy.outcomes)]
    torch.testing.assert_close(found.insertion, plain.insertion)
    torch.testing.assert_close(found.unmasking, plain.unmasking)


def test_a_verdict_names_the_defaults_that_are_not_examined():
    """The claim is about the decoder at the values that change nothing."""
    assert bench("remdm", "fixed").instead("default") == (
        " (at eta = 0; not examined at the default, 0.02)"
    )
    for family in ("mdlm", "bd3lm", "genmd4"):  # whose decoders are classes, and calls of them
        assert bench(family, "fixed").instead("default") == ""

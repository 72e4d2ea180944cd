"""All checks of a package, toy by toy."""

import traceback
from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from pathlib import Path
from time import process_time

from attrs import evolve, frozen

from xlm_runtime.plug import Family
from xlm_runtime.verify.bench import Bench, Settings
from xlm_runtime.verify.budget import Budget, Late
from xlm_runtime.verify.fit import Fit, Fitted, fit
from xlm_runtime.verify.law import Law, law_of
from xlm_runtime.verify.likelihood import likelihood
from xlm_runtime.verify.manners import manners
from xlm_runtime.verify.objective import objective
from xlm_runtime.verify.samplers import Curve, samplers
from xlm_runtime.verify.toys import Toy, toys, vocabulary
from xlm_runtime.verify.verdict import Verdict

# What code of a package may raise when it is wrong; a bug of ours is told apart by where it was.
_FAILURES = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
             AssertionError)  # fmt: skip

Check = Callable[[], Iterator[Verdict | Curve]]
_HARDER = 4  # a fit that refutes something is repeated with so many times the noises
_STABLE = 0.7  # of a distance: less than that is a distance that still falls
_FIRST = 0.4  # of the time: for the first toy, which has the most states and steps


@frozen
class Examined:
    """The results for one toy: its entropy given the start, the fit, curves and verdicts."""

    toy: Toy
    entropy: float | None
    fit: Fit | None
    curves: tuple[Curve, ...]
    verdicts: tuple[Verdict, ...]
    seconds: float


def examine(family: Family, settings: Settings) -> Iterator[Examined]:
    """Examine each toy for which the family has a layout, within the time of the settings."""
    vocab = vocabulary(family.specials)
    budget = Budget.of(settings.seconds)
    chosen = toys(family.layouts, drafted=family.draft is not None)
    for i, toy in enumerate(chosen):
        left = len(chosen) - i
        with budget.share(max(_FIRST, 1 / left) if i == 0 else 1 / left):
            yield _examined(Bench(family, vocab, toy, settings, budget))


def _examined(bench: Bench) -> Examined:
    begun = process_time()
    found: list[Verdict | Curve] = []
    fitted: list[Fitted] = []
    laws: list[Law] = []

    def prepare() -> Iterator[Verdict]:
        fitted.append(fit(bench))
        laws.append(law_of(bench))
        return iter(())

    _run(bench, "manners", partial(manners, bench), found)
    _run(bench, "fit", prepare, found)
    if laws:
        _run(bench, "loss", partial(objective, bench), found)
        first = _judged(bench, laws[0], fitted[0])
        if any(v.outcome == "refuted" and v.fitted for v in first if isinstance(v, Verdict)):
            first, fitted[0] = _again(bench, laws[0], first, fitted[0])
        found.extend(first)
    return Examined(
        toy=bench.toy,
        entropy=laws[0].entropy() if laws else None,
        fit=fitted[0].summary if fitted else None,
        curves=tuple(one for one in found if isinstance(one, Curve)),
        verdicts=tuple(one for one in found if isinstance(one, Verdict)),
        seconds=process_time() - begun,
    )


def _judged(bench: Bench, law: Law, fitted: Fitted) -> list[Verdict | Curve]:
    """Return all verdicts that depend on a fitted table."""
    found: list[Verdict | Curve] = []
    _run(bench, "likelihood", partial(likelihood, bench, law, fitted), found)
    off = _off(fitted.summary, law, found)
    _run(bench, "samples", partial(samplers, bench, law, fitted.table, off), found)
    return found


def _again(
    bench: Bench, law: Law, first: list[Verdict | Curve], fitted: Fitted
) -> tuple[list[Verdict | Curve], Fitted]:
    """Fit again, harder, where a claim is refuted: only what is as far off as before is refuted.

    Nothing is, where there is no time for that fit. All other verdicts stay.
    """
    try:
        harder = fit(bench, _HARDER)
    except Late:
        return [_doubtful(bench, one) for one in first], fitted
    if harder.summary.examples < fitted.summary.examples:  # all that the time was enough for
        return [_doubtful(bench, one) for one in first], fitted
    second = _judged(bench, law, harder)
    before = {(v.claim, v.decoder): v for v in first if isinstance(v, Verdict) and v.fitted}
    doubted = {key for key, v in before.items() if v.outcome == "refuted"}
    doubted |= {("curve", decoder) for claim, decoder in doubted if claim == "samples"}
    kept = [one for one in first if _key(one) not in doubted]
    return kept + [_stable(bench, before, v) for v in second if _key(v) in doubted], harder


def _doubtful(bench: Bench, one: Verdict | Curve) -> Verdict | Curve:
    """Decide nothing by a fitted table, where a harder fit has no time."""
    if isinstance(one, Curve) or not one.fitted or one.outcome != "refuted":
        return one
    more = f"no time is left for a fit that shows it: --seconds {4 * bench.settings.seconds}"
    return evolve(one, outcome="undecided", found=f"{one.found}; {more}")


def _key(one: Verdict | Curve) -> tuple[str, str]:
    """Name what a verdict or a curve is about."""
    return ("curve" if isinstance(one, Curve) else one.claim, one.decoder)


def _stable(
    bench: Bench, before: dict[tuple[str, str], Verdict], one: Verdict | Curve
) -> Verdict | Curve:
    """Decide nothing by a number that a harder fit has brought nearer to the expected one."""
    if isinstance(one, Curve) or not one.fitted or one.outcome != "refuted":
        return one
    last = before.get((one.claim, one.decoder))
    if last is None or _apart(one) > _STABLE * _apart(last):
        return one
    points = bench.settings.points * _HARDER**2
    more = f"; a longer fit improves it: --points {points} --seconds {points}"
    return evolve(one, outcome="undecided", found=f"not yet fitted: {one.found}{more}")


def _apart(verdict: Verdict) -> float:
    """Return the distance between the measured and the expected number."""
    if verdict.measured is None or verdict.expected is None:
        return inf
    return abs(verdict.measured - verdict.expected)


def _off(fitted: Fit, law: Law, found: list[Verdict | Curve]) -> float:
    """Return a bound on the distance between the fitted table's distribution and the expected one.

    By Pinsker's inequality from the loss of the fit, or by the likelihood, which is closer at
    points where that inequality has no slack.
    """
    lost = fitted.error / max(fitted.loss, 1e-9) * law.entropy()
    distances = [v.details["distance"] for v in found if isinstance(v, Verdict) and v.details]
    return float(min([(lost / 2) ** 0.5, *distances]))


def _run(bench: Bench, what: str, check: Check, found: list[Verdict | Curve]) -> None:
    """Add what a check finds; code of the package that fails has refuted itself."""
    try:
        found.extend(check())
    except Late:
        found.append(
            Verdict(claim=what, outcome="undecided", toy=bench.toy.name,
                    found=f"the time is over; try --seconds {4 * bench.settings.seconds}")
        )  # fmt: skip
    except _FAILURES as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        words = " ".join(f"{type(error).__name__}: {error}".split())
        found.append(
            Verdict(claim=f"{what}.runs", outcome="refuted", toy=bench.toy.name,
                    found=f"it fails at {where}: {words}")
        )  # fmt: skip

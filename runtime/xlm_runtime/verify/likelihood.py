"""Checks that the likelihood is as claimed: tight or a bound, and never below -log p."""

from collections.abc import Iterator
from math import ceil, exp

import numpy as np
import torch
from attrs import frozen

from xlm_runtime.plug import Claim, even
from xlm_runtime.verify.bench import Bench, nats, source, spread
from xlm_runtime.verify.fit import Fitted, excess
from xlm_runtime.verify.law import Law
from xlm_runtime.verify.samplers import drawn
from xlm_runtime.verify.slack import best
from xlm_runtime.verify.stats import mean
from xlm_runtime.verify.table import Table
from xlm_runtime.verify.verdict import Outcome, Verdict, decided
from xlm_runtime.verify.window import Window, trained, window

FITTED = 0.003  # nats that rounding and a truncated fit may add
MEANING = 0.02  # a margin above this share of the entropy confirms nothing
PROVEN = 0.1  # and one above this share refutes nothing that depends on a fit
_REPEATS = 16  # independent scramblings of the noise
_SHARE = 0.6  # of the time that is left: for more of them, where the estimate varies much
_POINTS = 128  # noises of each example in one of them
_SPREADS = (0.5, 1.5)  # of the random answers of wrong tables
_SIGMAS = 4.5  # 27 outcomes: one false alarm in ten thousand


@frozen
class Value:
    """The mean likelihood over a toy's data, and the expected one.

    noise: the margin of the estimate. fit: a bound on the table's cost above the best heads.
    """

    reported: float
    expected: float
    noise: float
    fit: float

    @property
    def above(self) -> float:
        """The difference between the reported and the expected value."""
        return self.reported - self.expected

    @property
    def margin(self) -> float:
        """The allowed difference for a correct package."""
        return self.noise + self.fit


def likelihood(bench: Bench, law: Law, fitted: Fitted) -> Iterator[Verdict]:
    """Yield verdicts on the claim; a bound must hold for a wrong table as for the right one."""
    claim = bench.family.claim
    if bench.family.nelbo is None:
        yield Verdict(claim="likelihood", outcome="undecided", toy=bench.toy.name,
                      found=f"the package claims none: {claim.why}")  # fmt: skip
        return
    yield from value(bench, law, fitted)
    yield _total(bench, law, estimates(bench, fitted.table), "fitted heads")
    for seed, size in enumerate(_SPREADS):
        wrong = bench.table.wrong(seed, size)
        yield _total(bench, law, estimates(bench, wrong), f"random heads of size {size}")
    yield from _kernels(bench, law)


def estimates(
    bench: Bench, table: Table, since: Window | None = None, first: int = 0
) -> np.ndarray:
    """Estimate -log p of every outcome: (repeats, outcomes), each a mean over noises.

    ``since``: the part of the time that is counted. ``first``: the number of earlier repeats.
    """
    batch = spread(bench.layout(bench.toy.outcomes), _POINTS)
    rows = []
    for i in range(first, first + _REPEATS):
        values = nats(bench, table, batch, source(batch, 1000 * bench.settings.seed + i))
        if since is not None:
            values = torch.where(since.holds(table.heard), values, 0.0)
        rows.append(values.view(_POINTS, -1).mean(0).numpy())
    return np.stack(rows)


def value(bench: Bench, law: Law, fitted: Fitted) -> Iterator[Verdict]:
    """Judge the mean over the data: tight equals the entropy, a bound is not below it."""
    part = window(bench) if len(bench.family.clocks) > 1 else None
    found = estimates(bench, fitted.table)
    if part is None:
        late = _late(bench, law, fitted, found)
        known = late or _value(bench, law, fitted, found)
        yield _judged(bench, law, known, found, None, trained(bench) if late else None)
    else:
        yield _judged(bench, law, _part(bench, law, fitted, part), found, part)


def _shares(bench: Bench) -> np.ndarray:
    return np.array(bench.toy.units) / sum(bench.toy.units)


def _value(bench: Bench, law: Law, fitted: Fitted, found: np.ndarray) -> Value:
    """Judge the mean over the data by as many noises as it needs."""
    first = (found @ _shares(bench)).tolist()
    reported, noise = _precise(bench, law, fitted, first, None)
    expected = law.cross(law.made) if law.made is not None else law.entropy()
    if not _known(bench.family.claim, None):
        return Value(reported, expected, noise, FITTED)  # no heads may cost less
    beside = sum(first) / len(first)  # by the noises that other tables are compared by
    return Value(reported, expected, noise, FITTED + _excess(bench, fitted, beside, None))


def _known(claim: Claim, part: Window | None) -> bool:
    """Return whether the cost of the best heads is known, over a part of the clock or all of it."""
    tight = claim.value == "tight" or claim.tilt is not even
    return claim.tilt is not None and (part is not None or tight)


def _late(bench: Bench, law: Law, fitted: Fitted, whole: np.ndarray) -> Value | None:
    """Return the part of a bound at the times of training, where the whole varies too much.

    That is not above the whole, as no draw at another time is below 0. None where the part is not
    enough to be above the entropy, or is not needed.
    """
    part, claim, entropy = trained(bench), bench.family.claim, law.entropy()
    _, noise = mean((whole @ _shares(bench)).tolist())
    bound = claim.value == "bound" and claim.tilt is even
    if part is None or not bound or noise <= MEANING * entropy:
        return None
    if _least(bench, fitted.table, part) < -FITTED:
        return None
    reported, noise = mean((estimates(bench, fitted.table, part) @ _shares(bench)).tolist())
    found = Value(reported, entropy, noise, FITTED)
    return found if found.above > found.margin else None


def _least(bench: Bench, table: Table, part: Window) -> float:
    """Return the lowest of the draws at the times that are no part of a window."""
    batch = spread(bench.layout(bench.toy.outcomes), _POINTS)
    values = nats(bench, table, batch, source(batch, 1000 * bench.settings.seed))
    others = values[~part.holds(table.heard)]
    return float(others.min()) if len(others) else 0.0


def _precise(
    bench: Bench, law: Law, fitted: Fitted, first: list[float], part: Window | None
) -> tuple[float, float]:
    """Return a mean and its margin; draw more noises until that is small, or time is over."""
    found, (reported, noise) = first, mean(first)
    with bench.budget.share(_SHARE):
        while noise > MEANING / 3 * law.entropy() and bench.budget.left() > 0:
            more = estimates(bench, fitted.table, part, len(found)) @ _shares(bench)
            found = [*found, *more.tolist()]
            reported, noise = mean(found)
    return reported, noise


def _part(bench: Bench, law: Law, fitted: Fitted, part: Window) -> Value:
    """Judge the mean over a part of the clock in which the best heads' cost is known."""
    first = (estimates(bench, fitted.table, part) @ _shares(bench)).tolist()
    reported, noise = _precise(bench, law, fitted, first, part)
    expected = best(bench, part.low, part.high)
    beside = sum(first) / len(first)  # by the noises that other tables are compared by
    return Value(reported, expected, noise, FITTED + _excess(bench, fitted, beside, part))


def _excess(bench: Bench, fitted: Fitted, reported: float, part: Window | None) -> float:
    """Estimate the cost of the table in use above the best one, twice over."""
    if fitted.halves is None:
        return 0.0
    shares = _shares(bench)
    each = [float((estimates(bench, one, part) @ shares).mean()) for one in fitted.halves]
    crude = reported
    if fitted.coarse is not None:
        crude = float((estimates(bench, fitted.coarse, part) @ shares).mean())
    return 2 * excess(reported, each, crude)


def _judged(
    bench: Bench,
    law: Law,
    value: Value,
    found: np.ndarray,
    part: Window | None,
    late: Window | None = None,
) -> Verdict:
    """Judge the value, two-sided if the cost of the best heads is known.

    ``late``: the part of the time that a value of which no more is known than a part is of.
    """
    claim, entropy = bench.family.claim, law.entropy()
    foretold = part is not None
    tight = claim.value == "tight" and not foretold
    known = _known(claim, part)
    least = value.noise + FITTED if foretold or law.made is None else value.margin
    outcome = _outcome(value, entropy, known=known, least=least)
    what = "the entropy" if tight and not law.tilted else "the cost of the best heads"
    if not known and not foretold:
        what = "the entropy, which is the least that any heads can cost"
    return Verdict(
        claim="likelihood.tight" if claim.value == "tight" else "likelihood.bound",
        outcome=outcome,
        found=_words(value, outcome, what, entropy, known=known)
        + (f", over {part or late}" if part or late else "")
        + (f": {_decides(bench, value, entropy)}" if outcome == "undecided" else ""),
        toy=bench.toy.name,
        measured=value.reported,
        expected=value.expected,
        margin=value.margin if known else least,
        details={"entropy": entropy, "distance": _distance(law, found)},
        fitted=known,
    )


def _outcome(value: Value, entropy: float, *, known: bool, least: float) -> Outcome:
    """Decide a value: too low is always wrong; too high only if the fit is proven good."""
    if not np.isfinite(value.reported) or value.above < -least:
        return "refuted"
    if not known:
        return "confirmed" if least <= MEANING * entropy or value.above > least else "undecided"
    if value.above > value.margin:
        return "refuted" if value.margin <= PROVEN * entropy else "undecided"
    return "confirmed" if value.margin <= MEANING * entropy else "undecided"


def _words(value: Value, outcome: Outcome, what: str, entropy: float, *, known: bool) -> str:
    """Return a statement that holds for the outcome."""
    numbers = f"reported {value.reported:.4f} nats, {what} {value.expected:.4f}"
    margin = f"difference {value.above:+.4f}, margin {value.margin:.4f}"
    if outcome == "refuted":
        return f"the likelihood is not what is claimed: {numbers} ({margin})"
    if outcome == "undecided":
        share = value.margin / entropy
        return (
            f"{numbers} ({margin}, {share:.0%} of the entropy, of which {value.fit:.4f} is "
            f"possible error of the fit)"
        )
    return f"{numbers} ({margin if known else f'not below it; margin {value.noise:.4f}'})"


def _decides(bench: Bench, value: Value, entropy: float) -> str:
    """Name the options that shrink the margin until it can refute the claim."""
    points, seconds = bench.settings.points, bench.settings.seconds
    if value.fit > MEANING / 2 * entropy:
        return f"--points {4 * points} --seconds {8 * seconds}"
    times = 1.5 * (value.noise / (MEANING * entropy - value.fit)) ** 2
    return f"--seconds {seconds * max(2, ceil(times))}"


def _distance(law: Law, found: np.ndarray) -> float:
    """Return the distance from the expected distribution to the fitted table's, by likelihood."""
    made = law.made or law.data
    chances = {x: exp(-nelbo) for x, nelbo in zip(law.outcomes, found.mean(0), strict=True)}
    return sum(law.starts[x[0]] * abs(p - made[x]) for x, p in chances.items()) / 2


def _total(bench: Bench, law: Law, found: np.ndarray, which: str) -> Verdict:
    """Check that the chances of all outcomes with the same start add up to at most one."""
    starts = [start for start, _ in law.outcomes]
    sums = [_sum(found[:, [one == start for one in starts]]) for start in dict.fromkeys(starts)]
    total, error = max(sums, key=lambda one: one[0] - one[1])
    margin = error + 2 * FITTED
    finite = bool(np.isfinite(found).all())
    holds = finite and total <= 1 + margin
    rule = "must not exceed 1" if holds else "which exceeds 1" if finite else "it is not finite"
    return Verdict(
        claim="likelihood.valid",
        outcome=decided(holds),
        found=f"total probability {total:.4f} with {which} ({rule}; margin {margin:.4f})",
        toy=bench.toy.name,
        measured=total,
        expected=1.0,
        margin=margin,
    )


def _sum(found: np.ndarray) -> tuple[float, float]:
    """Return the sum of the chances of some outcomes and its error, by the jackknife.

    A mean of `exp` over noisy estimates would be too high.
    """
    n = len(found)
    whole = float(np.exp(-found.mean(0)).sum())
    without = [float(np.exp(-np.delete(found, i, 0).mean(0)).sum()) for i in range(n)]
    return mean([n * whole - (n - 1) * one for one in without])


def _kernels(bench: Bench, law: Law) -> Iterator[Verdict]:
    """Check that exact decoders of a wrong table sample no outcome less often than reported."""
    exact = [name for name, worth in bench.family.samples.items() if worth.law == "exact"]
    if not exact or bench.family.claim.value == "none":
        return
    wrong = bench.table.wrong(2, _SPREADS[0])
    chances = np.exp(-estimates(bench, wrong).mean(0))
    for name in exact:
        with torch.no_grad():
            counts, _ = drawn(bench, law, wrong, name, {})
        worst = 0.0
        sizes = dict.fromkeys(law.starts, 0)
        for (start, _), n in counts.items():
            sizes[start] += n
        for x, p in zip(law.outcomes, chances, strict=True):
            expected = p * sizes[x[0]]
            sigma = max(expected * max(1 - p, 0.0), 1.0) ** 0.5
            worst = max(worst, (expected * (1 - 2 * FITTED) - counts.get(x, 0)) / sigma)
        holds = worst <= _SIGMAS
        yield Verdict(
            claim="likelihood.decoder",
            outcome=decided(holds),
            found="samples are at least as likely as the reported likelihood "
            f"(at most {worst:.2f} standard errors short; limit {_SIGMAS})"
            if holds
            else f"samples are less likely than the reported likelihood ({worst:.2f} > {_SIGMAS} "
            "standard errors)",
            toy=bench.toy.name,
            decoder=name,
            measured=worst,
            expected=0.0,
            margin=_SIGMAS,
        )

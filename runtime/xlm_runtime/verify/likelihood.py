"""Is the likelihood what the package claims: tight, a bound, and never below the truth?"""

from collections.abc import Iterator
from math import exp

import numpy as np
import torch

from xlm_runtime.plug import even
from xlm_runtime.verify.bench import Bench, nats, source, spread
from xlm_runtime.verify.fit import Fit
from xlm_runtime.verify.law import Law
from xlm_runtime.verify.samplers import drawn
from xlm_runtime.verify.slack import best
from xlm_runtime.verify.stats import mean
from xlm_runtime.verify.table import Table
from xlm_runtime.verify.verdict import Verdict, decided

FITTED = 0.006  # nats that an imperfect fit may add
UNEVEN = 0.1  # a share that heads may cost more if training hardly looks at times that weigh much
_REPEATS = 16  # independent scramblings of the noise
_POINTS = 128  # noises of each example in one of them
_SPREADS = (0.5, 1.5)  # of the random answers of wrong tables


def likelihood(bench: Bench, law: Law, fitted: Fit) -> Iterator[Verdict]:
    """Verdicts on the claim; a wrong table has to obey a bound as well as the right one."""
    claim = bench.family.claim
    if bench.family.nelbo is None:
        yield Verdict(claim="likelihood", outcome="undecided", toy=bench.toy.name,
                      found=f"not claimed: {claim.why}")  # fmt: skip
        return
    found = estimates(bench, bench.table)
    yield _value(bench, law, fitted, found)
    yield _total(bench, law, found, "the fitted table")
    for seed, spread_ in enumerate(_SPREADS):
        wrong = bench.table.wrong(seed, spread_)
        yield _total(bench, law, estimates(bench, wrong), f"a wrong table ({spread_})")
    yield from _kernels(bench, law)


def estimates(bench: Bench, table: Table) -> np.ndarray:
    """The likelihood of every outcome in nats: (repeats, outcomes), each a mean over noises."""
    batch = spread(bench.layout(bench.toy.outcomes), _POINTS)
    rows = []
    for i in range(_REPEATS):
        noise = source(batch, 1000 * bench.settings.seed + i)
        values = nats(bench, table, batch, noise).view(_POINTS, -1)
        rows.append(values.mean(0).numpy())
    return np.stack(rows)


def _value(bench: Bench, law: Law, fitted: Fit, found: np.ndarray) -> Verdict:
    """The mean over the data: a tight one meets the entropy, a bound stays above."""
    shares = np.array(bench.toy.units) / sum(bench.toy.units)
    value, error = mean((found @ shares).tolist())
    claim, entropy = bench.family.claim, law.entropy()
    known = claim.tilt is not None  # what law the best heads make
    foretold = known and bool(bench.family.clocks)
    expected = law.cross(law.made) if law.made is not None else entropy
    expected = best(bench) if foretold else expected
    margin = error + FITTED + 2 * fitted.error * value / max(fitted.loss, 1e-9)
    above = value - expected
    exact = known and (claim.value == "tight" or claim.tilt is not even or foretold)
    over = margin + UNEVEN * expected if foretold else margin
    if not known:
        words = f"lies {above:+.4f} nats from the entropy; what the best heads make is not known"
    elif claim.value == "tight":
        words = "meets the entropy" if abs(above) <= margin else "does not meet the entropy"
    else:
        what = "the best heads" if foretold else "samples of the best heads"
        words = f"lies {above:+.4f} nats from what {what} cost"
    if expected > entropy + 1e-9:
        words += f", which is {expected - entropy:.4f} above the entropy"
    return Verdict(
        claim="likelihood.tight" if claim.value == "tight" else "likelihood.bound",
        outcome=decided(-margin <= above and (above <= over or not exact)),
        found=words,
        toy=bench.toy.name,
        measured=value,
        expected=expected,
        margin=margin,
        details={"entropy": entropy, "distance": _distance(law, found)},
    )


def _distance(law: Law, found: np.ndarray) -> float:
    """How far the law of the fitted table, by its likelihood, is from the one to expect."""
    made = law.made or law.data
    chances = {x: exp(-nelbo) for x, nelbo in zip(law.outcomes, found.mean(0), strict=True)}
    return sum(law.starts[x[0]] * abs(p - made[x]) for x, p in chances.items()) / 2


def _total(bench: Bench, law: Law, found: np.ndarray, which: str) -> Verdict:
    """Chances that are no greater than true ones add up to at most one over all that can come."""
    sums = []
    for row in found:
        totals: dict[object, float] = {}
        for (start, _), nelbo in zip(law.outcomes, row, strict=True):
            totals[start] = totals.get(start, 0.0) + exp(-nelbo)
        sums.append(max(totals.values()))
    value, error = mean(sums)
    holds = bool(np.isfinite(found).all()) and value <= 1 + error + FITTED
    return Verdict(
        claim="likelihood.valid",
        outcome=decided(holds),
        found=f"the chances it gives to all outcomes add up to {value:.4f} for {which}",
        toy=bench.toy.name,
        measured=value,
        expected=1.0,
        margin=error + FITTED,
    )


def _kernels(bench: Bench, law: Law) -> Iterator[Verdict]:
    """Exact decoders of a wrong table make everything at least as often as the likelihood says."""
    wrong = bench.table.wrong(2, _SPREADS[0])
    values = estimates(bench, wrong)
    chances = np.exp(-values.mean(0))
    for name, worth in bench.family.samples.items():
        if worth.law != "exact" or bench.family.claim.value == "none":
            continue
        with torch.no_grad():
            counts, _ = drawn(bench, law, wrong, name, {})
        worst = 0.0
        sizes = dict.fromkeys(law.starts, 0)
        for (start, _), n in counts.items():
            sizes[start] += n
        for x, p in zip(law.outcomes, chances, strict=True):
            expected = p * sizes[x[0]]
            sigma = max(expected * max(1 - p, 0.0), 1.0) ** 0.5
            worst = max(worst, (expected * (1 - FITTED) - counts.get(x, 0)) / sigma)
        limit = 4.5  # sigmas; 27 outcomes: one false alarm in ten thousand
        yield Verdict(
            claim="likelihood.decoder",
            outcome=decided(worst <= limit),
            found="a wrong table's samples are as likely as it says, or more",
            toy=bench.toy.name,
            decoder=name,
            measured=worst,
            expected=0.0,
            margin=limit,
        )

"""Do samples follow the law that the package says?"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from xlm_runtime.verify.bench import Bench
from xlm_runtime.verify.law import Ids, Law, Outcome, counted
from xlm_runtime.verify.stats import Null, null
from xlm_runtime.verify.verdict import Verdict, decided

FITTED = 0.006  # what an imperfect fit may add to a distance
FULL = "fixed"  # the toy for which all numbers of steps are tried; for others two are
SLOWER = 1.5  # a distance that falls like 1/steps may be this many times above that
VAGUE = 0.3  # a distance that is allowed to be as great as this refutes hardly anything
NEAR = 0.5  # from here on it falls so: a distance is never above 1, however few the steps


@frozen
class Curve:
    """Total variation between samples and law at some numbers of steps; 0: there is none to choose.

    data: the distance from the toy's law where the package says that another is made of it.
    calls: of the network, on average. null: of a perfect sampler with as many draws.
    """

    toy: str
    decoder: str
    steps: tuple[int, ...]
    distance: tuple[float, ...]
    data: tuple[float, ...]
    calls: tuple[float, ...]
    draws: int
    null: Null


def samplers(bench: Bench, law: Law, off: float) -> Iterator[Verdict | Curve]:
    """A curve and a verdict for each decoder that is said to sample, a word on each other one.

    ``off``: how far the law of the fitted table itself is from the one to expect.
    """
    for name in bench.family.decoders:
        reason = _undecided(bench, law, name)
        if reason or law.made is None:
            yield Verdict(claim="samples", outcome="undecided", found=reason, toy=bench.toy.name,
                          decoder=name)  # fmt: skip
        else:
            curve = measured(bench, law, law.made, name)
            yield curve
            yield _judged(bench, law, curve, off)


def _undecided(bench: Bench, law: Law, name: str) -> str:
    """Why nothing can be said of a decoder's samples; empty where something can."""
    worth = bench.family.samples.get(name)
    if worth is None:
        return "the package does not say what they are worth"
    if worth.law == "none":
        return f"the package says that they are {worth}"
    if law.made is None:
        return "what the best heads make of the data is not known for this loss"
    if worth.law == "limit" and not worth.grows:
        return f"exact in the limit of many steps, of which it takes a fixed number: {worth.why}"
    return ""


def measured(bench: Bench, law: Law, made: Mapping[Outcome, float], name: str) -> Curve:
    """Draws samples at each number of steps."""
    grows = bench.family.samples[name].grows
    steps = bench.settings.steps if grows else (0,)
    if bench.toy.name != FULL:
        steps = steps[-2:-1] + steps[-1:] if len(steps) < 4 else (steps[1], steps[-2])
    found = [drawn(bench, law, bench.table, name, {grows: n} if grows else {}) for n in steps]
    sizes = _sizes(bench, law)
    groups = [(n, [p for x, p in made.items() if x[0] == start]) for start, n in sizes.items()]
    return Curve(
        toy=bench.toy.name,
        decoder=name,
        steps=steps,
        distance=tuple(_distance(counts, made, sizes) for counts, _ in found),
        data=tuple(_distance(counts, law.data, sizes) for counts, _ in found),
        calls=tuple(calls for _, calls in found),
        draws=sum(sizes.values()),
        null=null(groups, bench.settings.seed),
    )


def _each(bench: Bench) -> int:
    """How many samples are drawn for each unit of chance."""
    return max(1, bench.settings.draws // sum(bench.toy.units))


def _sizes(bench: Bench, law: Law) -> dict[Ids, int]:
    """How many samples are drawn from each start."""
    units = sum(bench.toy.units)
    return {start: round(share * units) * _each(bench) for start, share in law.starts.items()}


def drawn(
    bench: Bench, law: Law, table: Any, name: str, params: Mapping[str, Any]
) -> tuple[Counter[Outcome], float]:
    """How often each outcome is made, and the mean number of calls of the network."""
    times = [units * _each(bench) for units in bench.toy.units]
    rows = [i for i, n in enumerate(times) for _ in range(n)]
    batch = bench.canvas(times)
    decoded = bench.decode(table, name, batch, **bench.neutral(name), **params)
    return counted(bench, law, decoded, rows), float(decoded.nfe.double().mean())


def _distance(
    counts: Counter[Outcome], law: Mapping[Outcome, float], sizes: Mapping[Ids, int]
) -> float:
    """Total variation between what was made and a law."""
    off = sum(abs(counts.get(x, 0) - law.get(x, 0.0) * sizes[x[0]]) for x in {*counts, *law})
    return off / 2 / sum(sizes.values())


def _judged(bench: Bench, law: Law, curve: Curve, off: float) -> Verdict:
    """Whether the last distance is one that a perfect sampler could show, and the fall is fast."""
    floor = curve.null.high + max(off, FITTED)
    limits = [floor]
    for earlier, later, above in zip(curve.steps, curve.steps[1:], curve.distance, strict=False):
        share = earlier / later if above <= NEAR else 1.0
        limits.append(floor + SLOWER * above * share)
    checked = list(zip(curve.distance, limits, strict=True))[len(curve.steps) > 1 :]
    holds = all(distance <= limit for distance, limit in checked)
    last, limit = curve.distance[-1], limits[-1]
    if holds and limit > VAGUE:
        return Verdict(
            claim="samples",
            outcome="undecided",
            found=f"{last:.2f} tells nothing, as so few steps allow up to {limit:.2f}",
            toy=curve.toy,
            decoder=curve.decoder,
        )
    what = "p tilted as the claim says" if law.tilted else "p"
    ways = f", falling like 1/{bench.family.samples[curve.decoder].grows}" if curve.steps[0] else ""
    return Verdict(
        claim="samples",
        outcome=decided(holds),
        found=f"samples {'follow' if holds else 'do not follow'} {what}{ways}",
        toy=curve.toy,
        decoder=curve.decoder,
        measured=last,
        expected=curve.null.mean,
        margin=limit - curve.null.mean,
    )

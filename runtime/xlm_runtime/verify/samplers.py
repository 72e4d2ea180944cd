"""Comparison of samples with the distribution that the package claims."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen

from xlm_runtime.verify.bench import Bench
from xlm_runtime.verify.budget import Late
from xlm_runtime.verify.law import Ids, Law, Outcome, counted
from xlm_runtime.verify.stats import Null, null, reach
from xlm_runtime.verify.verdict import Verdict, decided

FITTED = 0.006  # what an imperfect fit may add to a distance
FULL = "fixed"  # the toy for which all numbers of steps are tried; for others two are
SLOWER = 1.5  # a distance that falls like 1/steps may be this many times above that
VAGUE = 0.3  # a distance that is allowed to be as great as this refutes hardly anything
NEAR = 0.5  # from here on it falls so: a distance is never above 1, however few the steps
_PORTIONS = 10  # in which samples are drawn, until they decide or the time is over
_LARGEST = 0.7  # of the time of a decoder: for the first portion at the largest number of steps


@frozen
class Curve:
    """Total variation between samples and claim at some numbers of steps (0: none can be chosen).

    data: the distance from the toy's distribution, if the package claims another one.
    calls: of the network, on average. null: of a perfect sampler with as many draws. enough: fewer
        draws than in the settings made the verdict certain.
    """

    toy: str
    decoder: str
    steps: tuple[int, ...]
    distance: tuple[float, ...]
    data: tuple[float, ...]
    calls: tuple[float, ...]
    draws: int
    null: Null
    enough: bool = False


def samplers(bench: Bench, law: Law, table: Any, off: float) -> Iterator[Verdict | Curve]:
    """Yield a curve and a verdict for each decoder that can be judged, else "undecided".

    ``off``: the distance from the expected distribution to that of the fitted table itself.
    """
    names = list(bench.family.decoders)
    for i, name in enumerate(names):
        reason = _undecided(bench, law, name)
        if reason or law.made is None:
            yield _unknown(bench, name, reason)
            continue
        with bench.budget.share(1 / (len(names) - i)):
            curve = measured(bench, law, law.made, name, table, off)
        if curve is None:
            reason = "the first tenth of the samples takes longer than the time allows"
            yield _unknown(bench, name, f"{reason}; --seconds {10 * bench.settings.seconds}")
        else:
            yield curve
            yield _judged(bench, law, curve, off)


def _unknown(bench: Bench, name: str, reason: str) -> Verdict:
    return Verdict(
        claim="samples", outcome="undecided", found=reason, toy=bench.toy.name, decoder=name
    )


def _undecided(bench: Bench, law: Law, name: str) -> str:
    """Return the reason why a decoder's samples cannot be judged; empty if they can."""
    worth = bench.family.samples.get(name)
    if worth is None:
        return "the package makes no claim about them"
    if worth.law == "none":
        return f"the package claims that they are {worth}"
    if law.made is None:
        return "the distribution of the best heads is not known for this loss"
    if worth.law == "limit" and not worth.grows:
        return f"exact in the limit of many steps, but its number of steps is fixed: {worth.why}"
    return ""


def measured(
    bench: Bench, law: Law, made: Mapping[Outcome, float], name: str, table: Any, off: float
) -> Curve | None:
    """Draw samples at each number of steps until they decide, or the time is over.

    None if there is no time for any.
    """
    grows = bench.family.samples[name].grows
    steps = bench.settings.steps if grows else (0,)
    if bench.toy.name != FULL:
        steps = steps[-2:-1] + steps[-1:] if len(steps) < 4 else (steps[1], steps[-2])
    pools = {n: Pool({grows: n} if grows else {}) for n in steps}
    each = most = _each(bench)
    curve: Curve | None = None
    while each > 0:
        portion = min(-(-most // _PORTIONS), each)
        pools = _round(bench, law, table, name, pools, most - each, portion)
        if not pools:
            break
        each -= portion
        curve = _curve(bench, law, made, name, pools)
        if _certain(bench, law, made, curve, off):
            return evolve(curve, enough=True)
    return curve


@frozen
class Pool:
    """Samples of a decoder with the params that it got; calls: of the network, for each."""

    params: Mapping[str, Any]
    counts: Counter[Outcome] = field(factory=Counter)
    calls: tuple[float, ...] = ()


def _round(
    bench: Bench,
    law: Law,
    table: Any,
    name: str,
    pools: Mapping[int, Pool],
    first: int,
    portion: int,
) -> dict[int, Pool]:
    """Add a portion to each pool; at first, to those for which the time is enough.

    Empty if a later portion takes longer than the time allows.
    """
    found: dict[int, Pool] = {}
    for n, pool in sorted(pools.items(), reverse=True):
        with bench.budget.share(_LARGEST if not first and n != min(pools) else 1.0):
            try:
                counts, calls = drawn(bench, law, table, name, pool.params, first, portion)
            except Late:
                if first:
                    return {}
                continue
        found[n] = Pool(pool.params, pool.counts + counts, (*pool.calls, calls))
    return found


def _curve(
    bench: Bench, law: Law, made: Mapping[Outcome, float], name: str, pools: Mapping[int, Pool]
) -> Curve:
    """Return the distances of all pools."""
    kept = tuple(sorted(pools))
    sizes = {start: sum(c for x, c in pools[kept[-1]].counts.items() if x[0] == start)
             for start in law.starts}  # fmt: skip
    return Curve(
        toy=bench.toy.name,
        decoder=name,
        steps=kept,
        distance=tuple(_distance(pools[n].counts, made, sizes) for n in kept),
        data=tuple(_distance(pools[n].counts, law.data, sizes) for n in kept),
        calls=tuple(sum(pools[n].calls) / len(pools[n].calls) for n in kept),
        draws=sum(sizes.values()),
        null=_perfect(bench, made, sizes),
    )


def _perfect(bench: Bench, made: Mapping[Outcome, float], sizes: Mapping[Ids, int]) -> Null:
    """Return the distances of a perfect sampler with so many draws from each start."""
    groups = [(n, [p for x, p in made.items() if x[0] == start]) for start, n in sizes.items()]
    return null(groups, bench.settings.seed)


def _certain(
    bench: Bench, law: Law, made: Mapping[Outcome, float], curve: Curve, off: float
) -> bool:
    """Return whether all draws would confirm what these show, but for once in 1 / `ERROR`."""
    units, most = sum(bench.toy.units), _each(bench)
    sizes = {start: round(share * units) * most for start, share in law.starts.items()}
    floor = _perfect(bench, made, sizes).high + max(off, FITTED)
    moved = reach(curve.draws) + reach(units * most)
    least = [max(d - curve.null.mean - moved, 0.0) for d in curve.distance]
    highest = [d + moved for d in curve.distance]
    holds = _checked(highest, _limits(curve.steps, least, floor))
    return holds and _limits(curve.steps, highest, floor)[-1] <= VAGUE


def _each(bench: Bench) -> int:
    """Return the number of samples drawn for each unit of chance."""
    return max(1, bench.settings.draws // sum(bench.toy.units))


def drawn(
    bench: Bench,
    law: Law,
    table: Any,
    name: str,
    params: Mapping[str, Any],
    first: int = 0,
    each: int = 0,
) -> tuple[Counter[Outcome], float]:
    """Count how often each outcome is made, and the mean number of calls of the network.

    ``each``: samples for each unit of chance, of which ``first`` were drawn before.
    """
    each = each or _each(bench)
    times = [units * each for units in bench.toy.units]
    rows = [i for i, n in enumerate(times) for _ in range(n)]
    batch = bench.canvas(times, first * sum(bench.toy.units))
    decoded = bench.decode(table, name, batch, **{**bench.neutral(name), **params})
    return counted(bench, law, decoded, rows), float(decoded.nfe.double().mean())


def _distance(
    counts: Counter[Outcome], law: Mapping[Outcome, float], sizes: Mapping[Ids, int]
) -> float:
    """Return the total variation between counted outcomes and a distribution."""
    off = sum(abs(counts.get(x, 0) - law.get(x, 0.0) * sizes[x[0]]) for x in {*counts, *law})
    return off / 2 / sum(sizes.values())


def _limits(steps: Sequence[int], distance: Sequence[float], floor: float) -> list[float]:
    """Return the greatest distances of a correct package, given those with fewer steps."""
    limits = [floor]
    for earlier, later, above in zip(steps, steps[1:], distance, strict=False):
        share = earlier / later if above <= NEAR else 1.0
        limits.append(floor + SLOWER * above * share)
    return limits


def _checked(distance: Sequence[float], limits: Sequence[float]) -> bool:
    """Return whether no distance is above its limit; of several the first is not judged."""
    pairs = list(zip(distance, limits, strict=True))
    return all(d <= limit for d, limit in pairs[len(pairs) > 1 :])


def _judged(bench: Bench, law: Law, curve: Curve, off: float) -> Verdict:
    """Return whether a perfect sampler could show the last distance, and the fall is fast."""
    limits = _limits(curve.steps, curve.distance, curve.null.high + max(off, FITTED))
    holds = _checked(curve.distance, limits)
    last, limit = curve.distance[-1], limits[-1]
    named = "p tilted as claimed" if law.tilted else "p"
    few = curve.draws < 0.9 * bench.settings.draws
    why = "which decide it" if curve.enough else "in the time allowed"
    draws = f", of {curve.draws} draws {why}" if few else ""
    at = bench.instead(curve.decoder)
    numbers = f"distance {last:.4f} (limit {limit:.4f}, a perfect sampler {curve.null.mean:.4f}"
    numbers += f"{draws})"
    if holds and limit > VAGUE:
        words = (
            f"{numbers}{at}: the limit is too wide for a verdict; try larger numbers for --steps"
        )
    elif holds:
        ways = bench.family.samples[curve.decoder].grows
        falls = f", and the distance falls like 1/{ways}" if len(curve.steps) > 1 else ""
        words = f"samples follow {named}{at}{falls}: {numbers}"
    else:
        words = f"samples do not follow {named}{at}: {numbers}"
    return Verdict(
        claim="samples",
        outcome="undecided" if holds and limit > VAGUE else decided(holds),
        found=words,
        toy=curve.toy,
        decoder=curve.decoder,
        measured=last,
        expected=curve.null.mean,
        margin=limit - curve.null.mean,
        fitted=True,
    )

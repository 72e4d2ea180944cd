"""Do samples follow the law that the package says?"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from xlm_runtime.verify.bench import Bench
from xlm_runtime.verify.budget import Late
from xlm_runtime.verify.law import Ids, Law, Outcome, counted
from xlm_runtime.verify.stats import Null, null
from xlm_runtime.verify.verdict import Verdict, decided

FITTED = 0.006  # what an imperfect fit may add to a distance
FULL = "fixed"  # the toy for which all numbers of steps are tried; for others two are
SLOWER = 1.5  # a distance that falls like 1/steps may be this many times above that
VAGUE = 0.3  # a distance that is allowed to be as great as this refutes hardly anything
NEAR = 0.5  # from here on it falls so: a distance is never above 1, however few the steps
_PORTIONS = 10  # in which samples are drawn, as long as there is time
_LARGEST = 0.7  # of the time of a decoder: for the largest number of steps


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


def samplers(bench: Bench, law: Law, table: Any, off: float) -> Iterator[Verdict | Curve]:
    """Yield a curve and a verdict for each decoder that is said to sample, a word on each other.

    ``off``: how far the law of the fitted table itself is from the one to expect.
    """
    names = list(bench.family.decoders)
    for i, name in enumerate(names):
        reason = _undecided(bench, law, name)
        if reason or law.made is None:
            yield _unknown(bench, name, reason)
            continue
        with bench.budget.share(1 / (len(names) - i)):
            curve = measured(bench, law, law.made, name, table)
        if curve is None:
            reason = "a thousand samples take longer than the time allows"
            yield _unknown(bench, name, f"{reason}; --seconds {10 * bench.settings.seconds}")
        else:
            yield curve
            yield _judged(bench, law, curve, off)


def _unknown(bench: Bench, name: str, reason: str) -> Verdict:
    return Verdict(
        claim="samples", outcome="undecided", found=reason, toy=bench.toy.name, decoder=name
    )


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


def measured(
    bench: Bench, law: Law, made: Mapping[Outcome, float], name: str, table: Any
) -> Curve | None:
    """Draw samples at each number of steps, the largest first, as many as there is time for.

    None if there is no time for any.
    """
    grows = bench.family.samples[name].grows
    steps = bench.settings.steps if grows else (0,)
    if bench.toy.name != FULL:
        steps = steps[-2:-1] + steps[-1:] if len(steps) < 4 else (steps[1], steps[-2])
    found: dict[int, tuple[Counter[Outcome], float]] = {}
    each = _each(bench)
    for n in reversed(steps):
        with bench.budget.share(_LARGEST if n != steps[0] else 1.0):
            counts, calls, reached = _portions(bench, law, table, name, {grows: n} if grows else {},
                                               each)  # fmt: skip
        if reached:
            each, found[n] = reached, (counts, calls)
    if not found:
        return None
    kept = tuple(sorted(found))
    sizes = {n: {start: sum(c for x, c in found[n][0].items() if x[0] == start)
                 for start in law.starts} for n in kept}  # fmt: skip
    last = sizes[kept[-1]]
    groups = [(n, [p for x, p in made.items() if x[0] == start]) for start, n in last.items()]
    return Curve(
        toy=bench.toy.name,
        decoder=name,
        steps=kept,
        distance=tuple(_distance(found[n][0], made, sizes[n]) for n in kept),
        data=tuple(_distance(found[n][0], law.data, sizes[n]) for n in kept),
        calls=tuple(found[n][1] for n in kept),
        draws=sum(last.values()),
        null=null(groups, bench.settings.seed),
    )


def _portions(
    bench: Bench, law: Law, table: Any, name: str, params: Mapping[str, Any], each: int
) -> tuple[Counter[Outcome], float, int]:
    """Draw until there are so many for each unit of chance or the time is over; how many."""
    counts: Counter[Outcome] = Counter()
    portion, reached, calls = max(1, -(-each // _PORTIONS)), 0, 0.0
    while reached < each:
        portion = min(portion, each - reached)
        try:
            some, mean = drawn(bench, law, table, name, params, reached, portion)
        except Late:
            break
        counts += some
        calls += mean * portion
        reached += portion
    return counts, calls / max(reached, 1), reached


def _each(bench: Bench) -> int:
    """How many samples are drawn for each unit of chance."""
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
    named = "p tilted as the claim says" if law.tilted else "p"
    few = curve.draws < 0.9 * bench.settings.draws
    draws = f", of {curve.draws} draws in the time allowed" if few else ""
    numbers = f"distance {last:.4f} (limit {limit:.4f}, a perfect sampler {curve.null.mean:.4f}"
    numbers += f"{draws})"
    if holds and limit > VAGUE:
        words = f"{numbers}: too wide a limit to mean anything; --steps with larger numbers"
    elif holds:
        ways = bench.family.samples[curve.decoder].grows
        falls = f", and the distance falls like 1/{ways}" if len(curve.steps) > 1 else ""
        words = f"samples follow {named}{falls}: {numbers}"
    else:
        words = f"samples do not follow {named}: {numbers}"
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

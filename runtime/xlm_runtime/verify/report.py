"""Reports of an examination, for people and for programs."""

from collections.abc import Iterator
from typing import Any

from attrs import asdict

from xlm_runtime.plug import Family
from xlm_runtime.verify.bench import Settings
from xlm_runtime.verify.examine import Examined
from xlm_runtime.verify.samplers import Curve
from xlm_runtime.verify.verdict import Verdict

MARKS = {"confirmed": "✓", "refuted": "✗", "undecided": "·"}
_BRIEF = ("network.", "noise.", "decoder.")  # told in one line where nothing is wrong


def heading(family: Family) -> Iterator[str]:
    """Yield the title of the package to be examined, and its claim."""
    yield f"{family.title} ({family.name}); {family.claim.value}: {family.claim.why}"


def lines(one: Examined) -> Iterator[str]:
    """Yield the results for one toy."""
    yield ""
    yield f"{one.toy.name}: {one.toy.what} (layout {one.toy.layout}), {one.seconds:.0f} s"
    if one.fit is not None and one.entropy is not None:
        yield (
            f"  a lookup table of {one.fit.states} noised inputs, fitted to a loss of "
            f"{one.fit.loss:.4f}, about {one.fit.error:.4f} above the least; "
            f"entropy of the data {one.entropy:.4f} nats"
        )
    brief = [v for v in one.verdicts if v.claim.startswith(_BRIEF) and v.outcome == "confirmed"]
    curves = {curve.decoder: curve for curve in one.curves}
    for verdict in one.verdicts:
        if verdict not in brief:
            yield from _verdict(verdict, curves)
    if brief:
        claims = ", ".join(dict.fromkeys(v.claim for v in brief))
        yield f"  {MARKS['confirmed']} {len(brief)} rules hold: {claims}"


def _verdict(verdict: Verdict, curves: dict[str, Curve]) -> Iterator[str]:
    about = f" of decoder {verdict.decoder}" if verdict.decoder else ""
    yield f"  {MARKS[verdict.outcome]} {verdict.claim}{about}: {verdict.found}"
    curve = curves.get(verdict.decoder)
    if verdict.claim == "samples" and curve is not None:
        yield from _curve(curve)


def _curve(curve: Curve) -> Iterator[str]:
    """Yield the distances, next to those of a perfect sampler."""
    floor = f"a perfect sampler: {curve.null.mean:.4f}, seldom above {curve.null.high:.4f}"
    at = ", ".join(
        f"{distance:.4f}" + (f" at {steps} steps" if steps else "")
        for steps, distance in zip(curve.steps, curve.distance, strict=True)
    )
    yield f"      distance {at} ({floor}; {curve.draws} draws)"
    if curve.data[-1] - curve.distance[-1] > curve.null.mean:
        yield f"      distance to the data itself {curve.data[-1]:.4f}, as the claim predicts"


def summary(found: list[Examined], seconds: float) -> Iterator[str]:
    """Yield refuted claims, and the number of verdicts with each outcome."""
    verdicts = [verdict for one in found for verdict in one.verdicts]
    counts = {name: sum(v.outcome == name for v in verdicts) for name in MARKS}
    yield ""
    for verdict in verdicts:
        if verdict.outcome == "refuted":
            about = f", decoder {verdict.decoder}" if verdict.decoder else ""
            yield f"refuted: {verdict.claim} (toy {verdict.toy}{about}): {verdict.found}"
    yield (
        f"{counts['confirmed']} confirmed, {counts['refuted']} refuted, "
        f"{counts['undecided']} cannot be decided; {seconds:.0f} s of processor time"
    )
    yield "False-alarm probability of each verdict: about 1e-3"


def document(
    path: str, family: Family, settings: Settings, found: list[Examined], seconds: float
) -> dict[str, Any]:
    """Return all results as plain values for JSON."""
    claim = family.claim
    return {
        "package": path,
        "family": family.name,
        "claim": {"value": claim.value, "why": claim.why, "trained": claim.trained},
        "settings": asdict(settings),
        "ok": not refuted(found),
        "seconds": round(seconds, 1),
        "toys": [_toy(one) for one in found],
    }


def _toy(one: Examined) -> dict[str, Any]:
    return {
        "name": one.toy.name,
        "what": one.toy.what,
        "layout": one.toy.layout,
        "outcomes": len(one.toy.outcomes),
        "entropy": one.entropy,
        "fit": asdict(one.fit) if one.fit is not None else None,
        "curves": [asdict(curve) for curve in one.curves],
        "verdicts": [asdict(verdict) for verdict in one.verdicts],
        "seconds": round(one.seconds, 1),
    }


def refuted(found: list[Examined]) -> bool:
    """Return whether any claim was refuted."""
    return any(v.outcome == "refuted" for one in found for v in one.verdicts)

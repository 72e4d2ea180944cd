"""All checks of a package, toy by toy."""

import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic

from attrs import frozen

from xlm_runtime.plug import Family
from xlm_runtime.verify.bench import Bench, Settings
from xlm_runtime.verify.fit import Fit, fit
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


@frozen
class Examined:
    """What was found with one toy: its law's entropy given the start, the fit, curves, verdicts."""

    toy: Toy
    entropy: float | None
    fit: Fit | None
    curves: tuple[Curve, ...]
    verdicts: tuple[Verdict, ...]
    seconds: float


def examine(family: Family, settings: Settings) -> Iterator[Examined]:
    """Each toy for which the family has a layout."""
    vocab = vocabulary(family.specials)
    for toy in toys(family.layouts):
        yield _examined(Bench(family, vocab, toy, settings))


def _examined(bench: Bench) -> Examined:
    begun = monotonic()
    found: list[Verdict | Curve] = []
    fitted: list[Fit] = []
    laws: list[Law] = []

    def prepare() -> Iterator[Verdict]:
        fitted.append(fit(bench))
        laws.append(law_of(bench))
        return iter(())

    _run(bench, "manners", partial(manners, bench), found)
    _run(bench, "fit", prepare, found)
    if laws:
        _run(bench, "loss", partial(objective, bench), found)
        _run(bench, "likelihood", partial(likelihood, bench, laws[0], fitted[0]), found)
        off = _off(fitted[0], laws[0], found)
        _run(bench, "samples", partial(samplers, bench, laws[0], off), found)
    return Examined(
        toy=bench.toy,
        entropy=laws[0].entropy() if laws else None,
        fit=fitted[0] if fitted else None,
        curves=tuple(one for one in found if isinstance(one, Curve)),
        verdicts=tuple(one for one in found if isinstance(one, Verdict)),
        seconds=monotonic() - begun,
    )


def _off(fitted: Fit, law: Law, found: list[Verdict | Curve]) -> float:
    """How far from the law to expect that of the fitted table may be.

    By Pinsker's inequality from what the fit lost, or by the likelihood, which is closer to the
    point where it has no slack.
    """
    lost = fitted.error / max(fitted.loss, 1e-9) * law.entropy()
    told = [v.details["distance"] for v in found if isinstance(v, Verdict) and v.details]
    return float(min([(lost / 2) ** 0.5, *told]))


def _run(bench: Bench, what: str, check: Check, found: list[Verdict | Curve]) -> None:
    """Adds what a check finds; code of the package that fails has refuted itself."""
    try:
        found.extend(check())
    except _FAILURES as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        words = " ".join(f"{type(error).__name__}: {error}".split())
        found.append(
            Verdict(claim=f"{what}.runs", outcome="refuted", toy=bench.toy.name,
                    found=f"it fails at {where}: {words}")
        )  # fmt: skip

"""What was found of one claim."""

from typing import Any, Literal

from attrs import frozen

Outcome = Literal["confirmed", "refuted", "undecided"]


@frozen(kw_only=True)
class Verdict:
    """One claim of a package, and what became of it.

    claim: a stable key. toy, decoder: what it is about, where it is about one. found: in words.
    measured, expected, margin: the numbers that decided it, where numbers did.
    """

    claim: str
    outcome: Outcome
    found: str
    toy: str = ""
    decoder: str = ""
    measured: float | None = None
    expected: float | None = None
    margin: float | None = None
    details: dict[str, Any] | None = None


def decided(holds: bool) -> Outcome:
    """The outcome of a claim that could be decided."""
    return "confirmed" if holds else "refuted"

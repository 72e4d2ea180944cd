"""The verdict on one claim."""

from typing import Any, Literal

from attrs import frozen

Outcome = Literal["confirmed", "refuted", "undecided"]


@frozen(kw_only=True)
class Verdict:
    """One claim of a package, and its outcome.

    claim: a stable key. toy, decoder: the subjects of the claim, if it has one. `found`: in words
        that are true for this outcome.
    measured, expected, margin: the numbers that decided it, if numbers did. fitted: it depends on
        the quality of a fitted table.
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
    fitted: bool = False


def decided(holds: bool) -> Outcome:
    """Return the outcome of a claim that could be decided."""
    return "confirmed" if holds else "refuted"

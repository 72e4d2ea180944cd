"""What was found of one claim."""

from typing import Any, Literal

from attrs import frozen

Outcome = Literal["confirmed", "refuted", "undecided"]


@frozen(kw_only=True)
class Verdict:
    """One claim of a package, and its outcome.

    claim: a stable key. toy, decoder: what it is about, where it is about one. found: in words
    that are true for this outcome.
    measured, expected, margin: the numbers that decided it, where numbers did. fitted: it depends
    on how well a table was fitted.
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
    """The outcome of a claim that could be decided."""
    return "confirmed" if holds else "refuted"

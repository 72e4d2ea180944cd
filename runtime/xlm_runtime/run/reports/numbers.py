"""The numbers of an evaluation, each with its standard error, its count and its kind."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, Literal

from attrs import evolve, frozen

from xlm_runtime.model import evaluate

Kind = Literal["answers", "likelihood", "joint", "decoding", "loss"]
_BESIDE = ("_error", "_count")


@frozen
class Number:
    """A number of an evaluation.  ``value`` is None where it is not finite."""

    name: str
    kind: Kind
    value: float | None
    error: float | None = None
    count: float | None = None

    @property
    def title(self) -> str:
        """Return the name for a person."""
        return self.name.replace("_", " ")

    def __str__(self) -> str:
        return shown(self.value, self.error)


def shown(value: float | None, error: float | None = None) -> str:
    """Format a number with its error: ``0.4865 ± 0.0833``."""
    if value is None or not isfinite(value):
        return "not finite"
    spread = f" ± {error:.4f}" if error is not None and isfinite(error) else ""
    return f"{value:.4f}{spread}"


def numbers(found: Mapping[str, Any]) -> dict[str, Number]:
    """Return the numbers of an evaluation by name: answers, likelihood, joint, decoding, loss.

    If two kinds have a number of the same name, it is that of the first.
    """
    every: dict[str, Number] = {}
    for number in _all(found):
        every.setdefault(number.name, number)
    return every


def with_joint(every: Mapping[str, Number]) -> dict[str, Number]:
    """Add the joint numbers of a likelihood that is not given the length: they are its own."""
    own = [one for one in every.values() if one.kind == "likelihood"]
    made = dict(every)
    for one in own:
        name = f"joint_{one.name}"
        made.setdefault(name, evolve(one, name=name, kind="joint"))
    return made


def _all(found: Mapping[str, Any]) -> Iterator[Number]:
    yield from _of(found.get("answers", {}), "answers")
    likelihood = found.get("likelihood", {})
    yield from _of(likelihood, "likelihood")
    yield from _of(likelihood.get("joint", {}), "joint", "joint_")
    yield from _of(found.get("decoding", {}), "decoding")
    yield from _of(evaluate.shown(found["loss"]) if found.get("loss") else {}, "loss")


def _of(part: Mapping[str, Any], kind: Kind, prefix: str = "") -> Iterator[Number]:
    for name, value in part.items():
        if isinstance(value, str | dict) or name.endswith(_BESIDE):
            continue
        error, count = (part.get(name + end) for end in _BESIDE)
        yield Number(prefix + name, kind, value, error, count)

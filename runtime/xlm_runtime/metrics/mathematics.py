r"""Answers to problems of mathematics: the last ``\boxed{}``, judged by its value.

Gold and answer are parsed and compared by the package ``math-verify`` (Kydlíček, Hugging Face), so
that ``\frac12``, ``0.5`` and ``\dfrac{1}{2}`` are the same.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.ratio import Ratio
from xlm_runtime.shapes import Tensor
from xlm_runtime.system import extras

SECONDS = 5  # for reading an expression, and for comparing two
_LOGS = ("math_verify.parser", "math_verify.grader", "math_verify.utils")
NEXT = "Problem:"  # a model of texts that is shown examples goes on with a problem of its own


def check() -> None:
    """Check that the package is installed.  Raises UsageError."""
    extras.needed("math_verify", "math", "a judge of mathematics")


class MathAnswers(Ratio):
    r"""The share of answers whose boxed expression equals that of the target.

    A target without ``\boxed{}`` is an expression as a whole; an answer without one is wrong, and
    counted by ``not_boxed``, a share of all. So is one that takes longer than `SECONDS` to be read
    or compared, by ``timed_out``. What comes after ``Problem:`` does not count.
    """

    name = "solved"
    n: Tensor
    not_boxed: Tensor
    timed_out: Tensor

    def __init__(self, **options: Any) -> None:
        check()
        super().__init__(**options)
        self.add_state("not_boxed", self.n.clone(), dist_reduce_fx="sum")
        self.add_state("timed_out", self.n.clone(), dist_reduce_fx="sum")

    def score(self, answer: Answer) -> tuple[float, float]:
        """Score 1 of 1 for an equal expression."""
        said = boxed(answer.text.partition(NEXT)[0])
        gold = boxed(answer.target)
        if said is None:
            self.not_boxed = self.not_boxed + 1
            return 0.0, 1.0
        same = equal(answer.target if gold is None else gold, said)
        self.timed_out = self.timed_out + (same is None)
        return float(bool(same)), 1.0

    def compute(self) -> dict[str, Tensor]:
        """Return the share with its error, and those of missing and timed-out expressions."""
        shares = {"not_boxed": self.not_boxed, "timed_out": self.timed_out}
        return super().compute() | {name: share / self.n for name, share in shares.items()}


def equal(gold: str, said: str) -> bool | None:
    """Return whether two expressions are equal; math-verify is not symmetric in them.

    None if the comparison exceeds its time.
    """
    from math_verify import parse, verify

    if gold.strip() == said.strip():
        return True
    with _hushed() as timeouts:
        one, other = (parse(f"${text}$", parsing_timeout=SECONDS) for text in (gold, said))
        same = verify(one, other, timeout_seconds=SECONDS)
    return None if timeouts and not same else bool(same)


@contextmanager
def _hushed() -> Iterator[list[str]]:
    """Collect the timeouts that math-verify logs, and hide everything else that it logs."""
    timeouts: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        timeouts.extend([record.getMessage()] if "Timeout" in record.getMessage() else [])
        return False

    loggers = [logging.getLogger(name) for name in _LOGS]
    for logger in loggers:
        logger.addFilter(keep)
    try:
        yield timeouts
    finally:
        for logger in loggers:
            logger.removeFilter(keep)


def boxed(text: str) -> str | None:
    r"""Return the content of the last closed ``\boxed{}`` or ``\fbox{}``, or None."""
    places = [i for start in (r"\boxed", r"\fbox") for i in _found(text, start)]
    for place in sorted(places, reverse=True):
        inside = _braced(text[place:])
        if inside is not None:
            return inside
    return None


def _found(text: str, start: str) -> list[int]:
    """Return the positions right after each ``start``."""
    return [i + len(start) for i in range(len(text)) if text.startswith(start, i)]


def _braced(text: str) -> str | None:
    """Return the text between the brace that a text begins with and the one that closes it."""
    if not text.lstrip().startswith("{"):
        return None
    begin, depth = text.index("{"), 0
    for i in range(begin, len(text)):
        escaped = i > 0 and text[i - 1] == "\\"
        depth += 0 if escaped else {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[begin + 1 : i]
    return None

"""Answers that are numbers: made by a program that is run, or written in the text.

A number is right if it differs from the gold one by less than 1e-3, as Gao et al. 2022 (PAL,
arXiv:2211.10435) count GSM8K.
"""

import re
from collections.abc import Sequence
from typing import Any

import torch

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.batched import Batched
from xlm_runtime.metrics.ratio import Ratio
from xlm_runtime.metrics.sandbox import Outcome, run_all
from xlm_runtime.shapes import Tensor

_NEAR = 1e-3
_MINUS = "-\N{MINUS SIGN}"
_NUMBER = re.compile(
    rf"((?:(?<!\d)[{_MINUS}])?(?:\$[{_MINUS}]?)?)"
    r"((?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)"
)


class Programs(Batched):
    """The share of answers whose program makes the right number.

    Each is run apart (see `sandbox`), for a second. ``wrong_number``, ``crashed`` and
    ``timed_out`` are the shares of all others. A target that is no number is a program as well.
    """

    name = "solved"
    wrong_number: Tensor
    crashed: Tensor
    timed_out: Tensor
    n: Tensor
    _KINDS = ("wrong_number", "crashed", "timed_out")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for kind in self._KINDS:
            self.add_state(kind, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def judge(self, answers: Sequence[Answer]) -> None:
        """Run the programs of answers, and of targets that are programs."""
        gold = [last_number(one.target, alone=True) for one in answers]
        unknown = [i for i, number in enumerate(gold) if number is None]
        made = run_all([answers[i].target for i in unknown])
        for i, outcome in zip(unknown, made, strict=True):
            gold[i] = outcome.number if outcome.kind == "number" else None
        for outcome, right in zip(run_all([one.text for one in answers]), gold, strict=True):
            self._count(outcome, right)

    def compute(self) -> dict[str, Tensor]:
        """Return the share of solved answers with its error, and the share of each failure."""
        found = super().compute()
        return found | {kind: getattr(self, kind) / self.n for kind in self._KINDS}

    def _count(self, outcome: Outcome, gold: float | None) -> None:
        if outcome.kind == "number":
            right = gold is not None and abs(outcome.number - gold) < _NEAR
            self.wrong_number = self.wrong_number + (not right)
        else:
            right = False
            self.timed_out = self.timed_out + (outcome.kind == "time")
            self.crashed = self.crashed + (outcome.kind == "crash")
        self.add(float(right), 1.0)


class Number(Ratio):
    """The share of answers that end with the right number.

    It is the one after ``####``, as GSM8K writes it, or the last one of the text. Answers without
    any are wrong.
    """

    name = "solved"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Score 1 of 1 for the right number."""
        said, gold = last_number(answer.text), last_number(answer.target)
        right = said is not None and gold is not None and abs(said - gold) < _NEAR
        return float(right), 1.0


def last_number(text: str, *, alone: bool = False) -> float | None:
    """Return the number after ``####``, or the last one; with ``alone`` only if all is a number.

    Commas belong to a number if groups of three digits follow them.
    """
    text = text.rpartition("####")[2].strip()
    found = list(_NUMBER.finditer(text))
    if not found or (alone and found[-1][0] != text):
        return None
    sign, digits = found[-1].groups()
    return float(digits.replace(",", "")) * (-1 if any(one in sign for one in _MINUS) else 1)

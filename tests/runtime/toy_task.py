"""Two tasks for the toy family: say the prompt backwards, and count upwards in letters."""

import os
import signal
from collections.abc import Sequence
from random import Random
from typing import ClassVar, Literal

from xlm_runtime.plug import Example
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared, Split
from xlm_runtime.tasks.base.task import Task
from xlm_runtime.tokenizers import words


class Fault(RuntimeError):
    """What `Faulty` raises."""


class Faulty:
    """Rows of which the one read after ``reads`` others strikes the process, as TOY_FAULT says."""

    def __init__(self, rows: Sequence[Example], fault: str, reads: int) -> None:
        self.rows, self.fault, self.reads = rows, fault, reads

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int, /) -> Example:
        self.reads -= 1
        if self.reads == 0:
            if self.fault == "raise":
                raise Fault
            os.kill(os.getpid(), getattr(signal, self.fault))
        return self.rows[index]


def faulty(rows: Sequence[Example]) -> Split:
    """``TOY_FAULT=SIGKILL:500`` in the environment makes rows faulty."""
    fault, _, reads = os.environ.get("TOY_FAULT", "").partition(":")
    return Faulty(rows, fault, int(reads)) if fault else rows


class Toy(Task):
    """Four letters, with (``seq2seq``) or without (``text``) a prompt."""

    title = "Toy"
    quick: ClassVar[dict[str, float | int | str]] = {
        "model.layers": 1,
        "model.width": 32,
        "model.heads": 2,
        "model.dropout": 0.1,
        "train.steps": 60,
        "train.batch": 16,
        "train.learning_rate": 3e-3,
        "train.log_every": 20,
    }

    def __init__(self, name: str, layout: Literal["text", "seq2seq"]) -> None:
        self.name, self.layout = name, layout

    def prepare(self, options: DataOptions) -> Prepared:
        """300 examples, of which the last 37 test."""
        rows = [self._example(i, Random(f"{options.seed}/{i}")) for i in range(300)]
        return Prepared(
            train=faulty(rows[:250]),
            validation=rows[250:263],
            test=rows[263:],
            tokenizer=words(list("abcdefgh"), options.specials),
            body=5,
            prompt=0 if self.layout == "text" else 4,
            facts={"sizes": {"train": 250}, "guess": 0.125},
        )

    def _example(self, index: int, random: Random) -> Example:
        prompt = [random.randrange(8) for _ in range(4)]
        if self.layout == "text":
            return Example(index, [(prompt[0] + i) % 8 for i in range(4)])
        return Example(index, prompt[::-1], prompt)


TEXT = Toy("toy_text", "text")
REVERSE = Toy("toy_reverse", "seq2seq")

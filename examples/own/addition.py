"""A task of one's own in one file: add two numbers below 100, digit by digit.

``xlmc run out/ilm --task examples.own.addition:ADDITION --metric examples.own.distance:DISTANCE``
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from xlm_runtime.plug import Example
from xlm_runtime.tasks import DataOptions, Prepared, Task
from xlm_runtime.tokenizers import words


class Addition(Task):
    """``2 7 + 5 8`` → ``8 5``: every sum is in one split only."""

    name = "addition"
    title = "Add two numbers below 100"
    layout = "seq2seq"
    quick: ClassVar[Mapping[str, float | int | str]] = {
        "model.size": "tiny",
        "train.steps": 3000,
        "train.learning_rate": 3e-3,
        "train.schedule": "cosine",
    }

    def prepare(self, options: DataOptions) -> Prepared:
        """Return all 10,000 sums, in an order that the seed draws."""
        tokenizer = words([*"0123456789", "+"], options.specials)
        pairs = [(a, b) for a in range(100) for b in range(100)]
        order = np.random.default_rng(options.seed).permutation(len(pairs))
        rows = []
        for index, place in enumerate(order.tolist()):
            a, b = pairs[place]
            prompt = tokenizer.encode(f"{_spaced(a)} + {_spaced(b)}")
            rows.append(Example(index, body=tokenizer.encode(_spaced(a + b)), prompt=prompt))
        return Prepared(
            train=rows[1000:],
            validation=rows[:500],
            test=rows[500:1000],
            tokenizer=tokenizer,
            body=3,
            prompt=5,
            facts={"source": f"all sums, in the order of seed {options.seed}"},
        )


def _spaced(number: int) -> str:
    """Return the digits of a number as words."""
    return " ".join(str(number))


ADDITION = Addition()
"""What ``--task`` names."""

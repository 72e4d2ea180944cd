"""Word problems of our own making: small stories with numbers, their solution and program.

For preset quick, which needs no download. A problem is a story with three or four numbers, with
names and things that its seed draws; nothing is taken from any data set.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

NAMES = ("Ada", "Ben", "Cleo", "Dov", "Emi", "Finn", "Gita", "Hugo", "Ines", "Jo")
THINGS = ("apples", "books", "cards", "pens", "shells", "stamps", "marbles", "buttons")


@dataclass(frozen=True)
class Problem:
    """A story with a question; steps of the form ``name = expression``; their last value.

    `told`: the steps in words, one for each.
    """

    question: str
    steps: tuple[tuple[str, str], ...]
    told: tuple[str, ...]
    number: int

    @property
    def program(self) -> str:
        """The solution as a function."""
        lines = [f"    {name} = {expression}" for name, expression in self.steps]
        return "\n".join(["def simple_math_problem():", *lines, "    return result"])

    @property
    def solution(self) -> str:
        """The solution in words, which ends with the number as in GSM8K."""
        return "\n".join([*self.told, f"#### {self.number}"])


def problems(seed: int, count: int) -> Iterator[Problem]:
    """Yield problems with distinct questions."""
    rng = np.random.default_rng([seed, 0x6D61])
    seen: set[str] = set()
    while len(seen) < count:
        made = _KINDS[rng.integers(len(_KINDS))](rng)
        if made.question not in seen:
            seen.add(made.question)
            yield made


def _words(rng: np.random.Generator) -> tuple[str, str]:
    return NAMES[rng.integers(len(NAMES))], THINGS[rng.integers(len(THINGS))]


def _few(rng: np.random.Generator, count: int, low: int = 2, high: int = 20) -> list[int]:
    return [int(x) for x in rng.integers(low, high, count)]


def _gift(rng: np.random.Generator) -> Problem:
    (who, what), (some, more) = _words(rng), _few(rng, 2)
    gone = int(rng.integers(1, some + more))
    total, left = some + more, some + more - gone
    return Problem(
        f"{who} has {some} {what} and finds {more} more. Then {who} gives {gone} away. "
        f"How many {what} are left?",
        (("total", f"{some} + {more}"), ("result", f"total - {gone}")),
        (
            f"{who} has {some} + {more} = {total} {what}.",
            f"After the gift {total} - {gone} = {left} are left.",
        ),
        left,
    )


def _boxes(rng: np.random.Generator) -> Problem:
    (who, what), (boxes, each, loose) = _words(rng), _few(rng, 3)
    packed = boxes * each
    return Problem(
        f"There are {boxes} boxes with {each} {what} in each. {who} adds {loose} loose {what}. "
        f"How many {what} are there?",
        (("packed", f"{boxes} * {each}"), ("result", f"packed + {loose}")),
        (
            f"In the boxes there are {boxes} * {each} = {packed} {what}.",
            f"With the loose ones there are {packed} + {loose} = {packed + loose}.",
        ),
        packed + loose,
    )


def _shop(rng: np.random.Generator) -> Problem:
    (who, what), (count, price) = _words(rng), _few(rng, 2, 2, 12)
    change = int(rng.integers(0, 30))
    cost = count * price
    return Problem(
        f"{who} buys {count} {what} for {price} dollars each and pays with {cost + change} "
        "dollars. How many dollars does the shop give back?",
        (("cost", f"{count} * {price}"), ("result", f"{cost + change} - cost")),
        (
            f"The {what} cost {count} * {price} = {cost} dollars.",
            f"The shop gives {cost + change} - {cost} = {change} dollars back.",
        ),
        change,
    )


def _share(rng: np.random.Generator) -> Problem:
    (who, what), (people, each) = _words(rng), _few(rng, 2, 2, 12)
    kept = int(rng.integers(1, 15))
    all_, shared = people * each + kept, people * each
    return Problem(
        f"{who} has {all_} {what}, keeps {kept} and shares the others evenly among {people} "
        f"friends. How many {what} does each friend get?",
        (("shared", f"{all_} - {kept}"), ("result", f"shared // {people}")),
        (
            f"{who} shares {all_} - {kept} = {shared} {what}.",
            f"Each friend gets {shared} / {people} = {each}.",
        ),
        each,
    )


def _times(rng: np.random.Generator) -> Problem:
    (who, what), (some, factor) = _words(rng), _few(rng, 2, 2, 12)
    other = next(name for name in NAMES if name != who)
    theirs = some * factor
    return Problem(
        f"{who} has {some} {what}. {other} has {factor} times as many. "
        f"How many {what} do they have together?",
        (("theirs", f"{some} * {factor}"), ("result", f"{some} + theirs")),
        (
            f"{other} has {some} * {factor} = {theirs} {what}.",
            f"Together they have {some} + {theirs} = {some + theirs}.",
        ),
        some + theirs,
    )


_KINDS: tuple[Callable[[np.random.Generator], Problem], ...] = (
    _gift,
    _boxes,
    _shop,
    _share,
    _times,
)

"""Distributions over few short strings, in every layout that a package has.

Chances are multiples of 1 / `UNITS`, so that a batch can hold each outcome exactly as often as its
distribution requires. No distribution is a product, and every string that a network could be
shown has a chance above zero.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from attrs import evolve, frozen

from xlm_runtime.plug import Example, Vocabulary

UNITS = 256
SPECIALS = ("pad", "mask", "bos", "eos", "cls")
A, B, C = (len(SPECIALS) + i for i in range(3))


@frozen
class Toy:
    """Data that can be enumerated: outcomes, each with its chance in `UNITS`.

    layout: the layout that they are for. capacity: the largest number of body tokens.
    """

    name: str
    what: str
    layout: str
    capacity: int
    outcomes: tuple[Example, ...]
    units: tuple[int, ...]


def vocabulary(specials: tuple[str, ...]) -> Vocabulary:
    """Return three letters and every special token that a family may name."""
    names = [*SPECIALS, *(name for name in specials if name not in SPECIALS)]
    letters = {name: i for i, name in enumerate(SPECIALS)}
    late = {name: C + 1 + i for i, name in enumerate(names[len(SPECIALS) :])}
    return Vocabulary(C + 1 + len(late), letters | late)


def toys(layouts: Mapping[str, Any], *, drafted: bool = False) -> list[Toy]:
    """Return the toys for the layouts of a package; if ``drafted``, outcomes bring drafts."""
    begins = getattr(layouts.get("infill"), "begins", False)
    made = (_fixed(), _mixed(), _prompted(), _begun() if begins else _given())
    return [_drafted(toy) if drafted else toy for toy in made if toy.layout in layouts]


def _drafted(toy: Toy) -> Toy:
    """Return a toy whose outcomes bring one of two drafts: one for each other outcome."""
    outcomes = []
    for i, one in enumerate(toy.outcomes):
        known = [token for token, kept in zip(one.body, one.given, strict=False) if kept]
        free = (A,) if i % 2 else (B, A)
        kept = [True] * len(known) + [False] * len(free) if known else []
        outcomes.append(replace(one, draft=(*known, *free), kept=kept))
    return evolve(toy, what=f"{toy.what}, each of one of 2 drafts", outcomes=tuple(outcomes))


def _fixed() -> Toy:
    strings = list(product((A, B, C), repeat=3))
    outcomes = [Example(i, body) for i, body in enumerate(strings)]
    return _toy("fixed", "27 strings of three letters", "text", 3, outcomes)


def _mixed() -> Toy:
    strings = [body for length in range(4) for body in product((A, B), repeat=length)]
    outcomes = [Example(i, body) for i, body in enumerate(strings)]
    return _toy("mixed", "15 strings of no to three letters, with repeats", "text", 3, outcomes)


def _prompted() -> Toy:
    bodies = [body for length in (1, 2) for body in product((A, B), repeat=length)]
    pairs = [(prompt, body) for prompt in ((C,), (C, A)) for body in bodies]
    outcomes = [Example(i, body, prompt) for i, (prompt, body) in enumerate(pairs)]
    return _toy("prompted", "6 strings of one or two letters for each of 2 prompts", "seq2seq", 2,
                outcomes)  # fmt: skip


def _given() -> Toy:
    around = [(left, right) for n in (0, 1) for left in product((A, B), repeat=n)
              for right in product((A, B), repeat=1 - n)]  # fmt: skip
    around += [((a,), (b,)) for a, b in product((A, B), repeat=2)]
    outcomes = [
        Example(i, (*left, C, *right), (), (*(False for _ in left), True, *(False for _ in right)))
        for i, (left, right) in enumerate(around)
    ]
    return _toy("given", "8 strings of two or three letters of which one is given", "infill", 3,
                outcomes)  # fmt: skip


def _begun() -> Toy:
    ends = [body for length in (1, 2) for body in product((A, B), repeat=length)]
    outcomes = [
        Example(i, (C, *end), (), (True, *(False for _ in end))) for i, end in enumerate(ends)
    ]
    return _toy("given", "6 strings of two or three letters of which the first is given", "infill",
                3, outcomes)  # fmt: skip


def _toy(name: str, what: str, layout: str, capacity: int, outcomes: list[Example]) -> Toy:
    """Build a distribution in which no two places are independent, the same at every call."""
    chances = np.random.default_rng(3).dirichlet(np.full(len(outcomes), 0.8))
    units = np.maximum(2, np.round(UNITS * (0.75 * chances + 0.25 / len(outcomes)))).astype(int)
    units[units.argmax()] += UNITS - units.sum()
    return Toy(name, what, layout, capacity, tuple(outcomes), tuple(int(n) for n in units))

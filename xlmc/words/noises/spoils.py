"""``clean -> mask | random | clean``: masks, and tokens that do not show what happened to them."""

from typing import ClassVar

from xlmc.theory.needs import SPOILED, WHOLE, Need
from xlmc.words.noises.base import Range
from xlmc.words.noises.hides import Hides


class Spoils(Hides):
    """The word ``clean -> mask | random | clean``."""

    name = "clean -> mask | random | clean"
    form = "clean -> mask | random share NUMBER | clean share NUMBER  survival NAME(t) = EXPR"
    meaning = (
        "A token is struck with the chance 1 - NAME(t): of these, shares become random ones and "
        "stay as they are, and the others become masks. Decoding begins with masks alone."
    )
    example = "clean -> mask | random share 0.1 | clean share 0.1  survival alpha(t) = 1 - t"
    others = ("share", "struck")
    needs: ClassVar[tuple[Need, ...]] = (SPOILED, WHOLE)
    partial = "spoils"
    summary = "which tokens are struck, and become masks, random ones, or stay."
    amount = Range("t", "0", "1")
    uncounted = "a row does not show how many tokens are struck: some are random, and some stay"

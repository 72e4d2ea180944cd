"""``ratios``: of the chance of each token at a place to that of the one that is there."""

from xlmc.theory.process import Process
from xlmc.words.heads.base import Head, Place

WHY = "a ratio compares a token with the one at the same place, and a gap has none"


class Ratios(Head):
    """The word ``ratios``."""

    name = "ratios"
    noun = "ratios"
    number = False
    ratios = True
    form = "head NAME : ratios [at tokens] [shifted]"
    meaning = (
        "How many times likelier each token is at a place, at the time of the row, than the one "
        "that is there; at a mask in units of alpha / (1 - alpha), in which true ratios sum to 1."
    )
    example = "head token : ratios"
    default = "at tokens"

    def place(self, process: Process) -> Place:
        """Return tokens."""
        del process
        return Place(("tokens",), WHY, "tokens", optional=True)

"""``scale``: a positive number for each token, which formulas of the noise read."""

from xlmc.theory.needs import LEARNED
from xlmc.theory.process import Process
from xlmc.words.heads.base import Head, Place

WHY = "each token has a clock of its own, and so a number of its own"


class Scale(Head):
    """The word ``scale``."""

    name = "scale"
    noun = "a scale"
    clocks = True
    form = "head NAME : scale [at tokens]"
    meaning = (
        "A number from 1/4 to 4 for each token, 1 before training, which the formulas of the noise "
        "may read; for a network with a name."
    )
    example = "head w : scale"
    default = "at tokens"
    needs = (LEARNED,)

    def place(self, process: Process) -> Place:
        """Return tokens."""
        del process
        return Place(("tokens",), WHY, "tokens", optional=True)

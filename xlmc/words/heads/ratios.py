"""``ratios``: of the chance of each token at a place to that of the one that is there."""

from xlmc.syntax import ast
from xlmc.theory.process import Process
from xlmc.words.heads.base import Head, Place, where

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

    answer = "places vocab"

    def returns(
        self, head: ast.Head, process: Process, *, joint: bool, learns: str
    ) -> tuple[str, str]:
        """Name the ratios, and their unit where it is one of masks."""
        del joint, learns
        unit = "the one that is there"
        if not process.replaces:
            unit = "a mask, in units of alpha / (1 - alpha), in which the true ones are the "
            unit += "distribution of the clean token"
        more = f"Of the chance of each token to that of {unit}."
        return f"the logarithms of ratios {where(head)}", more

    def place(self, process: Process) -> Place:
        """Return tokens."""
        del process
        return Place(("tokens",), WHY, "tokens", optional=True)

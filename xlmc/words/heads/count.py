"""``count``: the number of tokens that are expected in each gap."""

from xlmc.theory.needs import DROPPED
from xlmc.theory.process import Process
from xlmc.words.heads.base import GAPS, Head, Place


class Count(Head):
    """The word ``count``."""

    name = "count"
    noun = "a count"
    form = "head NAME : count at gaps"
    meaning = "The number of tokens that is expected to be missing in each gap: any number from 0."
    example = "head gap : count at gaps"
    needs = (DROPPED,)

    def place(self, process: Process) -> Place:
        """Return the gaps."""
        del process
        return GAPS

    def instead(self, process: Process) -> tuple[str, str]:
        """Return the head of tokens where none leaves the row."""
        if process.ordered or not process.known or self.needs[0].holds(process):
            return "", ""
        return "masks show how many are missing, and where", "logits"

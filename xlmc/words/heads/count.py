"""``count``: the number of tokens that are expected in each gap."""

from xlmc.theory.needs import arrow
from xlmc.theory.process import Process
from xlmc.words.heads.base import GAPS, Head, Place


class Count(Head):
    """The word ``count``."""

    name = "count"
    noun = "a count"
    form = "head NAME : count at gaps"
    meaning = "The number of masks that is expected to be missing in each gap: any number from 0."
    example = "head gap : count at gaps"
    needs = (arrow("mask", "gone"),)

    def place(self, process: Process) -> Place:
        """Return the gaps."""
        del process
        return GAPS

    def instead(self, process: Process) -> tuple[str, str]:
        """Return the head of tokens where no masks leave the row."""
        if process.ordered or not process.known or self.needs[0].holds(process):
            return "", ""
        why = "xlmc inserts by number only masks, under `mask -> gone`"
        return why, "logits at gaps" if process.drops else "logits"

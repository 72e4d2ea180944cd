"""``chance``: a chance for each row, read at a special token."""

from xlmc.theory.process import Process
from xlmc.words.heads.base import Head, Place, special


class Chance(Head):
    """The word ``chance``."""

    name = "chance"
    noun = "a chance"
    form = "head NAME : chance at SPECIAL"
    meaning = "The chance of something about a row, such as that nothing is missing."
    example = "head done : chance at cls"

    def place(self, process: Process) -> Place:
        """Return a special token."""
        del process
        return special("chance")

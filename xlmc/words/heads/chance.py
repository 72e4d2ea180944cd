"""``chance``: a chance for each row, read at a special token."""

from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words.heads.base import Head, Place, special


class Chance(Head):
    """The word ``chance``."""

    name = "chance"
    noun = "a chance"
    form = "head NAME : chance at SPECIAL"
    meaning = "The chance of something about a row, such as that nothing is missing."
    example = "head done : chance at cls"

    asked = "batch"
    answer = " batch"

    def returns(
        self, head: ast.Head, process: Process, *, joint: bool, learns: str
    ) -> tuple[str, str]:
        """Name the event."""
        del process, joint, learns
        at = query.read_at(head)
        return f"log-odds that nothing is missing, read at `{at}`", ""

    def place(self, process: Process) -> Place:
        """Return a special token."""
        del process
        return special("chance")

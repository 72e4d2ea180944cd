"""``distribution``: a distribution over the number that is missing, of each gap or of each row."""

from attrs import evolve

from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words.heads.base import GAPS, Head, Place, number, special

MOST = 100_000
EACH = "each gap misses a number of its own, and the length of a text follows from these"
WHOLE = "no gap misses a token: a distribution is of the length of a text, at one special token"


class Distribution(Head):
    """The word ``distribution``."""

    name = "distribution"
    noun = "a distribution"
    sized = True
    form = "head NAME : distribution(NUMBER) at gaps | at SPECIAL"
    meaning = (
        "A distribution over 0 to NUMBER: how many tokens a gap or a row misses, or a text has."
    )
    example = "head missing : distribution(64) at cls"

    answer = "places counts"

    def returns(
        self, head: ast.Head, process: Process, *, joint: bool, learns: str
    ) -> tuple[str, str]:
        """Name the number: of missing tokens of a gap or a row, or the length of a text."""
        del joint, learns
        at = query.read_at(head)
        if at == "gaps":
            return "logits of the number missing to the right of each place", ""
        number = "number that a row misses" if process.drops else "length of a text"
        return f"logits of the {number}, read at `{at}`", ""

    def place(self, process: Process) -> Place:
        """Return the gaps, where masks leave the row; a special token; or both."""
        if process.inserts_masks:
            return evolve(GAPS, why=EACH)
        row = special("distribution")
        if process.drops or not process.known:
            return evolve(row, names=(*row.names, *GAPS.names))
        return evolve(row, why=WHOLE)

    def wrong_size(self, head: ast.Head) -> tuple[str, str, str]:
        """Return what is wrong with the largest number."""
        value = number(head.size)
        if value is None or value < 1 or value != int(value):
            hint = f"write `head {head.name} : distribution(64)`"
            return (
                "a distribution of numbers has a largest one",
                "it does not say the largest number",
                hint,
            )
        if value > MOST:
            why = f"xlmc supports numbers up to {MOST}"
            hint = "`count at gaps` has no largest number"
            return "this distribution is too large", why, hint
        return "", "", ""

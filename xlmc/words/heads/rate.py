"""``rate``: the hazard of what may happen at a mask or in a gap, where clocks have scales."""

from xlmc.syntax import ast, query
from xlmc.theory.needs import SCALED
from xlmc.theory.process import Process
from xlmc.words.heads.base import Head, Place

WHY = "a mask becomes a token, and masks come into a gap: xlmc reads rates there"
ALONE = "xlmc learns rates where clocks depend on the whole text, beside `mask -> gone`"
ALIKE = "all tokens have one clock, and numbers of them say as much"


class Rate(Head):
    """The word ``rate``."""

    name = "rate"
    noun = "a rate"
    form = "head NAME : rate at tokens | at gaps"
    meaning = (
        "How many times the hazard of the clock at a scale of 1 is due, running back from t = 1: "
        "of a mask, to become a token; of a gap, the sum over the tokens that it misses. At scales "
        "of 1 that of a mask is 1, and that of a gap the number of these tokens."
    )
    example = "head gap : rate at gaps"
    needs = (SCALED,)

    def returns(
        self, head: ast.Head, process: Process, *, joint: bool, learns: str
    ) -> tuple[str, str]:
        """Name what comes at the rate: a token, or masks."""
        del process, joint, learns
        more = "In hazards of a clock at a scale of 1."
        if query.read_at(head) == "gaps":
            return "the rate at which masks come to the right of each place", more
        return "the rate of the mask at each place to become clean", more

    def place(self, process: Process) -> Place:
        """Return tokens and gaps."""
        del process
        return Place(("tokens", "gaps"), WHY, "gaps")

    def instead(self, process: Process) -> tuple[str, str]:
        """Return the head of numbers where no clock has a scale, or one of a token alone."""
        if process.scaled or not process.known:
            return "", ""
        return ALONE if process.learned else ALIKE, "count at gaps" if process.drops else "logits"

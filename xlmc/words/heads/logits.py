"""``logits``: a distribution over tokens at each position or gap."""

from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words.heads.base import Head, Place, where

WHY = "xlmc reads logits at `tokens` or at `gaps`"


class Logits(Head):
    """The word ``logits``."""

    name = "logits"
    noun = "logits"
    number = False
    form = "head NAME : logits [at tokens | at gaps] [shifted]"
    meaning = "A distribution over the tokens that may be predicted, at each token or at each gap."
    example = "head token : logits"
    default = "at tokens"

    answer = "places vocab"

    def returns(
        self, head: ast.Head, process: Process, *, joint: bool, learns: str
    ) -> tuple[str, str]:
        """Name the token that is predicted."""
        del learns
        if joint:
            more = "Over all gaps of a row they make one distribution: softmax over (gap, token)."
            return "logits of the token to insert to the right of each place", more
        if query.read_at(head) == "gaps":
            more = "Those of a place make one distribution: softmax over tokens."
            return "logits of the token to insert to the right of each place", more
        if process.ordered:
            return "logits of the token that follows each place", ""
        return f"logits of the clean token {where(head)}", ""

    def place(self, process: Process) -> Place:
        """Return tokens or gaps."""
        gaps = process.drops and not process.masks
        return Place(("tokens", "gaps"), WHY, "gaps" if gaps else "tokens", optional=True)

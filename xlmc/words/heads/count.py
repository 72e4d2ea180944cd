"""``count``: the number of tokens that are expected in each gap, or in a whole row."""

from attrs import evolve

from xlmc.syntax import ast, query
from xlmc.theory.needs import DROPPED
from xlmc.theory.process import Process
from xlmc.words.heads.base import GAPS, Head, Place, special


class Count(Head):
    """The word ``count``."""

    name = "count"
    noun = "a count"
    form = "head NAME : count at gaps | at SPECIAL | at tokens"
    meaning = (
        "The number of tokens that is expected to be missing, in each gap or in the row: any "
        "number from 0. Where a text becomes a draft, `at tokens`: the number of edits that is "
        "expected of each token."
    )
    example = "head gap : count at gaps"
    needs = (DROPPED,)

    def returns(
        self, head: ast.Head, process: Process, *, joint: bool, learns: str
    ) -> tuple[str, str]:
        """Name what is counted: tokens of a gap or a row, or edits of a token."""
        del process, joint
        at = query.read_at(head)
        if at == "tokens":
            edited = "deleted" if learns == "extra" else "substituted"
            return f"the rate at which the token at each place is {edited}", ""
        missing = "the mean number of tokens that are missing"
        if at == "gaps":
            return f"{missing} to the right of each place", ""
        return f"{missing} from a row, read at `{at}`", ""

    def place(self, process: Process) -> Place:
        """Return the gaps, and where tokens leave the row themselves a special token.

        Under a draft also the tokens, each of which leaves the row or becomes another one, or not.
        """
        if process.drafts:
            why = "xlmc reads numbers of edits at the gaps and at the tokens of a row"
            return Place(("gaps", "tokens"), why, "gaps")
        if not process.drops or process.masks:
            return GAPS
        return evolve(GAPS, names=(*GAPS.names, *special("count").names))

    def instead(self, process: Process) -> tuple[str, str]:
        """Return the head of tokens where none leaves the row."""
        if process.ordered or not process.known or self.needs[0].holds(process):
            return "", ""
        return "masks show how many are missing, and where", "logits"

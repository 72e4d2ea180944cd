"""``pick gap``: the gap is drawn before the token in it."""

from xlmc.syntax import ast
from xlmc.theory.needs import arrow, unmet
from xlmc.theory.process import Process
from xlmc.words.actions.base import Action


class Pick(Action):
    """The word ``pick gap``."""

    name = "pick gap"
    order = -1
    form = "pick gap [greedy | with OPTION, OPTION]"
    meaning = "Draws the gap first and then the token in it. Without it the two are drawn together."
    example = "pick gap with top_k = 2"
    node = ast.Pick
    what = "gap"
    whats = "something to pick"
    needs = (arrow("clean", "gone"),)

    def why_not(self, process: Process) -> str:
        """Return that a place is given, where no gap is drawn."""
        if unmet(self.needs, process) is None:
            return ""
        if process.drafts:
            return "insertions come into each gap at a rate of its own: there is none to pick"
        end = "a token is always appended at the end of the row: there is no gap to pick"
        return end if process.ordered else "masks stay at their places: there is no gap to pick"

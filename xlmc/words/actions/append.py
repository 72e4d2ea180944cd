"""``append``: a token after the last one."""

from xlmc.theory.needs import ORDER, unmet
from xlmc.theory.process import Process
from xlmc.words.actions.base import Action


class Append(Action):
    """The word ``append``."""

    name = "append"
    order = -2
    form = "append one"
    meaning = "A token behind the last one."
    example = "append one"
    needs = (ORDER,)
    rules = ("one",)
    one_rule = "a token is predicted from all before it, so that a step appends only one"
    alone = "`one` always appends a token: no row is left for another rule"

    @property
    def own(self) -> bool:
        """Return that it adds to a row."""
        return True

    def why_not(self, process: Process) -> str:
        """Return that tokens have places of their own, where they have."""
        missing = unmet(self.needs, process)
        if process.permuted:
            return "tokens come in a drawn order: they are predicted at their places, not appended"
        return (
            f"tokens became `{process.end}`: they are predicted at their places, not appended"
            if missing
            else ""
        )

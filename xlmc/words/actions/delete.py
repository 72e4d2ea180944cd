"""``delete``: tokens leave the row."""

from xlmc.theory.needs import DRAFTED
from xlmc.theory.process import Process
from xlmc.words.actions.base import Action

RATE = "only edits of a draft come at rates, and these tokens leave by `chance`, `quota` or `one`"


class Delete(Action):
    """The word ``delete``."""

    name = "delete"
    order = -4
    form = "delete poisson RATE"
    meaning = (
        "Free tokens leave the row, and the others close up: each with the chance that a Poisson "
        "number of mean RATE is not 0. Where a token is also due to be substituted, one of the two "
        "happens, in proportion to their rates."
    )
    example = "delete poisson surplus * reveal(alpha)"
    forms = ("delete chance 0.02", "delete poisson surplus * reveal(alpha)")
    simplest = "delete chance 0.02"
    needs = (DRAFTED,)
    rules = ("poisson",)
    one_rule = "an edit comes at a rate"
    alone = "an edit comes at one rate"

    def why_not(self, process: Process) -> str:
        """Return why there is nothing for it to do under a process; "" if there is."""
        if process.leads("clean", "gone"):
            return RATE
        return super().why_not(process)

    @property
    def remedy(self) -> str:
        """Return what to do where no token leaves at a rate."""
        return "drop the delete"

    @property
    def own(self) -> bool:
        """Return that it undoes a part of the noise."""
        return True

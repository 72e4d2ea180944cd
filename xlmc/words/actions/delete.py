"""``delete``: tokens leave the row."""

from xlmc.theory.needs import DRAFTED
from xlmc.words.actions.base import Action


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
    needs = (DRAFTED,)
    rules = ("poisson",)
    one_rule = "an edit comes at a rate"
    alone = "an edit comes at one rate"

    @property
    def own(self) -> bool:
        """Return that it undoes a part of the noise."""
        return True

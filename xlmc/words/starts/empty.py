"""``empty``: a row without a token inside the brackets."""

from xlmc.theory.needs import REMOVED
from xlmc.words.starts.base import Start


class Empty(Start):
    """The word ``empty``."""

    name = "empty"
    form = "start empty"
    meaning = "A row without a token inside the brackets."
    example = "start empty"
    default = "where tokens leave the row"
    needs = (REMOVED,)

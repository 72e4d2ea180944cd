"""``random``: a row of random tokens, as long as the text is to be."""

from xlmc.theory.needs import arrow
from xlmc.words.starts.base import Start


class Random(Start):
    """The word ``random``."""

    name = "random"
    form = "start random"
    meaning = "A row of random tokens, as long as the text is to be."
    example = "start random"
    default = "where tokens become random ones"
    needs = (arrow("clean", "random"),)

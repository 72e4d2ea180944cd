"""``prompt``: a row that ends where the text is to begin."""

from xlmc.theory.needs import RIGHTWARD
from xlmc.words.starts.base import Start


class Prompt(Start):
    """The word ``prompt``."""

    name = "prompt"
    form = "start prompt"
    meaning = "A row that ends where the text is to begin."
    example = "start prompt"
    default = "where nothing is corrupted, and under `blocks` of the noise"
    needs = (RIGHTWARD,)

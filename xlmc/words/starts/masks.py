"""``masks``: a row of masks, as long as the text is to be."""

from xlmc.theory.needs import PLACES, arrow
from xlmc.words.starts.base import Start


class Masks(Start):
    """The word ``masks``."""

    name = "masks"
    form = "start masks"
    meaning = "A row of masks, as long as the text is to be."
    example = "start masks"
    default = "where tokens only become masks"
    needs = (arrow("clean", "mask"), PLACES)

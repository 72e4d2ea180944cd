"""``masks``: a row of masks, as long as the text is to be."""

from xlmc.theory.needs import MASKED, PLACES, WHOLE
from xlmc.words.starts.base import Start


class Masks(Start):
    """The word ``masks``."""

    name = "masks"
    form = "start masks | start masks(HEAD) [greedy]"
    meaning = "A row of masks, as long as the text is to be, which is given or drawn from a head."
    example = "start masks"
    values = (
        (
            "(HEAD)",
            "the number is drawn from a head, a distribution that is read in a row without masks",
        ),
        ("greedy", "the likeliest number is taken"),
    )
    default = "where tokens become masks, or masks and random tokens"
    needs = (MASKED, PLACES, WHOLE)

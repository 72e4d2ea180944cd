"""``draft``: a row that is drawn as the noise draws drafts."""

from xlmc.theory.needs import DRAFTED
from xlmc.words.starts.base import Start


class Draft(Start):
    """The word ``draft``."""

    name = "draft"
    form = "start draft"
    meaning = (
        "A draft by the law of the noise, between the tokens that are given; where that is `copy`, "
        "the draft that the row brings."
    )
    example = "start draft"
    default = "where a text becomes a draft"
    needs = (DRAFTED,)

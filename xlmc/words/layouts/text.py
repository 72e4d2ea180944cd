"""``text``: a text on its own."""

from xlmc.words.layouts.base import Layout


class Text(Layout):
    """The word ``text``."""

    name = "text"
    form = "text : PARTS [PARTS] PARTS"
    meaning = "A text on its own; what is in brackets is predicted."
    example = "text : bos [body] eos"
    detail = "A text on its own"

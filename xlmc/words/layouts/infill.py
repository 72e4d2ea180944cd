"""``infill``: a text of which some tokens are given."""

from xlmc.words.layouts.base import Layout


class Infill(Layout):
    """The word ``infill``."""

    name = "infill"
    form = "infill : PARTS [PARTS] PARTS keeping given | keeping prefix"
    meaning = "A text of which some tokens inside the brackets are given and stay."
    example = "infill : bos [body] eos keeping given"
    detail = "A text of which some tokens are given"
    keeps = True

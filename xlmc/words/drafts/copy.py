"""``copy``: a copy of the text with mistakes."""

from xlmc.words.drafts.base import Law


class Copy(Law):
    """The word ``copy``."""

    name = "copy"
    form = "draft ~ copy(CHANCE)"
    meaning = (
        "The text with mistakes: each token that is not given is, with this chance, deleted, "
        "replaced by a random token or followed by one, each of the three as likely; random tokens "
        "are drawn evenly from the vocabulary without special ones. Where a row brings a draft, "
        "that is taken instead, and decoding starts from it."
    )
    example = "draft ~ copy(0.2)"
    number = "rate"
    partial = "copy"
    brought = True

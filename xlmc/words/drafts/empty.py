"""``empty``: a draft without a token."""

from xlmc.words.drafts.base import Law


class Empty(Law):
    """The word ``empty``."""

    name = "empty"
    form = "draft ~ empty"
    meaning = "No token, but for those that are given: every token of the text is inserted."
    example = "draft ~ empty"
    edits = ("insert",)

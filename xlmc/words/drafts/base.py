"""The base of the laws of drafts."""

from typing import ClassVar

from xlmc.words.base import Word


class Law(Word):
    """A law of the row that the noise makes of a text at last.

    ``sized``: it has a number of tokens. ``token``: code for them over their ``gap``, and
    ``{size}``; "" where there are none. ``what`` they are, in words, and ``specials`` those among
    them. ``edits``: the actions without which it does not become the text.
    """

    slot = "a law of the draft"
    sized: ClassVar[bool] = False
    token: ClassVar[str] = ""
    what: ClassVar[str] = ""
    specials: ClassVar[tuple[str, ...]] = ()
    edits: ClassVar[tuple[str, ...]] = ("insert", "delete", "substitute")

"""The base of the laws of drafts."""

from typing import ClassVar

from xlmc.words.base import Word


class Law(Word):
    """A law of the row that the noise makes of a text at last.

    ``number``: its number, a ``size`` (of tokens) or a ``rate`` (of mistakes); "" for none.
    ``partial``: the template of the function that draws it; "" where it has no token. ``token``:
    code for tokens over their ``gap`` and ``{size}``. ``what`` they are, in words, and
    ``specials`` those among them. ``brought``: a row may bring its own. ``edits``: the actions
    without which it does not become the text.
    """

    slot = "a law of the draft"
    number: ClassVar[str] = ""
    partial: ClassVar[str] = ""
    token: ClassVar[str] = ""
    what: ClassVar[str] = ""
    specials: ClassVar[tuple[str, ...]] = ()
    brought: ClassVar[bool] = False
    edits: ClassVar[tuple[str, ...]] = ("insert", "delete", "substitute")

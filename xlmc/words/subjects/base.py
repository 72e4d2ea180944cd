"""The base of the subjects of a score."""

from typing import ClassVar

from xlmc.words.base import Word


class Subject(Word):
    """A token or a distribution that a score is of: the word after ``of``.

    ``drawn``: the token that is drawn. ``law``: the law that tokens are drawn from, which every
    score of the network's answer looks at. ``unfit``: the reason why no other score has it.
    """

    slot = "a subject of a score"
    drawn: ClassVar[bool] = False
    law: ClassVar[bool] = False
    there: ClassVar[bool] = False  # the token that is there, which a mask lacks
    unfit: ClassVar[str] = "only confidence scores a single token"

"""The base of all words."""

from abc import ABC
from typing import ClassVar

from attrs import frozen

from xlmc.theory.needs import Need


@frozen
class Option:
    """An option of a word: ``balance = 0.9``."""

    name: str
    kind: str  # Count, Chance or Scale
    meaning: str


class Word(ABC):
    """A word that an author can write in a slot."""

    slot: ClassVar[str]  # in words: "a divergence of the loss"
    name: ClassVar[str]
    form: ClassVar[str]  # the syntax line
    meaning: ClassVar[str]  # one sentence
    example: ClassVar[str]
    default: ClassVar[str] = ""  # what is assumed where the slot is empty, in words
    needs: ClassVar[tuple[Need, ...]] = ()
    options: ClassVar[tuple[Option, ...]] = ()
    others: ClassVar[tuple[str, ...]] = ()  # words that are written with it
    values: ClassVar[tuple[tuple[str, str], ...]] = ()  # what may follow it, with meanings
    order: ClassVar[int] = 0  # in lists; lower ones come first

    def listed(self) -> dict[str, str]:
        """Return what the reference lists under the word, with meanings."""
        return dict(self.values)

    def printed(self) -> str:
        """Return the word as it is written in JSON."""
        return self.name

    def named(self, name: str) -> bool:
        """Return whether a name is the word, its first part, or a word that is written with it."""
        return name in (self.name, self.name.partition(" ")[0], *self.others)

"""The words of specs as the reference describes them, from ``grammar/words.toml``."""

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from attrs import frozen

from xlmc.resources import folder


@frozen
class Line:
    """A line of a package: the shipped family, the file, and how the line begins."""

    family: str
    file: str
    start: str


@frozen
class Word:
    """A word, or several that go together; the fields are those of the file."""

    names: tuple[str, ...]
    section: str
    form: tuple[str, ...]
    meaning: str
    values: Mapping[str, str]
    default: str
    example: str
    line: Line | None

    def mentions(self, name: str) -> bool:
        """Tell if a name is among the words of what may follow this one."""
        signs = " ".join(self.values).translate(str.maketrans("()|,=>:", "       "))
        return name in signs.split()


@frozen
class Vocabulary:
    """All words, the prose about the sections of a spec, and terms that are no words of it."""

    words: tuple[Word, ...]
    sections: Mapping[str, str]
    glossary: Mapping[str, str]


@cache
def vocabulary() -> Vocabulary:
    """Read the vocabulary as it is shipped."""
    known = tomllib.loads((folder("grammar") / "words.toml").read_text(encoding="utf-8"))
    lines = tomllib.loads((folder("spec") / "lines.toml").read_text(encoding="utf-8"))
    words = tuple(_word(lines.get(one["names"][0]), **one) for one in known["words"])
    return Vocabulary(words, known["sections"], known["glossary"])


def _word(
    line: list[str] | None,
    names: list[str],
    section: str,
    form: list[str],
    meaning: str,
    **rest: Any,
) -> Word:
    """Make a word from an entry of the file; what it leaves out is empty."""
    optional = {"values": {}, "default": "", "example": ""} | rest
    made = Line(*line) if line is not None else None
    return Word(tuple(names), section, tuple(form), meaning, line=made, **optional)

"""The words of specs as the reference describes them.

``grammar/words.toml`` has their order. An entry with a ``slot`` there is the place of the words
that are objects of that slot (`xlmc.words`), or of the functions of formulas, which have a table of
their own (`xlmc.calculus.functions`); the other entries are words themselves.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from attrs import frozen

from xlmc.calculus.functions import SEVERAL, TABLE
from xlmc.resources import folder
from xlmc.words import base
from xlmc.words.slots import every

FUNCTION = "a function of formulas"


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
        """Return whether a name is among the words of what may follow this one."""
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
    words = (word for one in known["words"] for word in _words(one, lines))
    return Vocabulary(tuple(words), known["sections"], known["glossary"])


def _words(entry: dict[str, Any], lines: dict[str, list[str]]) -> Iterator[Word]:
    """Make the words of the language that one entry of ``words.toml`` describes."""
    if "slot" not in entry:
        slot = entry.pop("values_of", "")
        own = {one.name: one.meaning for one in every() if one.slot == slot}
        values = own | entry.pop("values", {})
        yield _word(lines.get(entry["names"][0]), **entry, values=values)
        return
    if entry["slot"] == FUNCTION:
        yield _functions(entry["section"])
    for one in every():
        if one.slot == entry["slot"]:
            yield _object(lines.get(f"{one.name}: {one.slot}"), entry["section"], one)


def _functions(section: str) -> Word:
    """Make a word of the functions that an author may write, and of pi."""
    known = {one.name: one.meaning for one in TABLE if one.written}
    values = {f"{name}(x)": meaning for name, meaning in known.items()} | {
        f"{name}(x, y, ...)": f"the {name}imum of any number of values" for name in SEVERAL
    }
    about = {"values": values | {"pi": "the number"}, "example": "cos(pi * t / 2)"}
    meaning = "Functions of numbers, and the number pi."
    return _word(
        None, [*known, *SEVERAL, "pi"], section, ["FUNCTION(EXPRESSION)"], meaning, **about
    )


def _object(line: list[str] | None, section: str, word: base.Word) -> Word:
    """Make a word of an object."""
    names, form = [word.name, *word.others], [word.form]
    about = {"values": word.listed(), "default": word.default, "example": word.example}
    return _word(line, names, section, form, word.meaning, **about)


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

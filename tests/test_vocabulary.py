"""The reference of the language: complete, and true of the parser and the checks."""

from pathlib import Path

import pytest

from xlmc.check import collate, insertions, network
from xlmc.check.words import AROUND, DERIVED, FUNCTIONS
from xlmc.commands.cli import execute
from xlmc.commands.pages.language import explained, quoted
from xlmc.commands.pages.vocabulary import Word, vocabulary
from xlmc.diagnostics.source import Source
from xlmc.syntax import grammar
from xlmc.syntax.parse import parse
from xlmc.syntax.query import SCORES, SPECIALS
from xlmc.theory.process import STATES
from xlmc.words import terms
from xlmc.words.slots import backbone_words, head_words, layout_words, order_words

ROOT = Path(__file__).parent.parent
KNOWN = vocabulary()
WRAPPED = {
    "family": "{}",
    "step": "decoder {{ step {{ {} }} }}",
    "recipe": "{}",
    "expressions": "decoder {{ let a = {} }}",
}


def known(name: str) -> bool:
    """Whether the reference says anything about a word, be it in the form of another."""
    forms = " ".join(form for word in KNOWN.words for form in word.form)
    return bool(explained(name, KNOWN)) or name in forms.split()


def test_every_keyword_is_described() -> None:
    assert [word for word in grammar.keywords(grammar.parser()) if not known(word)] == []


@pytest.mark.parametrize(
    "words",
    [
        (*FUNCTIONS, *DERIVED, *AROUND),
        (*SCORES, *SPECIALS, *STATES),
        (*layout_words(), *collate.SLOTS),
        (*backbone_words(), *network.ARGUMENTS, *head_words()),
        (*terms.known(), *insertions.POLICIES),
    ],
)
def test_every_word_that_the_checks_know_is_described(words: tuple[str, ...]) -> None:
    assert [word for word in words if not known(word)] == []


def test_every_score_that_can_be_written_is_a_word() -> None:
    assert {*order_words()} == {*SCORES}


@pytest.mark.parametrize("word", KNOWN.words, ids=lambda word: f"{word.section}-{word.names[0]}")
def test_an_example_is_read(word: Word) -> None:
    entry = WRAPPED.get(word.section, f"{word.section} {{{{ {{}} }}}}").format(word.example)
    whole = entry if word.example.startswith("family") else f"family x {{ {entry} }}"
    assert parse(Source("example.xlm", whole))
    assert word.section in KNOWN.sections


@pytest.mark.parametrize("word", [word for word in KNOWN.words if word.line])
def test_a_line_is_that_of_a_package(word: Word) -> None:
    line = word.line
    text = (ROOT / "examples" / line.family / line.file).read_text(encoding="utf-8")
    assert quoted(text, line.start).startswith(line.start.strip())


def test_a_statement_is_shown_in_full() -> None:
    text = "    a = f(\n        1,\n    )\n    b = 2\n"
    assert quoted(text, "    a") == "a = f(\n    1,\n)"
    with pytest.raises(ValueError, match="no line begins with 'c'"):
        quoted(text, "c")


def test_a_word_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for word, part in (("quota", "rounded down"), ("tight", "perfect"), ("likeliest", "chance")):
        assert execute(["explain", word]) == 0
        assert part in capsys.readouterr().out
    assert execute(["explain", "nonsense"]) == 2
    assert "there is no message nonsense, and no such word" in capsys.readouterr().err

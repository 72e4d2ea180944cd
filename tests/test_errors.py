"""Every mistake in ``errors/`` gets exactly its message, in the words that a user reads."""

import inspect
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from attrs import fields, frozen

from xlmc.compiler import checked
from xlmc.diagnostics import semantic_errors, syntax_errors
from xlmc.diagnostics.diagnostic import (
    Diagnostic,
    Fix,
    Related,
    SpecErrors,
    in_order,
    nearest,
    render,
    suggest,
)
from xlmc.diagnostics.source import Source, Span

CASES = sorted((Path(__file__).parent / "errors").glob("*.xlm"))


def look(spec: Path) -> Sequence[Diagnostic]:
    """All that is wrong with a spec."""
    try:
        return checked(spec)[1]
    except SpecErrors as caught:
        return caught.diagnostics


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_mistake_has_its_message(
    case: Path, golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case.parent)
    found = look(Path(case.name))
    assert found
    shipped = f"{Path(__file__).parents[1] / 'spec'}/"
    golden(case.with_suffix(".err"), render(found).replace(shipped, "spec/"))


def test_corpus_has_no_message_without_a_spec() -> None:
    texts = {path.stem for path in CASES[0].parent.glob("*.err")}
    assert texts <= {path.stem for path in CASES}


# The catalogue


CATALOGUE = [
    item
    for module in (syntax_errors, semantic_errors)
    for _, item in inspect.getmembers(module, inspect.isclass)
    if issubclass(item, Diagnostic) and item.__module__ == module.__name__
]


def test_codes_are_unique_and_well_formed() -> None:
    codes = [message.code for message in CATALOGUE]
    assert len(codes) == len(set(codes))
    assert all(len(code) == 6 and code.startswith("XLM") and code[3:].isdigit() for code in codes)


@pytest.mark.parametrize("message", CATALOGUE, ids=lambda message: message.__name__)
def test_texts_use_the_fields_of_their_message_alone(message: type[Diagnostic]) -> None:
    given = {f.name: 1 if f.type is int else "x" for f in fields(message)}
    for template in (message.title, message.label, message.note, message.help):
        template.format(**given)
    assert message.__doc__
    assert message.title[0] != message.title[0].upper() or not message.title[0].isalpha()


# What a message looks like


@frozen(kw_only=True)
class Wrong(Diagnostic):
    """A message of its own for these tests."""

    code = "XLM999"
    title = "`{word}` is wrong"
    label = "not {word}"
    note = "{note_text}"
    help = "write another word"

    word: str
    note_text: str = ""


def at(text: str, word: str, **more: object) -> Wrong:
    source = Source("dir/a.xlm", text)
    start = text.index(word)
    return Wrong(span=Span(source, start, start + len(word)), word=word, **more)


def test_text_has_place_line_marks_and_help() -> None:
    assert render([at("one\ntwo three\n", "three", note_text="so it is")]) == (
        "error[XLM999]: `three` is wrong\n"
        "  --> dir/a.xlm:2:5\n"
        " 2 | two three\n"
        "   |     ^^^^^ not three\n"
        "note: so it is\n"
        "help: write another word\n"
        "\n"
        "1 error\n"
    )


@pytest.mark.parametrize(
    ("line", "columns"),
    [("\tbad", 4), ("a\tbad", 5), ("漢字 bad", 5), ("e\u0301 bad", 2), ("\u202e\x1b[31mbad", 6)],
)
def test_marks_stand_under_what_they_mark(line: str, columns: int) -> None:
    shown = render([at(line, "bad")]).splitlines()
    assert shown[3] == f"   | {' ' * columns}^^^ not bad"
    assert "\x1b" not in "".join(shown)
    assert "\u202e" not in "".join(shown)


def test_wide_characters_get_wide_marks() -> None:
    assert "   | ^^^^ not" in render([at("漢字", "漢字")])


def test_very_long_line_is_shown_around_the_mark() -> None:
    shown = render([at("x" * 5000 + "bad" + "y" * 5000, "bad")]).splitlines()
    assert max(map(len, shown)) < 200
    assert shown[2][shown[3].index("^") :].startswith("bad")


def test_span_of_nothing_and_of_many_lines() -> None:
    source = Source("a.xlm", "one\ntwo")
    empty = Wrong(span=Span(source, 7, 7), word="x")
    assert "\n   |    ^ not x\n" in render([empty])
    whole = Wrong(span=Span(source, 0, 7), word="x")
    assert "\n   | ^^^ not x\n" in render([whole])


def test_related_places_are_shown_too() -> None:
    other = Span(Source("b.xlm", "x\n" * 999 + "here"), 1998, 2002)
    shown = render([at("bad", "bad", related=(Related(other, "first"),))])
    assert "   --> dir/a.xlm:1:1\n  1 | bad\n    | ^^^" not in shown  # the gutter fits the widest
    assert "    ::: b.xlm:1000:1\n1000 | here\n     | ---- first\n" in shown


def test_colour_only_when_asked() -> None:
    plain, coloured = render([at("bad", "bad")]), render([at("bad", "bad")], colour=True)
    assert "\x1b[" not in plain
    assert "\x1b[1;31m" in coloured


def test_count_tells_errors_from_warnings() -> None:
    @frozen(kw_only=True)
    class Odd(Wrong):
        severity = "warning"

    odd = Odd(span=Span(Source("a.xlm", "x"), 0, 1), word="x")
    assert render([odd]).endswith("\n1 warning\n")
    assert render([at("bad", "bad"), at("sad", "sad"), odd]).endswith("\n2 errors, 1 warning\n")
    assert render([]) == ""


def test_json_has_stable_keys() -> None:
    span = Span(Source("b.xlm", "ok"), 0, 2)
    one = at("a\nbad", "bad", related=(Related(span, "there"),), fix=Fix(span, "good"))
    place = {"file": "b.xlm", "line": 1, "column": 1, "end_line": 1, "end_column": 3}
    assert json.loads(render([one], "json")) == [
        {
            "code": "XLM999",
            "severity": "error",
            "title": "`bad` is wrong",
            "label": "not bad",
            "note": "",
            "help": "write another word",
            "file": "dir/a.xlm",
            "line": 2,
            "column": 1,
            "end_line": 2,
            "end_column": 4,
            "related": [{"text": "there", **place}],
            "fix": {"replacement": "good", **place},
        }
    ]


def test_github_commands_are_escaped() -> None:
    source = Source("a,b:c%.xlm", "bad")
    one = Wrong(span=Span(source, 0, 3), word="50%,\n")
    assert render([one], "github") == (
        "::error file=a%2Cb%3Ac%25.xlm,line=1,col=1,title=XLM999%3A `50%25%2C\ufffd` is wrong"
        "::`50%25,\ufffd` is wrong; not 50%25,\ufffd; write another word\n"
    )


def test_messages_come_in_the_order_of_the_text_and_once() -> None:
    text = "bad sad"
    source = Source("a.xlm", text)
    one, two = (Wrong(span=Span(source, n, n + 3), word="w") for n in (0, 4))
    elsewhere = Wrong(span=Span(Source("b.xlm", text), 0, 3), word="w")
    assert in_order([two, elsewhere, one, two]) == (one, two, elsewhere)
    assert str(SpecErrors([two, one])) == render([one, two])


def test_suggestions() -> None:
    assert nearest("bakbone", ["head", "backbone"]) == "backbone"
    assert nearest("COUNT", ["Chance", "Count"]) == "Count"
    assert nearest("zebra", ["head", "backbone"]) is None
    assert suggest("tpo_p", ["top_p", "top_k"]) == "did you mean `top_p`?"
    assert suggest("zebra", ["top_p"]) == ""

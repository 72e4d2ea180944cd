"""A parser that can look ahead and step back."""

from lark import Token

from xlmc.diagnostics.source import Source
from xlmc.syntax.cursor import STRAY, Cursor


def cursor_after(text: str) -> Cursor:
    cursor = Cursor(Source("test.xlm", text))
    while (token := cursor.next()).type != "$END":
        assert cursor.feed(token)
    return cursor


def test_token_that_does_not_fit_leaves_the_parser_as_it_was() -> None:
    cursor = cursor_after("family x { decoder { grid uniform(1 + length")
    before = cursor.save()
    assert not cursor.feed(Token("_RBRACE", "}"))
    assert cursor.save() == before
    assert {"_LPAR", "_RPAR", "_COMMA", "PLUS"} <= cursor.accepts()


def test_looking_ahead_changes_nothing() -> None:
    cursor = cursor_after("family x { loss {")
    before = cursor.save()
    assert cursor.takes("_MEAN", "_OVER", "NAME")
    assert not cursor.takes("_MEAN", "NAME")
    assert cursor.save() == before
    outside = Cursor(Source("test.xlm", "")).save()
    assert cursor.accepts(outside) == {"_FAMILY", "_END"}


def test_strange_characters_are_tokens_too() -> None:
    cursor = Cursor(Source("test.xlm", "family é x"))
    found = [cursor.next() for _ in range(5)]
    assert [t.type for t in found] == ["_FAMILY", STRAY, "NAME", "$END", "$END"]
    assert [t.start_pos for t in found] == [0, 7, 9, 10, 10]


def test_words_are_read_as_the_parser_would_read_them_now() -> None:
    cursor = Cursor(Source("test.xlm", "family chance { recipe step { a.b 1 } }"))
    kinds = []
    while (token := cursor.next()).type != "$END":
        kinds.append(token.type)
        cursor.feed(token)
    assert kinds[:6] == ["_FAMILY", "NAME", "_LBRACE", "_RECIPE", "_STEP", "_LBRACE"]

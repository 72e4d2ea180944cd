"""The layout is canonical, and nothing that somebody wrote is lost."""

import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.specs import families
from xlmc.diagnostics.diagnostic import InternalError, SpecErrors
from xlmc.diagnostics.source import Source
from xlmc.syntax import ast, format, printer
from xlmc.syntax.format import format_source
from xlmc.syntax.parse import comments, parse, read_source

SHIPPED = sorted((Path(__file__).parent.parent / "spec").glob("*.xlm"))


def formatted(text: str) -> str:
    return format_source(Source("messy.xlm", text))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_specs_are_formatted(path: Path) -> None:
    source = read_source(path.name, path.read_bytes())
    assert format_source(source) == source.text


def scribbled(text: str, seed: int) -> str:
    """The same spec as an untidy author leaves it: comments, blanks and new lines all over."""
    dice = random.Random(seed)
    out = []
    pieces = re.split(r'("[^"]*"|\n|[(\[,;{}])', text)
    for piece, rest in zip(pieces, [*pieces[1:], ""], strict=True):
        out.append(piece)
        if piece == "\n" and dice.random() < 0.3:
            out.append(
                dice.choice(["\n", "\n\n\n", "\t# own\n", "#own # twice\n", " ;\n", "\n#\n"])
            )
        elif piece in ("(", "[", ",") and _inside(out) and dice.random() < 0.2:
            out.append(dice.choice(["\n", " # inside\n", "   "]))
        elif piece == "{" and dice.random() < 0.2:
            out.append(dice.choice([" # brace\n", "\n\n", ";;"]))
        elif piece == "}" and not rest and dice.random() < 0.2:
            out.append(" # after")
    return "".join(out)


def _inside(pieces: list[str]) -> bool:
    return sum((p in "([") - (p in ")]") for piece in pieces if piece[:1] != '"' for p in piece) > 0


@given(families, st.integers(0, 10**6))
@settings(max_examples=100)
def test_everything_survives_and_nothing_changes_twice(family: ast.Family, seed: int) -> None:
    before = Source("drawn.xlm", scribbled(printer.text(family), seed))
    once = Source("drawn.xlm", format_source(before))
    assert parse(once) == family
    assert Counter(c.text for c in comments(once)) == Counter(c.text for c in comments(before))
    assert format_source(once) == once.text


def test_comments_stay_where_they_belong() -> None:
    messy = """
#doc


# second block
family x "X" {   # header
# first of noise
  noise { none }   # beside noise


  network { # open

    # above


    # again
    head a:logits ;  head bcd:chance at cls# beside
    # last of network

  }
  decoder {
    grid uniform(1,  # one
      # two
      2)  # three
  }
  recipe r { a 1; # a
    b 2 }
} # end
# tail

"""
    assert (
        formatted(messy)
        == """\
#doc

# second block
family x "X" {                               # header
  # first of noise
  noise { none }                             # beside noise

  network {                                  # open
    # above

    # again
    head a   : logits
    head bcd : chance at cls                 # beside
    # last of network
  }
  decoder {
    # one
    # two
    grid uniform(1, 2)                       # three
  }
  recipe r {
    a 1                                      # a
    b 2
  }
}                                            # end
# tail
"""
    )


def test_comments_moved_above_a_statement_keep_its_blank_line() -> None:
    messy = "family x {\nnoise {\nnone\n\namount t ~ f( # inside\n1) # one\n; # two\n}\n}\n"
    assert formatted(messy).splitlines()[2:8] == [
        "    none",
        "",
        "    # inside",
        "    # one",
        "    amount t ~ f(1)                          # two",
        "  }",
    ]


def test_long_statement_keeps_its_comment_two_blanks_away() -> None:
    path = "a" * 50
    assert f"  {path} 1  # why\n" in formatted(f"family x {{ recipe r {{\n {path} 1 # why\n }} }}")


def test_windows_line_ends_are_no_difference() -> None:
    source = read_source("crlf.xlm", b"family x {\r\n  noise {\r\n    none  # c\r\n  }\r\n}\r\n")
    assert "\r" not in format_source(source)
    assert format_source(Source("crlf.xlm", "family x {\r\n  # c\r\n}\r\n")) == (
        "family x {\n  # c\n}\n"
    )


def test_invalid_spec_is_refused() -> None:
    with pytest.raises(SpecErrors):
        formatted("family x {")


@pytest.mark.parametrize(
    ("damage", "loss"),
    [("# gone", "a comment"), ("none", "the meaning"), ("noise {", "break")],
)
def test_damage_is_noticed(monkeypatch: pytest.MonkeyPatch, damage: str, loss: str) -> None:
    layout = format._layout
    monkeypatch.setattr(
        format, "_layout", lambda *given: [line.replace(damage, "") for line in layout(*given)]
    )
    with pytest.raises(InternalError, match=loss):
        formatted("family x {\n noise {\n none # gone\n }\n}\n")

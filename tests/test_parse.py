"""Text becomes the right tree, and whatever is no spec becomes messages."""

import random
import re
import time
from fractions import Fraction
from pathlib import Path

import pytest
from attrs import fields
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.specs import families
from xlmc.diagnostics.diagnostic import Diagnostic, SpecErrors, render
from xlmc.diagnostics.source import Source
from xlmc.syntax import ast, build_ast, grammar, printer, vocabulary
from xlmc.syntax.parse import LARGEST_FILE, parse, read_source

SHIPPED = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parent.parent / "spec").glob("*.xlm"))
}
PIECES = re.compile(r'\s+|"[^"\n]*"|#[^\n]*|\w+|.')


def read(text: str) -> ast.Family:
    return parse(Source("test.xlm", text))


def entry(kind: str, text: str) -> ast.Node:
    (section,) = read(f"family x {{ {kind} {{\n{text}\n}} }}").sections
    (found,) = section.entries
    return found


def codes(text: str) -> list[str]:
    with pytest.raises(SpecErrors) as caught:
        read(text)
    return [d.code for d in caught.value.diagnostics]


def walk(node: ast.Node) -> list[ast.Node]:
    values = [getattr(node, f.name) for f in fields(type(node))]
    below = [v for value in values for v in (value if isinstance(value, tuple) else [value])]
    return [node, *(n for b in below if isinstance(b, ast.Node) for n in walk(b))]


# The grammar


def test_grammar_is_strictly_lalr_and_all_its_terminals_have_names() -> None:
    strict = grammar.build(strict=True)
    assert not [t.name for t in strict.terminals if t.name.startswith("__")]


def test_every_rule_makes_a_node() -> None:
    rules = {r.alias or r.origin.name for r in grammar.parser().rules}
    made = {str(rule) for rule in rules if not rule.startswith("_")}
    inlined = {"expr", "product", "unary", "power", "atom"}
    assert all(hasattr(build_ast._Builder, rule) for rule in made - inlined)


def test_soft_keywords_are_marked_in_the_grammar() -> None:
    path = Path(__file__).parent.parent / "grammar" / "xlm.lark"
    marked = re.findall(r"/(\w+)\\b/ +// soft", path.read_text(encoding="utf-8"))
    assert set(marked) == grammar.SOFT


def test_every_statement_has_a_form_to_show() -> None:
    for block, starts in vocabulary.entries().items():
        for start in starts - {"_NONE"}:
            assert vocabulary._FORMS.get(f"{start} in {block}") or vocabulary._FORMS.get(start)


# The tree


@pytest.mark.parametrize("name", SHIPPED)
def test_spans_cover_what_was_written(name: str) -> None:
    family = read(SHIPPED[name])
    for node in walk(family):
        text = node.span.text
        assert text == text.strip()
        if isinstance(node, ast.Name):
            assert text == node.id
        if isinstance(node, ast.Section | ast.Recipe | ast.Step) and not getattr(
            node, "drop", False
        ):
            assert text.endswith("}")
            assert "{" in text.splitlines()[0]
        if isinstance(node, ast.Number):
            assert text == node.text


def test_spans_of_children_lie_within_their_parents() -> None:
    for node in walk(read(SHIPPED["ilm"])):
        for child in walk(node)[1:]:
            assert node.span.start <= child.span.start <= child.span.end <= node.span.end


def test_doc_is_the_comment_directly_above() -> None:
    assert read("# far\n\n# one\n#  two #2\nfamily x { }").doc == "one\ntwo #2"
    assert read("# far\n\nfamily x { }").doc == ""
    assert read("family x { } # after").doc == ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)),
        ("1e-4", Fraction(1, 10_000)),
        ("80_000", Fraction(80_000)),
        ("007", Fraction(7)),
        ("0e999999999", Fraction(0)),
        ("1e30", Fraction(10**30)),
        ("1e-30", Fraction(1, 10**30)),
    ],
)
def test_numbers_are_exact(text: str, value: Fraction) -> None:
    found = entry("decoder", f"let x = {text}")
    assert isinstance(found, ast.Let)
    assert isinstance(found.value, ast.Number)
    assert (found.value.value, found.value.text) == (value, text)


@pytest.mark.parametrize(
    "text", ["1.1e30", "9e-31", "1e400", "1e999999999", "1e-999999999", "1e" + "9" * 90, "9" * 99]
)
def test_number_that_is_out_of_reach_is_refused_at_once(text: str) -> None:
    before = time.process_time()
    assert codes(f"family x {{ decoder {{ let x = {text} }} }}") == ["XLM006"]
    assert time.process_time() - before < 1


def test_primes_are_counted() -> None:
    found = entry("decoder", "let x = alpha(t) + alpha'(t) + alpha''(t)")
    assert [n.primes for n in walk(found) if isinstance(n, ast.Call)] == [0, 1, 2]


def test_operators_bind_as_in_mathematics() -> None:
    pairs = {
        "a + b * c - d": "(a + (b * c)) - d",
        "-a**b": "-(a**b)",
        "a**b**c": "a**(b**c)",
        "a / b * c": "(a / b) * c",
        "a * -b**-c": "a * (-(b**(-c)))",
        "- - a": "-(-a)",
    }
    for plain, explicit in pairs.items():
        assert entry("decoder", f"let x = {plain}") == entry("decoder", f"let x = {explicit}")


def test_new_lines_mean_nothing_in_parentheses_and_brackets() -> None:
    spread = "grid uniform(\n  1, # one\n\n  (2\n + 3)\n)"
    assert entry("decoder", spread) == entry("decoder", "grid uniform(1, (2 + 3))")
    assert entry("collate", "text : bos [\nbody\n eos ]") == entry(
        "collate", "text : bos [body eos]"
    )


def test_semicolon_ends_a_statement_in_parentheses_too() -> None:
    assert codes("family x { decoder { grid f(1,;2) } }")


def test_statements_end_with_lines_or_semicolons() -> None:
    one = read("family x { noise { none; ; none };; recipe r { a 1; b 2; } ; }")
    assert one == read("family x {\nnoise {\n\nnone\n#c\n;none }\n\nrecipe r { a 1\nb 2\n} }\n")


def test_soft_keywords_are_names_elsewhere() -> None:
    head = entry("network", "head done : chance at cls")
    assert isinstance(head, ast.Head)
    assert head.kind.id == "chance"
    assert entry("decoder", "param temperature : Scale = 1.0")
    assert entry("collate", "text : prompt [body pad]")
    order = entry("decoder", "step { unmask one by x of y temperature temperature * 2 }")
    assert isinstance(order, ast.Step)


def test_python_backbone() -> None:
    found = entry("network", 'backbone python "pkg.mod:name"')
    assert isinstance(found, ast.Backbone)
    assert (found.value.span.text, found.python and found.python.value) == (
        "python",
        "pkg.mod:name",
    )


def test_stop_may_start_with_a_chance() -> None:
    found = entry("decoder", "stop chance done or no mask or length >= limit")
    assert isinstance(found, ast.Stop)
    assert [type(c) for c in found.conditions] == [ast.Happens, ast.NoState, ast.Compare]
    assert entry("decoder", "stop when chance done") == entry("decoder", "stop chance done")


# Bytes


def test_mark_and_line_ends_make_no_difference() -> None:
    data = SHIPPED["ilm"].encode()
    for other in (b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\r\n"), data.replace(b"\n", b"\r")):
        assert read_source("a", other) == read_source("a", data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "XLM003"),
        (b"\n # nothing\n\t\n", "XLM003"),
        (b"\xef\xbb\xbf", "XLM003"),
        (b"family x \xff {", "XLM001"),
        ("family ü { }".encode("latin-1"), "XLM001"),
        ("family x { }".encode("utf-16"), "XLM001"),
        (b"family x {\0}", "XLM002"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 50, "XLM002"),
        (b"#" * (LARGEST_FILE + 1), "XLM004"),
        (b"\xff" * 10_000_000, "XLM004"),
    ],
)
def test_bytes_that_are_no_spec(data: bytes, code: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        parse(read_source("file.xlm", data))
    assert caught.value.diagnostics[0].code == code
    assert len(render(caught.value.diagnostics)) < 6000


def test_no_more_text_is_parsed_than_may_be_read() -> None:
    assert codes("family x { }" + " " * LARGEST_FILE) == ["XLM004"]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "-" * 5000 + "1",
        "1" + " + 1" * 5000,
        "1" + "**1" * 5000,
        "f(" * 5000 + "1" + ")" * 5000,
        "(" * 5000,
    ],
)
def test_depth_is_no_danger(text: str) -> None:
    spec = f"family x {{ decoder {{ let x = {text} }} }}"
    if text.startswith("((") and text.endswith("))"):
        assert len(walk(read(spec))) == 5
    else:
        assert set(codes(spec)) <= {"XLM005", "XLM015", "XLM010"}


def test_deepest_expression_can_be_printed_and_compared() -> None:
    deep = "family x { decoder { let x = " + "-" * (build_ast.DEEPEST) + "1 } }"
    assert read(printer.text(read(deep))) == read(deep)
    assert codes(deep.replace("1", "-1")) == ["XLM005"]


def test_twenty_errors_are_enough() -> None:
    assert len(codes("family x { loss {" + "\nmaen over x" * 500 + "\n} }")) == 20


# Anything at all


def refused_or_read(text: str) -> int:
    """The number of errors; every message can be shown in every form."""
    found: tuple[Diagnostic, ...] = ()
    try:
        read(text)
    except SpecErrors as errors:
        found = errors.diagnostics
    shown = [render(found, form) for form in ("text", "json", "github")]
    assert not found or all(shown)
    return len(found)


@given(st.text(max_size=80))
@settings(max_examples=150)
def test_any_text_is_read_or_refused(text: str) -> None:
    refused_or_read(text)
    refused_or_read(f"family x {{ decoder {{ {text} }} }}")


@given(st.lists(st.sampled_from(sorted({p for t in SHIPPED.values() for p in PIECES.findall(t)}))))
@settings(max_examples=100)
def test_any_pieces_are_read_or_refused(pieces: list[str]) -> None:
    refused_or_read(f"family x {{ {' '.join(pieces)} }}")


@given(st.sampled_from(sorted(SHIPPED)), st.integers(0, 10**9))
@settings(max_examples=100)
def test_damaged_specs_are_read_or_refused(name: str, seed: int) -> None:
    refused_or_read(damaged(SHIPPED[name], random.Random(seed)))


@given(families, st.integers(0, 10**9))
@settings(max_examples=40)
def test_damaged_drawn_specs_are_read_or_refused(family: ast.Family, seed: int) -> None:
    refused_or_read(damaged(printer.text(family), random.Random(seed)))


def damaged(text: str, dice: random.Random) -> str:
    """A spec with one to four pieces deleted, doubled, exchanged or shuffled."""
    pieces = PIECES.findall(text)
    for _ in range(dice.randint(1, 4)):
        one, other = dice.randrange(len(pieces)), dice.randrange(len(pieces))
        match dice.randrange(4):
            case 0:
                pieces[one] = ""
            case 1:
                pieces[one] *= 2
            case 2:
                pieces[one], pieces[other] = pieces[other], pieces[one]
            case 3:
                pieces[one] = "".join(dice.sample(pieces[one], len(pieces[one])))
    return "".join(pieces)


@pytest.mark.many
@pytest.mark.parametrize("name", SHIPPED)
def test_one_missing_piece_is_one_error_or_none(name: str) -> None:
    """A mistake does not call forth others: one missing piece gives two errors at most."""
    pieces = PIECES.findall(SHIPPED[name])
    solid = [n for n, p in enumerate(pieces) if p.strip() and not p.startswith("#")]
    counts = [refused_or_read("".join(pieces[:n] + pieces[n + 1 :])) for n in solid[::3]]
    assert max(counts) <= 2
    assert sum(c == 2 for c in counts) <= len(counts) / 15
    assert sum(c == 1 for c in counts) >= len(counts) / 2


def test_every_beginning_of_a_spec_is_refused_where_it_ends() -> None:
    pieces = PIECES.findall(SHIPPED["ilm"].rstrip())
    for end in range(3, len(pieces) - 1, 7):
        text = "".join(pieces[:end])
        with pytest.raises(SpecErrors) as caught:
            read(text)
        end_of_words = len(re.sub(r"(\s|;|\.|#.*)+$", "", text))
        assert caught.value.diagnostics[-1].span.end >= end_of_words

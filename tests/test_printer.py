"""What is printed says the same, in one layout."""

import pytest
from hypothesis import given, settings

from tests.specs import expressions, families
from xlmc.diagnostics.source import Source
from xlmc.syntax import ast, printer
from xlmc.syntax.parse import parse


def reparsed(text: str) -> ast.Family:
    return parse(Source("printed.xlm", text))


@given(families)
@settings(max_examples=150)
def test_printed_tree_is_read_back(family: ast.Family) -> None:
    assert reparsed(printer.text(family)) == family


@given(expressions)
@settings(max_examples=100)
def test_parentheses_are_needed(value: ast.Expr) -> None:
    text = printer.expression(value)
    quoted = [text[:i].count('"') % 2 for i in range(len(text))]
    for left in [i for i, c in enumerate(text) if c == "(" and not quoted[i]]:
        if left and (text[left - 1].isalnum() or text[left - 1] in "_'"):
            continue  # a call
        right = _partner(text, left)
        bare = text[:left] + text[left + 1 : right] + text[right + 1 :]
        read = reparsed(f"family x {{ decoder {{ let y = {bare} }} }}").sections[0].entries[0]
        assert isinstance(read, ast.Let)
        assert read.value != value


def _partner(text: str, left: int) -> int:
    depth, quoted = 0, False
    for place in range(left, len(text)):
        quoted ^= text[place] == '"'
        if not quoted:
            depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    raise AssertionError(text)


@pytest.mark.parametrize(
    "text",
    [
        "a + b - c",
        "a - (b - c)",
        "a / (b * c)",
        "-a**-b**c",
        "(-a)**2",
        "-(a + b)",
        "(1 - alpha(s)) / alpha'(t)",
        'f("x", y = "z")',
    ],
)
def test_expression_is_its_own_print(text: str) -> None:
    (section,) = reparsed(f"family x {{ decoder {{ let y = {text} }} }}").sections
    (entry,) = section.entries
    assert printer.entry(entry) == f"let y = {text}"


def test_columns_and_blank_lines() -> None:
    messy = """
    # What it is.
    family x "X" extends y { paper "P"; recipe r { a 1 }
    network { head gap : count at gaps; backbone dit; head token : logits; attention full }
    loss { token : ce(x0) weight bound; gap : poisson(gone) weight 2; t : ce(x0) }
    noise { mask -> gone survival b(t)=1-t; clean -> mask survival a(t)=t**2
            amount t ~ uniform(0, 1) }
    decoder { step { draw token with p=p, k=1 }; stop when (chance(a)) > 1 or chance a }
    replace collate { text: [a b] [c] d; seq2seq: e keeping f } }
    """
    assert printer.text(reparsed(messy)) == (
        "# What it is.\n"
        'family x "X" extends y {\n'
        '  paper "P"\n'
        "\n"
        "  network {\n"
        "    head gap   : count at gaps\n"
        "    backbone  dit\n"
        "    head token : logits\n"
        "    attention full\n"
        "  }\n"
        "\n"
        "  loss {\n"
        "    token : ce(x0)         weight bound\n"
        "    gap   : poisson(gone)  weight 2\n"
        "    t     : ce(x0)\n"
        "  }\n"
        "\n"
        "  noise {\n"
        "    mask  -> gone  survival b(t) = 1 - t\n"
        "    clean -> mask  survival a(t) = t**2\n"
        "    amount t ~ uniform(0, 1)\n"
        "  }\n"
        "\n"
        "  decoder { step { draw token with p, k = 1 }; stop when (chance(a)) > 1 or chance a }\n"
        "\n"
        "  replace collate { text : [a b c] d; seq2seq : e keeping f }\n"
        "\n"
        "  recipe r { a 1 }\n"
        "}\n"
    )


def test_a_step_stands_on_one_line_if_it_is_short() -> None:
    short = "step { unmask one; draw token }"
    assert f"  decoder {{ {short} }}\n" in printer.text(
        reparsed(f"family x {{ decoder {{ {short} }} }}")
    )
    long = f"unmask quota {'masked' * 9} by {'score' * 9}"
    text = printer.text(reparsed(f"family x {{ decoder {{ step {{ {long}; draw token }} }} }}"))
    assert f"    step {{\n      {long}\n      draw token\n    }}\n" in text


def test_an_empty_block_stands_on_one_line() -> None:
    assert "  decoder quick { }\n" in printer.text(reparsed("family x { decoder quick { } }"))


def test_a_recipe_without_tasks_has_no_name() -> None:
    assert "  recipe { a 1 }\n" in printer.text(reparsed("family x { recipe { a 1 } }"))


def test_settings_of_a_long_recipe_fill_its_lines() -> None:
    settings_ = "; ".join(f"setting_{n} {n}" for n in range(12))
    text = printer.text(reparsed(f"family x {{ recipe r, s {{ {settings_} }} }}"))
    assert "  recipe r, s {\n    setting_0 0; setting_1 1;" in text
    assert 90 < max(map(len, text.splitlines())) <= 120

"""Trees as JSON."""

import json
from fractions import Fraction

import pytest
from attrs import field, frozen

from xlmc.syntax.plain import dump, plain


@frozen
class Leaf:
    value: Fraction
    span: object = field(eq=False)


@frozen
class Node:
    leaves: tuple[Leaf, ...]
    named: dict[str, int | None]


def test_objects_say_their_class_and_leave_out_where_they_stood() -> None:
    tree = Node((Leaf(Fraction(2), object()), Leaf(Fraction(1, 3), object())), {"b": 1, "a": None})
    leaves = [{"is": "Leaf", "value": 2}, {"is": "Leaf", "value": "1/3"}]
    assert plain(tree) == {"is": "Node", "leaves": leaves, "named": {"b": 1, "a": None}}


def test_sets_have_an_order() -> None:
    assert plain({"c", "a", "b"}) == ["a", "b", "c"]


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        plain([object()])


def test_text_is_sorted_and_readable() -> None:
    assert dump({"b": "ü", "a": [0.1]}) == '{"a": [0.1], "b": "ü"}\n'
    long = {"b": ["x" * 50, "y" * 50], "a": {}}
    expected = [
        "{",
        '  "a": {},',
        '  "b": [',
        f'    "{"x" * 50}",',
        f'    "{"y" * 50}"',
        "  ]",
        "}",
    ]
    assert dump(long) == "\n".join(expected) + "\n"
    assert json.loads(dump(long)) == long
    with pytest.raises(ValueError, match="JSON"):
        dump(float("nan"))
    assert json.loads(dump({"a": "\u2028"})) == {"a": "\u2028"}

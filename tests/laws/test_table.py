"""The table of laws, docs/laws.md: each law has a line, and each line a test or a reason."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = TESTS.parent / "docs/laws.md"
NUMBERS = {"S": 11, "C": 15, "L": 30, "D": 43, "K": 9, "": 10}
LAWS = [f"{kind}{i}" for kind, last in NUMBERS.items() for i in range(1, last + 1)]
NAMED = re.compile(r"test_((?:[a-z]?[0-9]+_)+)")


def lines():
    """Law -> what the table says of where it is tested."""
    rows = [row.strip("| ").split(" | ") for row in TABLE.read_text("utf-8").splitlines()]
    return [(row[0], row[2]) for row in rows if re.fullmatch(r"[A-Z]?[0-9]+", row[0])]


def all_tests():
    """The names of all tests of laws and of the runtime."""
    found = set()
    for path in [*TESTS.glob("laws/*.py"), *TESTS.glob("runtime/*.py")]:
        body = ast.parse(path.read_text("utf-8")).body
        found |= {node.name for node in body if isinstance(node, ast.FunctionDef)}
    return {name for name in found if name.startswith("test_")}


def laws_of(name):
    """The laws that a test is named after."""
    found = NAMED.match(name)
    return found[1].upper().rstrip("_").split("_") if found else []


def test_every_law_has_its_line():
    assert [law for law, _ in lines()] == LAWS


def test_every_line_has_tests_that_exist_or_a_reason():
    known = all_tests()
    for law, told in lines():
        named = re.findall(r"`(test_\w+)`", told)
        assert bool(named) != told.startswith("does not apply: "), law
        assert set(named) <= known, law


def test_tests_are_named_after_laws_that_apply():
    """And every law that has tests of its name has one of them in its line."""
    told = dict(lines())
    named = {}
    for name in all_tests():
        for law in laws_of(name):
            assert not told[law].startswith("does not apply"), name
            named.setdefault(law, set()).add(name)
    for law, names in named.items():
        assert any(f"`{name}`" in told[law] for name in names), law

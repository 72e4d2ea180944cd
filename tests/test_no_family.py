"""No family by its name: not in the compiler, the templates or the runtime."""

import ast
import re
from typing import Any

import pytest
from families.compiled import ROOT

FAMILIES = (
    "arlm",
    "bd3lm",
    "dilm",
    "dream",
    "flexmdm",
    "genmd4",
    "loflexmdm",
    "ilm",
    "llada",
    "mdlm",
    "mlm",
    "remdm",
    "sedd",
    "udlm",
)


def sources() -> list[Any]:
    folders = ("xlmc", "templates", "grammar", "runtime/xlm_runtime")
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*"))]
    return [path for path in files if path.suffix in {".py", ".j2", ".lark"}]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_knows_a_family_by_its_name(path) -> None:
    text = path.read_text("utf-8")
    spoken = code(text) if path.suffix == ".py" else text
    assert re.findall(rf"(?i)(?<![a-z/])({'|'.join(FAMILIES)})(?![a-z])", spoken) == []


def code(text: str) -> str:
    """The names and words of a module; comments, docstrings and prose may speak of papers."""
    found = []
    for node in ast.walk(ast.parse(text)):
        values = [value for _, value in ast.iter_fields(node) if isinstance(value, str)]
        prose = isinstance(node, ast.Constant)
        found += [value for value in values if not (prose and re.search(r"\s", value))]
    return "\n".join(found)

"""Names that an author may choose: none of them is one that the generated code needs.

Everything that a spec names is given a marked name. Where the generated code speaks of a mark, no
other name of that module may be free for an author to take.
"""

import ast as python
import re
from collections.abc import Iterator

import pytest
from families import GONE, MASK, ROOT, changed, completed, usable
from laws import zoo
from test_rename import renamed

from xlmc.check import words
from xlmc.check.family import check
from xlmc.emit.render import render
from xlmc.lower.family import lower
from xlmc.resolve.defaults import explicit
from xlmc.syntax import ast

TIMED = changed(
    MASK,
    ("amount count ~ uniform(1, length)", "amount t ~ uniform(0, 1)"),
    ("weight bound", "weight bound * scale + own"),
    ("    mean over", "    param scale : Scale = 1\n    let own = t * scale\n    mean over"),
    ("backbone  dit", "backbone  dit(condition = t)"),
    ("    grid uniform", "    let now = t\n    param rate : Scale = 3\n    grid uniform"),
    ("unmask chance reveal(alpha)", "unmask quota now * rate by random"),
    ("    reuse while unchanged\n", ""),
)
TEXTS = {
    "timed": TIMED,
    "gone": GONE,
    **{path.stem: path.read_text("utf-8") for path in sorted((ROOT / "spec").glob("*.xlm"))},
    **{name: spec.text for name, spec in zoo.SPECS.items() if "_" in name},
}
FAST = ("timed", "gone", "flexmdm", "dream", "mdlm")


def kinds(family: ast.Family) -> dict[str, str]:
    """The kind of everything that a spec names."""
    found: dict[str, str] = {}
    for section in family.sections:
        own = "a param of the loss" if section.kind == "loss" else "a param of a decoder"
        for entry in section.entries:
            match entry:
                case ast.Arrow():
                    found[entry.survival] = "a schedule"
                case ast.Head(kind=ast.Name(id=kind)):
                    found[entry.name] = "a head" if kind == "logits" else "a head of a number"
                case ast.Let():
                    found[entry.name] = "a let"
                case ast.Param() | ast.Choice():
                    found[entry.name] = own
    return found


def scopes(module: python.Module) -> Iterator[tuple[set[str], bool]]:
    """The names that must differ: those of the module, of each function and of each class.

    The second value: a function of another module can be among them.
    """
    top = set[str]()
    for node in module.body:
        if isinstance(node, python.Import | python.ImportFrom):
            top |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, python.FunctionDef | python.ClassDef):
            top.add(node.name)
    yield top, True
    for node in python.walk(module):
        if isinstance(node, python.FunctionDef):
            yield _of_function(node), True
        elif isinstance(node, python.ClassDef):
            yield _of_class(node), False


def _of_function(function: python.FunctionDef) -> set[str]:
    found = (node for node in python.walk(function))
    return {
        node.id if isinstance(node, python.Name) else node.arg
        for node in found
        if isinstance(node, python.Name | python.arg)
    }


def _of_class(node: python.ClassDef) -> set[str]:
    """Fields, methods, and what ``self`` is asked for."""
    found = set[str]()
    for one in node.body:
        match one:
            case python.FunctionDef(name=name):
                found.add(name)
            case python.AnnAssign(target=python.Name(id=name)):
                found.add(name)
    for one in python.walk(node):
        match one:
            case python.Attribute(value=python.Name(id="self"), attr=name):
                found.add(name)
    return found


READERS = ("schedule.py", "noise.py", "network.py", "loss.py", "likelihood.py", "decoder.py")


def collisions(text: str) -> set[tuple[str, str]]:
    """Names that an author may give to something of a kind, and that the code has already.

    A formula may read a clock in any module.
    """
    family = explicit(completed(text))
    kind_of = kinds(family)
    marks = {name: f"zq{chr(97 + i) * 3}q" for i, name in enumerate(sorted(kind_of))}
    marked = renamed(family, marks)
    check(marked)
    named = {marks[name]: kind for name, kind in kind_of.items()}
    clocks = {mark for mark, kind in named.items() if kind == "a schedule"}
    calls = {f"{prefix}{mark}" for mark in clocks for prefix in ("", "d")}
    found = set[tuple[str, str]]()
    for file, code in render(lower(marked)).items():
        module = python.parse(code)
        for names, calling in scopes(module) if file in READERS else ():
            reads = calls if calling and file != "network.py" else set()
            found |= {*_taken(names | reads, named)}
    return found


def _taken(names: set[str], named: dict[str, str]) -> Iterator[tuple[str, str]]:
    own = {name for name in names if any(mark in name for mark in named)}
    for mark, kind in named.items():
        for form in (name.split(mark) for name in own if mark in name):
            made = re.compile(r"(\w+)".join(map(re.escape, form)))
            for name in names - own:
                match = made.fullmatch(name)
                if match and usable(match[1]) and not words.why_reserved(match[1], kind):
                    yield kind, match[1]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in FAST else pytest.mark.slow) for n in TEXTS]
)
def test_no_name_of_the_generated_code_may_be_taken(name: str) -> None:
    assert collisions(TEXTS[name]) == set()

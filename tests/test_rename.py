"""A name that an author chose decides nothing: claims stay, and code changes by the name alone."""

import ast as python
from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from families.compiled import ROOT, lowered

from xlmc.compiler import checked
from xlmc.emit.render import render
from xlmc.lower import ir
from xlmc.resolve.defaults import explicit
from xlmc.syntax import ast, printer
from xlmc.syntax.query import camel

# Forms of names that hold what a search in the generated code could look for.
FORMS = ("uniform_{}", "self_{}", "sigma_{}", "math_{}", "cold_{}_masked", "reveal_{}", "{}")
SPECS = [*sorted((ROOT / "spec").glob("*.xlm")), *sorted((ROOT / "examples/own").glob("*.xlm"))]
CASES = [(path, form) for path in SPECS for form in FORMS]
FAST = {(path, FORMS[n // 4 % len(FORMS)]) for n, path in enumerate(SPECS) if n % 4 == 1}
WORDS = {(ast.Pick, "what"), (ast.Insert, "what"), (ast.Choice, "options"), (ast.Arrow, "origin")}
WORDS |= {(ast.Side, "part"), (ast.Side, "side")}
Named = ast.Param | ast.Choice | ast.Let | ast.Head


def declared(family: ast.Family) -> list[str]:
    """All that an author names: a decoder's name is marked."""
    entries = [entry for section in family.sections for entry in section.entries]
    own = {entry.name for entry in entries if isinstance(entry, Named)}
    own |= {entry.survival for entry in entries if isinstance(entry, ast.Arrow)}
    return [*sorted(own), *sorted(f"decoder {s.name}" for s in family.sections if s.name)]


def renamed(node: Any, names: Mapping[str, str], parent: Any = None, field: str = "") -> Any:
    """The tree with other names for what the author named."""
    if isinstance(node, tuple):
        return tuple(renamed(one, names, parent, field) for one in node)
    if isinstance(node, ast.Name):
        kept = (parent, field) in WORDS
        return node if kept else attrs.evolve(node, id=names.get(node.id, node.id))
    if not isinstance(node, ast.Node):
        return node
    changed = {
        f.name: renamed(getattr(node, f.name), names, type(node), f.name)
        for f in attrs.fields(type(node))
        if f.name != "span"
    }
    return attrs.evolve(node, **(changed | _texts(node, names)))


def _texts(node: ast.Node, names: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a node that are names and no nodes."""
    match node:
        case ast.Section(name=str(name)):
            return {"name": names.get(f"decoder {name}", name)}
        case ast.Param() | ast.Choice() | ast.Let() | ast.Head():
            return {"name": names.get(node.name, node.name)}
        case ast.Drop(key=key):
            return {"key": names.get(key, key)}
        case ast.Arrow():
            return {"survival": names.get(node.survival, node.survival)}
        case ast.Call():
            return {"function": names.get(node.function, node.function)}
        case ast.Setting(path="decoder", value=ast.Name(id=chosen)):
            return {"value": attrs.evolve(node.value, id=names.get(f"decoder {chosen}", chosen))}
        case ast.Setting(path=path):
            section, dot, last = path.rpartition(".")
            return {"path": section + dot + names.get(last, last)} if dot else {}
    return {}


class _Sorted(python.NodeTransformer):
    def visit_ImportFrom(self, node: python.ImportFrom) -> python.ImportFrom:
        node.names.sort(key=lambda alias: alias.name)
        return node


def canonical(texts: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Modules without docstrings, in one layout, under the old names."""
    out = {}
    for file, text in texts.items():
        code = python.unparse(_undocumented(python.parse(text)))
        for old, new in sorted(names.items(), key=lambda pair: -len(pair[1])):
            name = old.removeprefix("decoder ")
            code = code.replace(camel(new), camel(name)).replace(new, name)
        out[file] = python.unparse(_Sorted().visit(python.parse(code)))
    return out


def _undocumented(module: python.Module) -> python.Module:
    for node in python.walk(module):
        if isinstance(node, python.Module | python.ClassDef | python.FunctionDef) and (
            python.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [python.Pass()]
    return module


def claims(package: ir.Package) -> tuple[object, ...]:
    """All that a package claims, the names of params apart."""
    f = package.family
    laws = tuple((s.law, len(s.neutral), bool(s.grows)) for _, s in f.samples)
    return f.claim, f.why, f.tilt, f.trained, f.likelihood, laws


@pytest.mark.parametrize(
    ("path", "form"),
    [pytest.param(*c, marks=[] if c in FAST else pytest.mark.slow) for c in CASES],
    ids=[f"{path.stem}-{form}" for path, form in CASES],
)
def test_names_decide_nothing(path: Any, form: str) -> None:
    family = explicit(checked(path)[0])
    old = declared(family)
    # No name is part of another one. What params are named does not link them to options.
    names = {name: form.format(f"zq{chr(97 + i) * 2}") for i, name in enumerate(old)}
    before = lowered(printer.text(family))
    after = lowered(printer.text(renamed(family, names)))
    assert claims(before) == claims(after)
    assert canonical(render(before), {}) == canonical(render(after), names)

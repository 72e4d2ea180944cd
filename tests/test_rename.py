"""A name that an author chose decides nothing: claims stay, and code changes by the name alone."""

import ast as python
from collections.abc import Mapping
from typing import Any

import pytest
from families.compiled import ROOT, lowered
from families.renamed import declared, renamed

from xlmc.compiler import checked
from xlmc.emit.render import render
from xlmc.lower import ir
from xlmc.resolve.defaults import explicit
from xlmc.syntax import printer
from xlmc.syntax.query import camel

# Forms of names that hold what a search in the generated code could look for.
FORMS = ("uniform_{}", "self_{}", "sigma_{}", "math_{}", "cold_{}_masked", "reveal_{}", "{}")
SPECS = [*sorted((ROOT / "spec").glob("*.xlm")), *sorted((ROOT / "examples/own").glob("*.xlm"))]
CASES = [(path, form) for path in SPECS for form in FORMS]
FAST = {(path, FORMS[n // 4 % len(FORMS)]) for n, path in enumerate(SPECS) if n % 4 == 1}


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

"""The compiler, one line a stage."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from xlmc import ast
from xlmc.check import check
from xlmc.check.recipe import trimmed
from xlmc.defaults import complete
from xlmc.errors import Diagnostic, SpecErrors
from xlmc.extend import flatten, inherited
from xlmc.ir import Package as Ir
from xlmc.library import Library
from xlmc.lower import lower
from xlmc.package import Package, assemble
from xlmc.parse import parse
from xlmc.places import places
from xlmc.plain import plain
from xlmc.render import render


@frozen
class Compiled:
    """A package in memory, the warnings about its spec, and the hash of every path looked at."""

    path: Path
    package: Package
    warnings: Sequence[Diagnostic]
    read: Mapping[Path, str | None]


def compile_spec(path: Path) -> Compiled:
    """Spec -> package; text only, nothing is written.  Raises SpecErrors with all it found."""
    library = Library(path)
    family, warnings = _checked(library)
    ir = lower(family)
    facts = _facts(ir, places(family, library.sources(ir.name)))
    package = assemble(ir.name, render(ir), library.copies(ir.name), facts)
    return Compiled(path, package, warnings, library.read)


def checked(path: Path) -> tuple[ast.Family, Sequence[Diagnostic]]:
    """Spec -> its tree, flat and with every default written out, and the warnings about it."""
    return _checked(Library(path))


def _checked(library: Library) -> tuple[ast.Family, Sequence[Diagnostic]]:
    written = parse(library.spec)
    flat = flatten(written, library.find, library.known())
    family = complete(flat)
    try:
        warnings = check(family)
    except SpecErrors as errors:
        raise SpecErrors(inherited(errors.diagnostics, written)) from errors
    return trimmed(family), inherited(warnings, written)


def tree(path: Path) -> tuple[ast.Family, Sequence[Diagnostic]]:
    """Spec -> the tree of what stands in it, before parents and defaults."""
    return parse(Library(path).spec), ()


def lowered(path: Path) -> tuple[Ir, Sequence[Diagnostic]]:
    """Spec -> IR: what the templates print."""
    family, warnings = checked(path)
    return lower(family), warnings


def _facts(ir: Ir, lines: Mapping[str, str]) -> dict[str, Any]:
    """What a manifest tells about a package beside the hashes of its files."""
    claim = {"value": ir.family.claim, "why": ir.family.why}
    return {"claim": claim, "ir": plain(ir), "places": dict(lines)}

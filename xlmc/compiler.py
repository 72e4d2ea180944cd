"""The compiler, one line a stage."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from xlmc.check.family import check
from xlmc.check.recipe import trimmed
from xlmc.diagnostics.diagnostic import Diagnostic, SpecErrors
from xlmc.emit.package import Package, assemble
from xlmc.emit.render import render
from xlmc.lower.family import lower
from xlmc.lower.ir import Package as Ir
from xlmc.lower.ir.training import Network
from xlmc.resolve.defaults import complete
from xlmc.resolve.inherit import flatten, inherited
from xlmc.resolve.library import Library, Shelf
from xlmc.resolve.own import FILE, Own, network
from xlmc.resolve.spec_lines import places
from xlmc.syntax import ast, query
from xlmc.syntax.marks import marked, plain
from xlmc.syntax.parse import parse
from xlmc.words.slots import verbs


@frozen
class Compiled:
    """A package in memory, the warnings about its spec, and the hash of every path looked at.

    ``code`` names the Python of the user's own that the package imports: ``pkg.mod:Name``.
    """

    path: Path
    package: Package
    warnings: Sequence[Diagnostic]
    read: Mapping[Path, str | None]
    code: tuple[str, ...] = ()


def compile_spec(path: Path) -> Compiled:
    """Compile a spec to a package in memory.  Raises SpecErrors with all mistakes."""
    return _compiled(path, Library(path))


def compile_held(specs: Mapping[str, bytes], family: str, name: str) -> Compiled:
    """Compile a spec that is held in memory with its parents, like `compile_spec`.

    ``specs`` are the files ``FAMILY.xlm``; ``name`` is that of the file that the spec was built
    from. Raises SpecErrors, KeyError if the family's own spec is not there.
    """
    return _compiled(Path(name), Shelf(specs, family, name))


def _compiled(path: Path, library: Library) -> Compiled:
    family, warnings = _checked(library)
    ir = lower(marked(family))
    own = network(family, library)
    if own is not None:
        ir = evolve(ir, network=_owned(ir.network, own))
    facts = _facts(ir, places(family, library.sources(ir.name)))
    package = assemble(
        ir.name, render(ir, {FILE: own.text} if own else {}), library.copies(ir.name), facts
    )
    return Compiled(path, package, warnings, library.read, _code(family))


def checked(path: Path) -> tuple[ast.Family, Sequence[Diagnostic]]:
    """Return the tree of a spec, flat and with every default written out, and warnings."""
    return _checked(Library(path))


def _checked(library: Library) -> tuple[ast.Family, Sequence[Diagnostic]]:
    written = parse(library.spec, verbs())
    flat = flatten(written, library.find, library.known())
    family = complete(flat)
    try:
        warnings = check(family)
    except SpecErrors as errors:
        raise SpecErrors(inherited(errors.diagnostics, written)) from errors
    return trimmed(family), inherited(warnings, written)


def tree(path: Path) -> tuple[ast.Family, Sequence[Diagnostic]]:
    """Return the tree of a spec as written, before parents and defaults."""
    return parse(Library(path).spec, verbs()), ()


def lowered(path: Path) -> tuple[Ir, Sequence[Diagnostic]]:
    """Return the IR of a spec, which the templates print, and warnings."""
    family, warnings = checked(path)
    return lower(family), warnings


def _owned(network: Network, own: Own) -> Network:
    """Return a network whose backbone is a class of a file of the package."""
    name = own.name if own.name == "Backbone" else f"{own.name} as Backbone"
    home = FILE.removesuffix(".py")
    return evolve(
        network, backbone="Backbone", module="", imports=(*network.imports, (home, (name,)))
    )


def _code(family: ast.Family) -> tuple[str, ...]:
    """Return the Python objects that a family names: its specs do not determine their code."""
    entries = tuple(entry for section in family.sections for entry in section.entries)
    backbones = query.those(entries, ast.Backbone)
    return tuple(one.python.value for one in backbones if one.python is not None)


def _facts(ir: Ir, lines: Mapping[str, str]) -> dict[str, Any]:
    """Return the facts about a package for its manifest, in addition to the hashes of its files."""
    given = {layout.name: list(layout.given) for layout in ir.collate.layouts}
    claim = {"value": ir.family.claim, "why": plain(ir.family.why), "given": given}
    return {"claim": claim, "places": dict(lines), "source": ir.source}

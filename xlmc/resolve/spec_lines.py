"""The line and file of a spec for a reference such as ``loss.token`` in a docstring.

The lines are in the manifest and not in the code, so that a new line in a spec does not touch
every file of its package.
"""

from collections.abc import Iterator, Mapping

from xlmc.diagnostics.source import Source
from xlmc.resolve.duplicates import called, key
from xlmc.syntax import ast


def places(family: ast.Family, sources: Mapping[str, Source]) -> dict[str, str]:
    """Map references to ``NAME.xlm:LINE``; ``sources`` are the specs by their families."""
    files = {id(source): f"{name}.xlm" for name, source in sources.items()}
    found = {}
    for reference, node in _named(family):
        found[reference] = f"{files[id(node.span.source)]}:{node.span.line}"
    return found


def _named(family: ast.Family) -> Iterator[tuple[str, ast.Node]]:
    for section in family.sections:
        yield called(section), section
        for entry in section.entries:
            yield f"{called(section)}.{_key(entry)}", entry
    for recipe in family.recipes:
        yield recipe.header, recipe


def _key(entry: ast.Node) -> str:
    """Return how docstrings name an entry: by its survival, its name or its word."""
    match entry:
        case ast.Arrow():
            return entry.survival
        case ast.Carry():
            return entry.name
        case _:
            return key(entry)

"""Which line of which spec a reference such as ``loss.token`` in a generated docstring means.

The lines stand in the manifest and not in the code, so that a new line in a spec does not touch
every file of its package.
"""

from collections.abc import Iterator, Mapping

from xlmc.diagnostics.source import Source
from xlmc.resolve.duplicates import called, key
from xlmc.syntax import ast


def places(family: ast.Family, sources: Mapping[str, Source]) -> dict[str, str]:
    """Reference -> ``NAME.xlm:LINE``; ``sources`` are the specs by the names of their families."""
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
    """As docstrings say it: an arrow by its function, everything else by its word or name."""
    return entry.survival if isinstance(entry, ast.Arrow) else key(entry)

"""A spec made: its tree, its IR, and its package, written and imported in memory."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xlmc.check.family import check
from xlmc.diagnostics.source import Source
from xlmc.emit.render import render
from xlmc.lower import ir
from xlmc.lower.family import lower
from xlmc.resolve.defaults import complete
from xlmc.resolve.inherit import flatten
from xlmc.syntax import ast
from xlmc.syntax.marks import marked
from xlmc.syntax.parse import parse

ROOT = Path(__file__).parents[2]


def completed(text: str) -> ast.Family:
    """The tree of a spec, flat and with its defaults."""
    return complete(flatten(parse(Source("drawn.xlm", text)), shipped))


def shipped(name: str) -> Source | None:
    """The shipped spec of a family."""
    path = ROOT / "spec" / f"{name}.xlm"
    return Source(path.name, path.read_text("utf-8")) if path.is_file() else None


def lowered(text: str) -> ir.Package:
    """The IR of a spec that is checked first."""
    family = completed(text)
    check(family)
    return lower(family)


def rendered(text: str) -> dict[str, str]:
    """The files of a spec's package, not laid out by black."""
    family = completed(text)
    check(family)
    return render(lower(marked(family)))


@contextmanager
def imported(files: dict[str, str], folder: Path, name: str) -> Iterator[object]:
    """The package made of some files, imported under a name of its own for a while."""
    place = folder / name
    place.mkdir(parents=True)
    for file, text in files.items():
        (place / file).write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(
        name, place / "__init__.py", submodule_search_locations=[str(place)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        for loaded in [one for one in sys.modules if one.partition(".")[0] == name]:
            del sys.modules[loaded]

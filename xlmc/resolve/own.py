"""A network of the author's own: its file, and the interface that its class must have."""

import ast as python
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.diagnostics.semantic_errors import WrongPath
from xlmc.resolve.library import Library
from xlmc.syntax import ast, query

FILE = "own_network.py"  # its name in the package
_METHODS = {"__init__": "(vocab, size)", "forward": "(xt, attend)"}


@frozen
class Own:
    """A class and the text of the file that defines it."""

    name: str
    text: str


def network(family: ast.Family, library: Library) -> Own | None:
    """Return the network of a spec that lies in a file here; None for one that is installed.

    Raises SpecErrors if the file is no Python, or the class has another interface.
    """
    backbone = query.first(query.entries(family, "network"), ast.Backbone)
    if backbone is None or backbone.python is None:
        return None
    module, _, name = backbone.python.value.partition(":")
    found = library.python(module)
    if found is None:
        return None
    path, text = found
    why = _fault(path, text, module, name, timed=query.condition(family) is not None)
    if why:
        raise SpecErrors([WrongPath(span=backbone.python.span, why=f"{path.name} {why}")])
    return Own(name, f"# Copied by xlmc from {path.name}. Edit that file, not this one.\n{text}")


def _fault(path: Path, text: str, module: str, name: str, *, timed: bool) -> str:
    """Return the reason why a file cannot be the network; empty if it can."""
    try:
        tree = python.parse(text)
    except (SyntaxError, ValueError) as error:
        return f"is no Python: {error}"
    root = path.parents[module.count(".")]
    for other in _imported(tree):
        if other.startswith(".") or any(
            (root / other).with_suffix(s).exists() for s in ("", ".py")
        ):
            return f"imports `{other}` beside it, and a package keeps one file: join the two"
    found = next((n for n in tree.body if isinstance(n, python.ClassDef) and n.name == name), None)
    if found is None:
        return f"defines no class `{name}`"
    methods = {n.name: n for n in found.body if isinstance(n, python.FunctionDef)}
    for method, form in _METHODS.items():
        number = 2 + (timed and method == "forward")
        if method in methods and not _takes(methods[method], number):
            form = form.replace(")", ", t)") if number > 2 else form
            return f"has `{name}.{method}` with other arguments than `{form}`"
    return ""


def _imported(tree: python.Module) -> Iterator[str]:
    """Yield the first names of imported modules; relative ones begin with a dot."""
    for node in python.walk(tree):
        if isinstance(node, python.Import):
            yield from (one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, python.ImportFrom):
            yield f".{node.module or ''}" if node.level else str(node.module).partition(".")[0]


def _takes(method: python.FunctionDef, number: int) -> bool:
    """Return whether a method takes so many positional arguments beside self."""
    given, places = method.args, [*method.args.posonlyargs, *method.args.args]
    most, least = len(places) - 1, len(places) - 1 - len(given.defaults)
    required = [
        one for one, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if not value
    ]
    return not required and least <= number and (number <= most or given.vararg is not None)

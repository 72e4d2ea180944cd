"""Takes from a module of ordinary Python what a package uses, as it is written there."""

import ast
from collections.abc import Iterable
from functools import lru_cache

_BLOCK = ast.FunctionDef | ast.ClassDef


@lru_cache(maxsize=256)
def parsed(source: str) -> ast.Module:
    """Return the tree of a module; callers do not change it."""
    return ast.parse(source)


def shake(source: str, wanted: Iterable[str], attributes: Iterable[str] | None = None) -> str:
    """Reduce a module to some of its top-level names and the names that these use.

    Definitions keep their order and their text; imports are cut to the names still in use. With
    ``attributes``, dataclasses lose the methods that neither these nor the module name. Raises
    KeyError for a name that the module does not define.
    """
    known = None if attributes is None else _methods(source).intersection(attributes)
    return _shaken(source, frozenset(wanted), known)


@lru_cache(maxsize=1024)
def _shaken(source: str, wanted: frozenset[str], known: frozenset[str] | None) -> str:
    """Return what `shake` returns; a build repeats the call until nothing more is left out."""
    if known is not None:
        source = _without_methods(_shaken(source, wanted, None), known)
    tree = parsed(source)
    defined = {name: node for node in tree.body for name in _defines(node)}
    needed: set[str] = set()
    queue = list(wanted)
    while queue:
        name = queue.pop()
        if name not in needed:
            needed.add(name)
            queue += [used for used in _uses(defined[name]) if used in defined]
    kept = [node for node in tree.body if needed & set(_defines(node))]
    used = {name for node in kept for name in _uses(node)}
    lines = source.splitlines()
    doc = [_text(lines, tree.body[0])] if ast.get_docstring(tree) else []
    head = "\n\n".join(filter(None, [*doc, _imports(tree, used)]))
    pairs = zip([None, *kept], kept, strict=False)
    below = (_gap(lines, above, node) + _text(lines, node) for above, node in pairs)
    return head + "".join(below) + "\n"


def _gap(lines: list[str], above: ast.stmt | None, node: ast.stmt) -> str:
    """Return the blank lines between two statements: those that black has, or that were there.

    A text that is laid out as black does it is read by black once, any other twice.
    """
    if isinstance(above, _BLOCK) or isinstance(node, _BLOCK):
        return "\n\n\n"
    beside = above is not None and lines[node.lineno - 2].strip()
    return "\n" if beside else "\n\n"


@lru_cache(maxsize=1024)
def attributes(source: str) -> frozenset[str]:
    """Return the names of all attributes that a module reads."""
    nodes = ast.walk(parsed(source))
    return frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute))


@lru_cache(maxsize=1024)
def _methods(source: str) -> frozenset[str]:
    """Return the names of the methods of all dataclasses of a module."""
    return frozenset(one.name for one in _unused(parsed(source), frozenset()))


def _without_methods(source: str, known: frozenset[str]) -> str:
    """Remove unused methods of dataclasses from a module, until none is left."""
    while unused := _unused(parsed(source), known | attributes(source)):
        lines = source.splitlines()
        for node in sorted(unused, key=lambda one: -one.lineno):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            while first > 1 and not lines[first - 2].strip():
                first -= 1
            lines[first - 1 : node.end_lineno] = []
        source = "\n".join(lines) + "\n"
    return source


def _unused(tree: ast.Module, known: frozenset[str]) -> list[ast.FunctionDef]:
    """Return the methods of dataclasses whose names nothing knows."""
    return [
        method
        for node in tree.body
        if isinstance(node, ast.ClassDef) and _is_dataclass(node)
        for method in node.body
        if isinstance(method, ast.FunctionDef)
        if not method.name.startswith("__") and method.name not in known
    ]


def _is_dataclass(node: ast.ClassDef) -> bool:
    names = [
        part.id
        for one in node.decorator_list
        for part in ast.walk(one)
        if isinstance(part, ast.Name)
    ]
    return "dataclass" in names


def _imports(tree: ast.Module, used: set[str]) -> str:
    """Return the imports that are left, with the blank lines between their groups."""
    lines: list[str] = []
    end, apart = 0, False
    for node in filter(_is_import, tree.body):
        apart |= node.lineno > end + 1
        end = node.end_lineno or node.lineno
        if text := _import(node, used):
            lines += ["", text] if lines and apart else [text]
            apart = False
    return "\n".join(lines)


def prune(source: str) -> str:
    """Remove the imports that nothing in a module uses; other lines stay as they are."""
    tree = parsed(source)
    used = {name for node in tree.body if not _is_import(node) for name in _uses(node)}
    lines = source.splitlines()
    for node in reversed(tree.body):
        if _is_import(node):
            left = _import(node, used)
            alone = not (left or lines[node.lineno - 2].strip() or lines[node.lineno].strip())
            lines[node.lineno - 1 : node.lineno + alone] = [left] if left else []
    return "\n".join(lines) + "\n"


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _defines(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def _uses(node: ast.AST) -> set[str]:
    """Return the names that a statement mentions; those that `__all__` lists too."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    if "__all__" in names:
        constants = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
        names |= {value for value in constants if isinstance(value, str)}
    return names


def _import(node: ast.stmt, used: set[str]) -> str:
    """Return an import statement without unused names; "" if nothing is left of it."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return ""
    names = [a for a in node.names if (a.asname or a.name).partition(".")[0] in used]
    if not names:
        return ""
    if isinstance(node, ast.Import):
        return ast.unparse(ast.Import(names))
    return ast.unparse(ast.ImportFrom(node.module, names, node.level))


def _text(lines: list[str], node: ast.stmt) -> str:
    """Return a statement as it is written, with its decorators."""
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
    start = min([node.lineno, *(d.lineno for d in decorators)])
    return "\n".join(lines[start - 1 : node.end_lineno])

"""The names that an author chose: all of a spec, and its tree with others in their places."""

from collections.abc import Mapping
from typing import Any

import attrs

from xlmc.syntax import ast

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

"""Nodes of one kind among several."""

from typing import TypeVar

from xlmc.syntax import ast

N = TypeVar("N", bound=ast.Node)


def those(nodes: tuple[ast.Node, ...], kind: type[N]) -> tuple[N, ...]:
    """Return the nodes of one class."""
    return tuple(node for node in nodes if isinstance(node, kind))


def the(nodes: tuple[ast.Node, ...], kind: type[N]) -> N:
    """Return the only node of a class, known to be there."""
    (node,) = those(nodes, kind)
    return node


def first(nodes: tuple[ast.Node, ...], kind: type[N]) -> N | None:
    """Return the first node of a class, if there is one."""
    return next(iter(those(nodes, kind)), None)


def called(value: ast.Name | ast.Call) -> str:
    """Return the word of a value that may be given arguments: ``dit``, ``dit(condition = t)``."""
    return value.id if isinstance(value, ast.Name) else value.function


def read_at(head: ast.Head | None) -> str:
    """Return the place at which a head is read in the spec; "" where none is written."""
    return head.at.id if head is not None and head.at is not None else ""

"""Entries that occur twice in one spec and may occur once."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, product

from attrs import fields

from xlmc.diagnostics.diagnostic import Diagnostic, Related
from xlmc.diagnostics.syntax_errors import (
    DroppedAndNew,
    DuplicateArgument,
    DuplicateArrow,
    DuplicateEntry,
    DuplicateHead,
    DuplicateLayout,
    DuplicateName,
    DuplicateRecipe,
    DuplicateSection,
    DuplicateSetting,
    DuplicateTerm,
)
from xlmc.syntax import ast

_MESSAGES: dict[type[ast.Node], type[DuplicateEntry]] = {
    ast.Param: DuplicateName,
    ast.Choice: DuplicateName,
    ast.Let: DuplicateName,
    ast.Head: DuplicateHead,
    ast.Arrow: DuplicateArrow,
    ast.Term: DuplicateTerm,
    ast.Layout: DuplicateLayout,
    ast.Setting: DuplicateSetting,
    ast.Side: DuplicateLayout,
    ast.Keyword: DuplicateArgument,
    ast.Name: DuplicateArgument,
}


def key(node: ast.Node) -> str:
    """Return the name that identifies an entry among its neighbours."""
    match node:
        case ast.Arrow():
            return node.target.id
        case ast.Term():
            return node.head.id
        case ast.Side():
            return node.part.id
        case ast.Name():
            return node.id
        case ast.Setting():
            return node.path
        case ast.Drop():
            return node.key
        case ast.NoNoise():
            return "none"
        case ast.Draft():
            return "law"  # an arrow leads to the draft itself
        case ast.Sequence():
            return "order"
        case ast.Param() | ast.Choice() | ast.Let() | ast.Head() | ast.Layout() | ast.Keyword():
            return node.name
        case _:
            return type(node).__name__.lower()


def called(section: ast.Section) -> str:
    """Return the name of a section for messages: ``decoder sampled``."""
    return f"{section.kind} {section.name}" if section.name else section.kind


def duplicates(family: ast.Family) -> Iterator[Diagnostic]:
    """Yield a message for everything that occurs a second time."""
    seen: dict[str, ast.Node] = {}
    shared = ((recipe.header, recipe) for recipe in family.recipes if not recipe.tasks)
    for name, block in chain(((called(s), s) for s in family.sections), shared):
        first = seen.setdefault(name, block)
        if first is not block:
            related = (Related(first.span, "first here"),)
            yield DuplicateSection(span=block.span, name=name, related=related)
    yield from _set_twice(family.recipes)
    for section in family.sections:
        yield from _among(section.entries, called(section))
    for recipe in family.recipes:
        said = sorted((*recipe.settings, *recipe.drops), key=lambda one: one.span.start)
        yield from _among(said, recipe.header)
    for node in _walk(family):
        yield from _among(_arguments(node), "")


def _set_twice(recipes: Iterable[ast.Recipe]) -> Iterator[Diagnostic]:
    """Yield a message for each setting of one task in several recipes."""
    seen: dict[tuple[str, str], tuple[ast.Recipe, ast.Node]] = {}
    for recipe in recipes:
        for task, one in product(recipe.tasks, (*recipe.settings, *recipe.drops)):
            where, first = seen.setdefault((task.id, key(one)), (recipe, one))
            if where is not recipe:
                related = (Related(first.span, "first here"),)
                name, place = key(one), task.id
                yield DuplicateRecipe(span=one.span, name=name, place=place, related=related)


def _among(nodes: Iterable[ast.Node], place: str) -> Iterator[Diagnostic]:
    """Yield a message for each repetition among neighbours."""
    seen: dict[str, ast.Node] = {}
    for node in nodes:
        first = seen.setdefault(key(node), node)
        if first is not node:
            if isinstance(first, ast.Drop) != isinstance(node, ast.Drop):
                related = (Related(first.span, "first here"),)
                yield DroppedAndNew(span=node.span, name=key(node), related=related)
                continue
            message = _MESSAGES.get(type(node), DuplicateEntry)
            if isinstance(first, ast.Param | ast.Choice | ast.Let):
                message = DuplicateName
            related = (Related(first.span, "first here"),)
            yield message(span=node.span, name=key(node), place=place, related=related)


def _arguments(node: ast.Node) -> Sequence[ast.Node]:
    """Return the parts of an entry or an expression that must have different names."""
    match node:
        case ast.Call():
            return node.keywords
        case ast.Pick() | ast.Draw() | ast.Choice() | ast.Divergence():
            return node.options
        case ast.Pad():
            return node.sides
        case ast.Recipe():
            return node.tasks
        case _:
            return ()


def _walk(node: ast.Node) -> Iterator[ast.Node]:
    """Yield a node and everything below it."""
    yield node
    for field in fields(type(node)):
        value = getattr(node, field.name)
        for child in value if isinstance(value, tuple) else (value,):
            if isinstance(child, ast.Node):
                yield from _walk(child)

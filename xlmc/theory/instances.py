"""The processes that a family has at the values that the params of its noise can take.

A noise with params is not one process but many. Each conclusion from the values of a survival is
drawn for each of these instances, in which numbers replace the params.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product

from attrs import evolve, frozen

from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal, rewrite

VALUES = {  # the ends of the ranges, and some values between them
    "Chance": (0.0, 0.05, 0.5, 0.95, 1.0),
    "Count": (0.0, 1.0, 2.0, 5.0, 10.0),
    "Size": (1.0, 2.0, 3.0, 10.0),
    "Scale": (0.1, 0.5, 1.0, 2.0, 3.7, 10.0),
}
FEW = 2  # params whose values are combined

Values = Mapping[str, float]


@frozen
class Instance:
    """A family with numbers in the place of the params of its noise, and these numbers."""

    family: ast.Family
    values: Values


def read(family: ast.Family) -> tuple[ast.Param, ...]:
    """Return the params of the noise that some survival reads."""
    entries = query.entries(family, "noise")
    names = {
        name.id
        for arrow in query.arrows(family)
        for name in query.names(arrow.value)
        if name.id != arrow.argument
    }
    return tuple(param for param in query.those(entries, ast.Param) if param.name in names)


def instances(family: ast.Family) -> Iterator[Instance]:
    """Yield the instances of a family: that of the defaults, then those of other values."""
    found = read(family)
    for values in worlds(found):
        yield Instance(_settled(family, values) if found else family, values)


def default(family: ast.Family) -> ast.Family:
    """Return the instance of the defaults."""
    return next(instances(family)).family


def worlds(params: tuple[ast.Param, ...]) -> Iterator[Values]:
    """Yield values of params: the defaults, then all combinations of some of their ranges.

    Of more than two params, the values of each with the others at their defaults, and all together.
    """
    base = {one.name: literal(one.default) or 0.0 for one in params}
    yield base
    axes = {one.name: VALUES.get(one.kind, ()) for one in params}
    if len(params) <= FEW:
        points = [dict(zip(axes, point, strict=True)) for point in product(*axes.values())]
    else:
        points = [{**base, name: value} for name, values in axes.items() for value in values]
        points += [
            dict(zip(axes, point, strict=False)) for point in zip(*axes.values(), strict=False)
        ]
    yield from (point for point in points if point and point != base)


def at(arrow: ast.Arrow, values: Values) -> ast.Arrow:
    """Return an arrow with numbers in the place of params."""

    def change(node: ast.Expr) -> ast.Expr:
        if not isinstance(node, ast.Name) or node.id not in values:
            return node
        return ast.Number(Fraction(repr(values[node.id])), repr(values[node.id]), span=node.span)

    return evolve(arrow, value=rewrite(arrow.value, change)) if values else arrow


def _settled(family: ast.Family, values: Values) -> ast.Family:
    """Return a family with numbers in the place of the params of its noise."""
    sections = tuple(
        evolve(section, entries=tuple(_entries(section, values)))
        if section.kind == "noise"
        else section
        for section in family.sections
    )
    return evolve(family, sections=sections)


def _entries(section: ast.Section, values: Values) -> Iterator[ast.Node]:
    for entry in section.entries:
        if isinstance(entry, ast.Arrow):
            yield at(entry, values)
        elif not isinstance(entry, ast.Param):
            yield entry

"""The processes that a family has at the values that the params of its noise can take.

A noise with params is not one process but many. Each conclusion from the values of a survival is
drawn for each of these instances, in which numbers replace the params.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from itertools import product

from attrs import evolve, frozen

from xlmc.calculus.evaluate import Scope, evaluate
from xlmc.syntax import ast, query
from xlmc.syntax.expression import MathError, literal, rewrite

VALUES = {  # from end to end of the ranges: all integers, and some of all other numbers
    "Chance": (0.0, 0.05, 0.5, 0.95, 1.0),
    "Count": tuple(map(float, range(11))),
    "Size": tuple(map(float, range(1, 11))),
    "Scale": (0.1, 0.5, 1.0, 2.0, 3.7, 10.0),
    "Learned": (0.25, 0.5, 1.0, 2.0, 3.7, 4.0),  # by a head of kind `scale`
}
FEW = 3  # params of whose ranges all corners are taken

Values = Mapping[str, float]


@frozen
class Instance:
    """A family with numbers in the place of the params of its noise, and these numbers."""

    family: ast.Family
    values: Values


def read(family: ast.Family) -> tuple[ast.Param, ...]:
    """Return the params of the noise that some survival reads."""
    exprs = [expr for arrow in query.arrows(family) for expr in query.formulas(arrow)]
    names = query.spoken(exprs, query.constants(family)) - {"t"}
    return tuple(param for param in query.given(family) if param.name in names)


def instances(family: ast.Family) -> Iterator[Instance]:
    """Yield the instances of a family: that of the defaults, then those of other values."""
    found = read(family)
    for values in worlds(found, query.constants(family)):
        yield Instance(_settled(family, values) if found else family, values)


def default(family: ast.Family) -> ast.Family:
    """Return the instance of the defaults."""
    return next(instances(family)).family


def worlds(params: tuple[ast.Param, ...], constants: tuple[ast.Let, ...] = ()) -> Iterator[Values]:
    """Yield values of params and of the constants that they make.

    First the defaults, then each with the others at theirs, and all together.
    """
    for values in _values(params):
        yield _with_constants(values, constants)


def _with_constants(values: Values, constants: tuple[ast.Let, ...]) -> Values:
    """Return values of params with those of constants, but for constants that have none."""
    found = {**values}
    for one in constants:
        with suppress(MathError):
            found[one.name] = float(evaluate(one.value, Scope(found)))
    return found


def _values(params: tuple[ast.Param, ...]) -> Iterator[Values]:
    """Yield values of params.

    Together they go through their ranges side by side; few ones meet at all ends of their ranges.
    """
    base = {one.name: literal(one.default) or 0.0 for one in params}
    axes = {one.name: VALUES[one.kind] for one in params if one.kind in VALUES}
    points = [base]
    points += [{**base, name: value} for name, values in axes.items() for value in values]
    points += [{**base, **dict(zip(axes, row, strict=True))} for row in _together(axes)]
    yield from (point for i, point in enumerate(points) if point not in points[:i])


def _together(axes: Mapping[str, tuple[float, ...]]) -> Iterator[tuple[float, ...]]:
    """Yield rows of values of all params."""
    if len(axes) <= FEW:
        yield from product(*((values[0], values[-1]) for values in axes.values()))
    yield from zip(*axes.values(), strict=False)


def at(arrow: ast.Arrow, values: Values) -> ast.Arrow:
    """Return an arrow with numbers in the place of params."""

    def change(node: ast.Expr) -> ast.Expr:
        if not isinstance(node, ast.Name) or node.id not in values:
            return node
        return ast.Number(Fraction(repr(values[node.id])), repr(values[node.id]), span=node.span)

    if not values:
        return arrow
    return query.with_formulas(arrow, lambda one: rewrite(one, change))


def _settled(family: ast.Family, values: Values) -> ast.Family:
    """Return a family with numbers in the place of the params of its noise, and without lets."""
    arrows = iter([at(arrow, values) for arrow in query.arrows(family)])
    sections = tuple(
        evolve(section, entries=tuple(_entries(section, arrows)))
        if section.kind == "noise"
        else section
        for section in family.sections
    )
    return evolve(family, sections=sections)


def _entries(section: ast.Section, arrows: Iterator[ast.Arrow]) -> Iterator[ast.Node]:
    for entry in section.entries:
        if isinstance(entry, ast.Arrow):
            yield next(arrows)
        elif not isinstance(entry, ast.Param | ast.Let):
            yield entry

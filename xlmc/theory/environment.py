"""The names that an expression may mention in its place, and those that it reads."""

from collections.abc import Mapping

from attrs import evolve, frozen

from xlmc.calculus.evaluate import DERIVED
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal


@frozen
class Environment:
    """The scope of an expression: names with their types, schedules, and its place.

    ``derived`` are the functions of a schedule. ``sound``: values can be computed. ``around``: a
    value may depend on the visible tokens around a masked one. ``remedy``: how there could be a
    time.
    """

    where: str
    names: Mapping[str, str]
    schedules: Mapping[str, ast.Arrow]
    derived: tuple[str, ...]
    lets: Mapping[str, ast.Let]
    defaults: Mapping[str, float]
    sound: bool = True
    around: bool = False
    remedy: str = ""


def environment(
    entries: tuple[ast.Node, ...],
    where: str,
    names: Mapping[str, str],
    schedules: Mapping[str, ast.Arrow],
    derived: tuple[str, ...],
) -> Environment:
    """Return the names of a section: those given, its params and its lets."""
    params = query.those(entries, ast.Param)
    choices = query.those(entries, ast.Choice)
    lets = query.those(entries, ast.Let)
    types = {
        **names,
        **{param.name: param.kind for param in params},
        **{choice.name: "Choice" for choice in choices},
        **{one.name: "Number" for one in lets},
    }
    defaults = {p.name: value for p in params if (value := literal(p.default)) is not None}
    return Environment(where, types, schedules, derived, {one.name: one for one in lets}, defaults)


def reads(expr: ast.Expr, env: Environment) -> set[str]:
    """Return the names that an expression reads, also by lets and by functions of time."""
    names = {name.id for name in query.names(expr)}
    functions = {call.function for call in query.calls(expr)}
    names |= {"t"} if functions & {*DERIVED} or "bound" in names else set()
    names |= {"s"} if "reveal" in functions else set()
    names |= {"visible"} & functions
    for name in names & {*env.lets}:
        others = {key: one for key, one in env.lets.items() if key != name}
        names = names | reads(env.lets[name].value, evolve(env, lets=others))
    return names


def given(expr: ast.Expr, env: Environment) -> float | None:
    """Return the value of a literal, or the default of a param."""
    return env.defaults.get(expr.id) if isinstance(expr, ast.Name) else literal(expr)

"""Queries on actions, and on the expressions of decoders."""

from collections.abc import Iterable, Iterator

from xlmc.syntax import ast
from xlmc.syntax.expression import walk
from xlmc.syntax.query.nodes import those

SCORES = ("confidence", "margin", "entropy", "random", "left")


def told(entries: Iterable[ast.Node]) -> list[ast.Keyword]:
    """Return the options of the draws and picks of some entries."""
    blocks = [entry for entry in entries if isinstance(entry, ast.Step | ast.Finish)]
    actions = [action for block in blocks for action in block.actions]
    draws = [action for action in actions if isinstance(action, ast.Draw | ast.Pick)]
    return [option for draw in draws for option in draw.options]


def names(node: ast.Expr | None) -> Iterator[ast.Name]:
    """Yield every name that an expression mentions, from left to right."""
    if node is not None:
        yield from (part for part in walk(node) if isinstance(part, ast.Name))


def calls(node: ast.Expr | None) -> Iterator[ast.Call]:
    """Yield every call in an expression, outer ones first."""
    if node is not None:
        yield from (part for part in walk(node) if isinstance(part, ast.Call))


def around(expr: ast.Expr | None) -> bool:
    """Return whether an expression depends on the visible tokens around a masked one."""
    return any(call.function == "visible" for call in calls(expr))


def expressions(node: ast.Node) -> Iterator[ast.Expr]:
    """Yield the expressions of an entry of a decoder, which may read its params and lets."""
    match node:
        case ast.Grid(value=ast.Call(arguments=arguments)):
            yield from arguments
        case ast.Let(value=value) | ast.Blocks(size=value):
            yield value
        case ast.Guide(value=ast.Call(keywords=keywords)):
            yield from (keyword.value for keyword in keywords)
        case ast.Step(actions=actions):
            for action in actions:
                yield from _of_action(action)
        case ast.Finish(actions=actions, over=over):
            yield from (over,) if over is not None else ()
            for action in actions:
                yield from _of_action(action)
        case ast.Stop(conditions=conditions):
            for one in conditions:
                match one:
                    case ast.Compare(left=left, right=right):
                        yield left
                        yield right
                    case ast.Happens(chance=chance):
                        yield chance


def paces(much: ast.Much | None) -> Iterator[ast.Much]:
    """Yield a rule, and those after its ``else`` and ``or``."""
    while much is not None:
        yield much
        much = much.rest


def choice(name: str, section: ast.Section) -> ast.Choice | None:
    """Return the param of a section with alternatives that has a name."""
    return next((one for one in those(section.entries, ast.Choice) if one.name == name), None)


def scores(order: ast.Order, section: ast.Section) -> tuple[ast.Name, ...]:
    """Return the scores that an order may be by: that which is written, or those of a param."""
    found = choice(order.score.id, section)
    return found.options if found is not None else (order.score,)


def verb(action: ast.Action) -> str:
    """Return the word that an action begins with."""
    match action:
        case ast.Act(verb=verb):
            return verb.id
        case ast.Insert():
            return "insert"
        case ast.Pick():
            return "pick"
        case ast.Draw():
            return "draw"


def acts(actions: tuple[ast.Action, ...], verb: str) -> tuple[ast.Act, ...]:
    """Return the actions of a verb."""
    return tuple(one for one in those(actions, ast.Act) if one.verb.id == verb)


def act(actions: tuple[ast.Action, ...], verb: str) -> ast.Act | None:
    """Return the first action of a verb, if there is one."""
    return next(iter(acts(actions, verb)), None)


def anew(actions: tuple[ast.Action, ...]) -> ast.Act | None:
    """Return the action that draws all tokens anew, if there is one."""
    return next((one for one in acts(actions, "substitute") if one.much.rule == "all"), None)


def leftover(entries: tuple[ast.Node, ...]) -> ast.Finish | None:
    """Return the finish that reveals what is left when the grid has ended, if there is one."""
    return next((one for one in those(entries, ast.Finish) if one.over is None), None)


def correction(entries: tuple[ast.Node, ...]) -> ast.Finish | None:
    """Return the finish that is repeated, which corrects a text, if there is one."""
    return next((one for one in those(entries, ast.Finish) if one.over is not None), None)


def amounts(action: ast.Act | ast.Insert) -> Iterator[ast.Expr]:
    """Yield the amounts of the rules of an action."""
    yield from (pace.value for pace in paces(action.much) if pace.value is not None)


def _of_action(action: ast.Action) -> Iterator[ast.Expr]:
    match action:
        case ast.Pick(options=options) | ast.Draw(options=options):
            for option in options:
                yield option.value
        case _:
            order = action.order
            yield from amounts(action)
            if order is not None:
                if order.score.id not in SCORES:
                    yield order.score  # a choice
                yield from (e for e in (order.temperature, order.weight) if e is not None)

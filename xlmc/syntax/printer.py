"""Printing of trees in the one layout that `fmt` and `expand` write.

Two spaces a level; one statement a line, however long; no parentheses but those that are needed.
In a section, the part before the sign of a head, a term, a layout or an arrow is padded to one
width. A section of one or two statements is printed on one line, and so is a named decoder, a step
or a recipe, if it is short enough; the settings of other recipes fill their lines.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from attrs import evolve, frozen

from xlmc.diagnostics.source import Span
from xlmc.syntax import ast, query

Fills = Callable[[ast.Node], bool]

_WIDEST = 120  # columns
_FEW = 2  # entries
_INDENT = "  "


@frozen
class Line:
    """A line of text, and its span in the source.

    A line that opens a block has the span of its first character, one that closes it of its last.
    """

    depth: int
    text: str
    span: Span
    role: Literal["entry", "open", "close"] = "entry"

    def __str__(self) -> str:
        return _INDENT * self.depth + self.text


def text(family: ast.Family) -> str:
    """Format the spec of a family, as `expand` prints it: with its doc, without other comments."""
    out = [f"# {line}".rstrip() for line in family.doc.splitlines()]
    header, *items, footer = _blocks(family, _items(family), lambda _: True)
    out += map(str, header)
    papers = len(family.papers)
    for number, item in enumerate(items):
        is_section = papers <= number < papers + len(family.sections)
        starts_recipes = number == papers + len(family.sections)
        if number and (is_section or starts_recipes):
            out.append("")
        out += map(str, item)
    return "\n".join([*out, *map(str, footer)]) + "\n"


def lines(family: ast.Family, fills: Fills) -> list[Line]:
    """Return the lines of a spec in the order of its source.

    ``fills`` picks the blocks that may share lines; of the rest each statement has its own.
    """
    items = sorted(_items(family), key=lambda item: item.span.start)
    return [line for block in _blocks(family, items, fills) for line in block]


# Blocks

_Item = ast.Paper | ast.Section | ast.Recipe
_Steps = ast.Step | ast.Finish


def _items(family: ast.Family) -> list[_Item]:
    return [*family.papers, *family.sections, *family.recipes]


def _blocks(family: ast.Family, items: Iterable[_Item], fills: Fills) -> list[list[Line]]:
    """Return the lines of the header, of each item and of the last brace."""
    title = [expression(family.title)] if family.title else []
    parent = ["extends", family.parent.id] if family.parent else []
    header = " ".join(["family", family.name.id, *title, *parent])
    first, last = _braces(header, family, 0)
    return [[first], *(_item(item, fills) for item in items), [last]]


def _item(item: _Item, fills: Fills) -> list[Line]:
    if isinstance(item, ast.Paper):
        return [Line(1, entry(item), item.span)]
    if isinstance(item, ast.Section) and item.drop:
        return [Line(1, f"drop {item.kind} {item.name}", item.span)]
    if isinstance(item, ast.Section):
        words = ["replace"] * item.replace + [item.kind] + ([item.name] if item.name else [])
        brief = (item.name is not None or len(item.entries) <= _FEW) and fills(item)
        short = _short(" ".join(words), item, item.entries, 1) if brief else []
        return short or _block(" ".join(words), item, item.entries, 1, fills)
    settings = _settings(item)
    if not fills(item):
        return _block(item.header, item, settings, 1, fills)
    first, last = _braces(item.header, item, 1)
    return _short(item.header, item, settings, 1) or [first, *_filled(settings, 2), last]


def _short(header: str, node: ast.Node, entries: Sequence[ast.Node], depth: int) -> list[Line]:
    """Return a block on one line if it is short enough; else no line."""
    text = _inline(header, entries)
    return [Line(depth, text, node.span)] if len(_INDENT * depth + text) <= _WIDEST else []


def _inline(header: str, entries: Sequence[ast.Node]) -> str:
    inner = [_inline(entry(e), e.actions) if isinstance(e, _Steps) else entry(e) for e in entries]
    return f"{header} {{ {'; '.join(inner)} }}" if inner else f"{header} {{ }}"


def _block(
    header: str, node: ast.Node, entries: Sequence[ast.Node], depth: int, fills: Fills
) -> list[Line]:
    first, last = _braces(header, node, depth)
    inner: list[Line] = []
    for one, aligned in zip(entries, _aligned(entries), strict=True):
        if isinstance(one, _Steps):
            short = _short(aligned, one, one.actions, depth + 1) if fills(one) else []
            inner += short or _block(aligned, one, one.actions, depth + 1, fills)
        else:
            inner.append(Line(depth + 1, aligned, one.span))
    return [first, *inner, last]


def _braces(header: str, node: ast.Node, depth: int) -> tuple[Line, Line]:
    start, end = node.span.start, node.span.end
    return (
        Line(depth, f"{header} {{", evolve(node.span, end=start + 1), "open"),
        Line(depth, "}", evolve(node.span, start=end - 1), "close"),
    )


def _settings(recipe: ast.Recipe) -> list[ast.Setting | ast.Drop]:
    """Return the settings and drops of a recipe, in the order of the source if it has both."""
    if not recipe.drops:
        return [*recipe.settings]  # what is inherited stands in a source of its own
    return sorted((*recipe.settings, *recipe.drops), key=lambda s: s.span.start)


def _filled(entries: Sequence[ast.Node], depth: int) -> list[Line]:
    """Return entries side by side, as many as a line holds."""
    rows: list[Line] = []
    for one in entries:
        joined = f"{rows[-1].text}; {entry(one)}" if rows else ""
        if rows and len(_INDENT * depth + joined) <= _WIDEST:
            rows[-1] = evolve(rows[-1], text=joined, span=_from_to(rows[-1].span, one.span))
        else:
            rows.append(Line(depth, entry(one), one.span))
    return rows


def _from_to(first: Span, last: Span) -> Span:
    return evolve(first, end=last.end)


# Entries


def entry(node: ast.Node) -> str:
    """Format a statement by itself; of a block inside of a section, its first word."""
    return " ".join(_cells(node))


def _aligned(entries: Sequence[ast.Node]) -> list[str]:
    """Format the statements of a block; cells of one kind are aligned in columns."""
    cells = [_cells(e) for e in entries]
    widths: dict[tuple[str, int], int] = {}
    for node, row in zip(entries, cells, strict=True):
        for column, cell in enumerate(row[:-1]):
            key = (_kind(node), column)
            widths[key] = max(widths.get(key, 0), len(cell))
    return [
        " ".join(
            cell if column == len(row) - 1 else cell.ljust(widths[_kind(node), column])
            for column, cell in enumerate(row)
        )
        for node, row in zip(entries, cells, strict=True)
    ]


def clock(arrow: ast.Arrow) -> str:
    """Format the clock of an arrow, without the word for a survival."""
    value = expression(query.written(arrow))
    events = "events " * (arrow.events is not None)
    return f"{events}{arrow.survival}({arrow.argument}) = {value}"


def _kind(node: ast.Node) -> str:
    """Return the kind by which entries align: their class; attention aligns with the backbone."""
    return "Trunk" if isinstance(node, ast.Backbone | ast.Attention) else type(node).__name__


def _cells(node: ast.Node) -> list[str]:
    """Split a statement into columns; a cell that starts with a blank gets two of them."""
    match node:
        case ast.Arrow():
            survival = "survival " * (node.events is None)
            return [node.origin.id, f"-> {_targets(node)}", f" {survival}{clock(node)}"]
        case ast.Backbone():
            value = expression(node.value)
            return ["backbone", f"{value} {expression(node.python)}" if node.python else value]
        case ast.Attention():
            return ["attention", node.kind.id]
        case ast.Head():
            return [f"head {node.name}", f": {_head(node)}"]
        case ast.Term():
            value = f": {_divergence(node.divergence)}{_optional('on', node.on)}"
            weight = [f" weight {expression(node.weight)}"] if node.weight else []
            return [node.head.id, value, *weight]
        case ast.Layout():
            return [node.name, f": {_slots(node.slots)}{_optional('keeping', node.keeping)}"]
        case _:
            return [_statement(node)]


def _targets(node: ast.Arrow) -> str:
    """Format the states that an arrow leads to."""
    shares = ((node.other, node.share), (node.third, node.kept))
    others = [
        f" | {state.id} share {expression(share)}" for state, share in shares if state and share
    ]
    return "".join([node.target.id, *others])


def _statement(node: ast.Node) -> str:
    """Format a statement that has no columns."""
    match node:
        case ast.Paper():
            return f"paper {expression(node.citation)}{_optional('arxiv', node.arxiv)}"
        case ast.Setting():
            return f"{node.path} {expression(node.value)}"
        case ast.Param():
            return f"param {node.name} : {node.kind} = {expression(node.default)}"
        case ast.Choice():
            return f"param {node.name} = {' | '.join(o.id for o in node.options)}"
        case ast.Let():
            return f"let {node.name} = {expression(node.value)}"
        case ast.Drop():
            return f"drop {node.key}"
        case ast.NoNoise():
            return "none"
        case ast.Draft():
            return f"draft ~ {expression(node.law)}"
        case ast.Sequence():
            return f"order {node.kind.id}"
        case ast.Amount():
            law = f"amount {node.variable.id} ~ {expression(node.law)}"
            return f"{law} {node.spread.id}" if node.spread else law
        case ast.Carry():
            over = f" over {expression(node.over)}" if node.over is not None else ""
            return f"carry {node.name}{_optional('at', node.at)}{over}"
        case ast.Mean():
            return f"mean over {node.over.id}{_optional('per', node.per)}"
        case ast.Start():
            head = f"({node.head.id})" if node.head is not None else ""
            return f"start {node.state.id}{head}{' greedy' * node.greedy}"
        case ast.Grid():
            return f"grid {expression(node.value)}"
        case ast.Stop():
            when = "" if isinstance(node.conditions[0], ast.Happens) else "when "
            return f"stop {when}{' or '.join(map(condition, node.conditions))}"
        case ast.Reuse():
            part = f"{node.part.id} " if node.part is not None else ""
            return f"reuse {part}while {node.what.id}"
        case ast.Blocks():
            return f"blocks {expression(node.size)}"
        case ast.Guide():
            return f"guide {expression(node.value)}"
        case ast.Overflow():
            return f"overflow {node.policy.id}"
        case ast.Pad():
            return f"pad {', '.join(f'{s.part.id} {s.side.id}' for s in node.sides)}"
        case ast.Step():
            return "step"
        case ast.Finish():
            return f"finish{_optional('over', node.over)}"
        case ast.Act() | ast.Insert() | ast.Pick() | ast.Draw():
            return _action(node)
        case _:
            raise TypeError(f"{type(node).__name__} is no statement")


def _optional(word: str, value: ast.Expr | None) -> str:
    return f" {word} {expression(value)}" if value else ""


def _action(node: ast.Action) -> str:
    match node:
        case ast.Act():
            return f"{node.verb.id} {_much(node.much)}{_order(node.order)}"
        case ast.Insert():
            return f"insert {node.what.id} {_much(node.much)}{_order(node.order)}"
        case ast.Pick():
            return f"pick {node.what.id}{_manner(node)}"
        case ast.Draw():
            return f"draw {node.head.id}{_optional('from', node.law)}{_manner(node)}"


def _much(node: ast.Much) -> str:
    pace = f"{node.rule} {expression(node.value)}" if node.value else node.rule
    return f"{pace} {node.link} {_much(node.rest)}" if node.rest is not None else pace


def _order(node: ast.Order | None) -> str:
    if node is None:
        return ""
    of = _optional("of", node.of)
    warm, weight = _optional("temperature", node.temperature), _optional("weight", node.weight)
    return f" by {node.score.id}{of}{warm}{weight}"


def _manner(node: ast.Pick | ast.Draw) -> str:
    """Format ``greedy``, or the options; short if a value has the name of its option."""
    if node.greedy:
        return " greedy"
    short = [
        o.name if isinstance(o.value, ast.Name) and o.value.id == o.name else _keyword(o)
        for o in node.options
    ]
    return f" with {', '.join(short)}" if short else ""


def condition(node: ast.Condition) -> str:
    """Format one of the conditions of a stop."""
    match node:
        case ast.Compare():
            left = expression(node.left)
            if re.match(r"chance\b", left):
                left = f"({left})"  # a name here, though it reads like the keyword
            return f"{left} {node.op} {expression(node.right)}"
        case ast.NoState():
            return f"no {node.state.id}"
        case ast.Happens():
            return f"chance {expression(node.chance)}"


def _divergence(node: ast.Divergence) -> str:
    none = "none " if isinstance(node.target, ast.Nothing) else ""
    target = node.target.state if isinstance(node.target, ast.Nothing) else node.target
    given = [f"{none}{target.id}", *map(_keyword, node.options)]
    return f"{node.kind}({', '.join(given)})"


def _head(node: ast.Head) -> str:
    size = f"({expression(node.size)})" if node.size is not None else ""
    return f"{node.kind.id}{size}{_optional('at', node.at)}{' shifted' * node.shifted}"


def _slots(slots: Sequence[ast.Slot]) -> str:
    """Format the parts of a layout, neighbours that are free in one pair of brackets."""
    words = [s.name for s in slots]
    for number, slot in enumerate(slots):
        if slot.free and not (number and slots[number - 1].free):
            words[number] = f"[{words[number]}"
        if slot.free and not (number + 1 < len(slots) and slots[number + 1].free):
            words[number] += "]"
    return " ".join(words)


# Expressions

# How tightly an operator binds, and how tightly its operands must not to need parentheses.
_BINDS = {"+": (1, 1, 2), "-": (1, 1, 2), "*": (2, 2, 3), "/": (2, 2, 3), "**": (4, 5, 3)}


def expression(node: ast.Expr, least: int = 0) -> str:
    """Format an expression, in parentheses if it binds less tightly than ``least``."""
    match node:
        case ast.Number():
            return node.text
        case ast.String():
            return f'"{node.value}"'
        case ast.Name():
            return node.id
        case ast.Call():
            given = [*map(expression, node.arguments), *map(_keyword, node.keywords)]
            return f"{node.function}{chr(39) * node.primes}({', '.join(given)})"
        case ast.Negative():
            return _wrap(f"-{expression(node.operand, 3)}", 3, least)
        case ast.Binary():
            binds, left, right = _BINDS[node.op]
            sign = node.op if node.op == "**" else f" {node.op} "
            whole = f"{expression(node.left, left)}{sign}{expression(node.right, right)}"
            return _wrap(whole, binds, least)


def _keyword(node: ast.Keyword) -> str:
    return f"{node.name} = {expression(node.value)}"


def _wrap(words: str, binds: int, least: int) -> str:
    return f"({words})" if binds < least else words

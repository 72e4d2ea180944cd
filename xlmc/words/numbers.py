"""The heads by which a decoder decides where tokens are missing, and how many."""

from collections.abc import Iterable

from xlmc.syntax import ast, query
from xlmc.words import terms

NUMBERS = ("count", "distribution", "rate")


def joint(head: str, family: ast.Family) -> bool:
    """Return whether a head of tokens learns one distribution over all gaps and tokens of a row."""
    parts = terms.objective(family).parts
    return any(part.joint for part in parts if part.term.head.id == head)


def learns(head: str, family: ast.Family) -> str:
    """Return what a head learns by its first term: see `Use.trains`; "" where it has none."""
    parts = terms.objective(family).parts
    return next((part.trains for part in parts if part.term.head.id == head), "")


def apart(head: str, family: ast.Family) -> bool:
    """Return whether a head of tokens learns one distribution of tokens for each gap."""
    parts = [part for part in terms.objective(family).parts if part.term.head.id == head]
    return any(part.trains == "token" for part in parts) and not joint(head, family)


def plain(action: ast.Insert, head: str, family: ast.Family) -> bool:
    """Return whether one token is inserted at a gap from the head's joint distribution."""
    alone = action.much.rule == "one" and action.much.rest is None
    return alone and action.order is None and not apart(head, family)


def of_gaps(family: ast.Family) -> list[str]:
    """Return the heads that predict how many tokens each gap misses."""
    return [head.name for head in _numbers(family) if _at_gaps(head)]


def of_masks(family: ast.Family) -> list[str]:
    """Return the heads that give the rates at which masks become tokens."""
    heads = [head for head in query.heads(family).values() if head.kind.id == "rate"]
    return [head.name for head in heads if query.read_at(head) == "tokens"]


def predicted(family: ast.Family) -> list[str]:
    """Return all heads of numbers."""
    return [head.name for head in _numbers(family)]


def inserting(section: ast.Section, family: ast.Family) -> list[str]:
    """Return the heads that amounts of a decoder's insertions may read, or of edits of a draft."""
    step = query.first(section.entries, ast.Step)
    insert = query.first(step.actions, ast.Insert) if step is not None else None
    if query.draft(family) is not None or (insert is not None and insert.what.id == "masks"):
        return [name for name in predicted(family) if name not in of_masks(family)]
    draw = query.first(step.actions, ast.Draw) if step is not None else None
    return readable(draw.head.id, family) if insert is not None and draw is not None else []


def readable(head: str, family: ast.Family) -> list[str]:
    """Return the heads that predict how many tokens gaps miss, to be read with a head of tokens.

    The number of a row does if the distribution of tokens shares it out over the gaps.
    """
    own = joint(head, family)
    return [one.name for one in _numbers(family) if own or _at_gaps(one)]


def read(value: ast.Expr | None, known: Iterable[str], lets: Iterable[ast.Let]) -> list[str]:
    """Return those of some heads that an amount reads, also by lets."""
    names = query.spoken([value], lets) if value is not None else set()
    return [name for name in known if name in names]


def weighing(much: ast.Much, head: str, section: ast.Section, family: ast.Family) -> str:
    """Return the head by whose numbers the gaps of a row are weighed.

    "" where the joint distribution of a head of tokens weighs them, or where nothing does.
    """
    paces, lets = [*query.paces(much)], query.those(section.entries, ast.Let)
    found = [name for one in paces for name in read(one.value, readable(head, family), lets)]
    if found or all(one.rule == "chance" for one in paces) or joint(head, family):
        return next(iter(found), "")
    return next(iter(of_gaps(family)), "")


def _numbers(family: ast.Family) -> list[ast.Head]:
    return [head for head in query.heads(family).values() if head.kind.id in NUMBERS]


def _at_gaps(head: ast.Head) -> bool:
    return query.read_at(head) == "gaps"

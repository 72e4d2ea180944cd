"""The network: backbone, attention and heads."""

import re
from collections.abc import Iterator
from keyword import iskeyword

from attrs import evolve

from xlmc import ast, query
from xlmc.check.noise import EXACT
from xlmc.check.words import one_of, reserved, word
from xlmc.errors import Diagnostic
from xlmc.expression import MathError
from xlmc.query import SPECIALS
from xlmc.refusals import (
    CausalBackbone,
    MissingEntry,
    NotLaidOut,
    NotPublished,
    NotUndone,
    SharedState,
    WrongCondition,
    WrongPath,
    WrongPlace,
    WrongShift,
)
from xlmc.survival import examine

BACKBONES = ("dit", "qwen2", "rotary")
ARGUMENTS = ("condition", "pretrained")
PUBLISHED = ("qwen2",)  # those that weights are published for
REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
KINDS = ("chance", "logits")
PLACES = ("tokens", "gaps")  # of logits
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Everything about the `network` section."""
    section = next((s for s in family.sections if s.kind == "network"), None)
    if section is None:
        return
    backbone = query.first(section.entries, ast.Backbone)
    if backbone is None:
        yield MissingEntry(
            span=section.span,
            entry="backbone",
            why="nothing turns tokens into hidden states",
            example="backbone rotary",
        )
    else:
        yield from _backbone(backbone, family)
    for attention in query.those(section.entries, ast.Attention):
        yield from one_of(attention.kind, ("full", "causal"), "a kind of attention")
        if attention.kind.id == "causal" and query.chain(family):
            yield CausalBackbone(span=attention.span)
    for head in query.heads(family).values():
        yield from _head(head, family)
    yield from _shifts(family)
    yield from _undone(family, section)


def _backbone(backbone: ast.Backbone, family: ast.Family) -> Iterator[Diagnostic]:
    if backbone.python is not None:
        path = backbone.python.value
        if not DOTTED.fullmatch(path) or any(map(iskeyword, re.split("[.:]", path))):
            yield WrongPath(span=backbone.python.span)
        return
    value = backbone.value
    if isinstance(value, ast.Name):
        yield from one_of(value, BACKBONES, "a backbone")
        return
    name = evolve(word(value, value.function), id=value.function + "'" * value.primes)
    yield from one_of(name, BACKBONES, "a backbone")
    for argument in value.arguments:
        yield WrongCondition(
            span=argument.span,
            name=argument.span.text,
            why="a backbone's arguments have names",
            hint=f"write `{value.function}(condition = t)`",
        )
    for keyword in value.keywords:
        yield from one_of(word(keyword, keyword.name), ARGUMENTS, "an argument of a backbone")
        if keyword.name == "condition":
            yield from _condition(keyword, value.function, family)
        elif keyword.name == "pretrained":
            yield from _pretrained(keyword, value.function)


def _pretrained(keyword: ast.Keyword, backbone: str) -> Iterator[Diagnostic]:
    value, why, hint = keyword.value, "", ""
    if backbone not in PUBLISHED:
        why, hint = f"`{backbone}` is this compiler's own", f"write `backbone {PUBLISHED[0]}(...)`"
    elif not isinstance(value, ast.String) or not REPOSITORY.fullmatch(value.value):
        why = "a repository of the Hub is named in quotes: OWNER/NAME"
        hint = "a folder is for a run to name: `--set model.pretrained=DIR`"
    if why:
        yield NotPublished(span=keyword.span, why=why, hint=hint)


def _condition(keyword: ast.Keyword, backbone: str, family: ast.Family) -> Iterator[Diagnostic]:
    value, text = keyword.value, keyword.value.span.text
    hint, amount = "drop the condition", query.amount(family)
    if not isinstance(value, ast.Name) or value.id not in ("t", "sigma"):
        yield WrongCondition(
            span=value.span,
            name=text,
            why="a condition is `t`, or `sigma`: -log of the survival",
            hint="write `condition = t`",
        )
    elif backbone != "dit":
        why = "the plain Transformer has no place for a condition"
        hint = f"write `backbone dit(condition = {text})`, or `backbone {backbone}`"
        yield WrongCondition(span=value.span, name=text, why=why, hint=hint)
    elif query.chain(family) == "gone":
        why = "what has been dropped tells no time: the decoder counts insertions"
        yield WrongCondition(span=value.span, name=text, why=why, hint=hint)
    elif amount is not None and amount.law.function == "fixed":
        why = "every example has the same amount of noise, and decoding passes through all others"
        yield WrongCondition(span=value.span, name=text, why=why, hint=hint)
    elif value.id == "sigma" and _reaches_zero(family):
        why = "the survival reaches 0 at t = 1, where sigma is infinite"
        yield WrongCondition(span=value.span, name=text, why=why, hint="write `condition = t`")


def _reaches_zero(family: ast.Family) -> bool:
    try:
        ends = [examine(arrow).end for arrow in query.arrows(family)]
        return any(end is not None and end < EXACT for end in ends)
    except MathError:
        return False  # the noise section says what is wrong with it


def _head(head: ast.Head, family: ast.Family) -> Iterator[Diagnostic]:
    yield from reserved(head.name, "a head", head)
    wrong = list(one_of(head.kind, KINDS, "a kind of head"))
    yield from wrong
    if wrong:
        return
    place = head.at
    if head.kind.id == "logits":
        if place is not None and place.id not in PLACES:
            good = "gaps" if query.chain(family) == "gone" else "tokens"
            yield WrongPlace(
                span=place.span,
                kind="logits",
                place=f"`{place.id}`",
                why="logits stand at `tokens` or at `gaps`",
                example=f"head {head.name} : logits at {good}",
            )
        return
    fixed = [special for special in SPECIALS if special not in ("pad", "mask")]
    if place is None or place.id not in fixed:
        yield WrongPlace(
            span=place.span if place else head.span,
            kind="a chance",
            place=f"`{place.id}`" if place else "every token",
            why="one chance for each row is read at one special token",
            example=f"head {head.name} : chance at cls",
        )
        return
    yield from _laid_out(head, place, family)


def _shifts(family: ast.Family) -> Iterator[Diagnostic]:
    """Shifted heads say tokens, all of them alike, of rows that begin with what is fixed."""
    heads = list(query.heads(family).values())
    tokens = [head for head in heads if head.kind.id == "logits" and head.at is not None]
    plain = [head for head in tokens if head.at and head.at.id == "tokens" and not head.shifted]
    for head in (one for one in heads if one.shifted):
        why = hint = ""
        if head not in tokens:
            why, hint = "one special token is read where it stands", "drop `shifted`"
        elif head.at is not None and head.at.id == "gaps":
            why = "a gap is read at the token to its left anyway"
            hint = "drop `shifted`"
        elif plain:
            why = f"`{plain[0].name}` is not, and a decoder reads all states of a row alike"
            hint = "shift both, or neither"
        if why:
            yield WrongShift(span=head.span, head=head.name, why=why, hint=hint)
            return
    for layout in query.layouts(family) if any(head.shifted for head in heads) else ():
        if layout.slots and layout.slots[0].free:
            yield SharedState(span=layout.slots[0].span, layout=layout.name)


def _laid_out(head: ast.Head, place: ast.Name, family: ast.Family) -> Iterator[Diagnostic]:
    for layout in query.layouts(family):
        number = sum(slot.name == place.id for slot in layout.slots)
        free = any(slot.name == place.id and slot.free for slot in layout.slots)
        if number != 1 or free:
            yield NotLaidOut(
                span=place.span,
                layout=layout.name,
                special=place.id,
                number=f"{number or 'no'} `{place.id}`" + ", which is predicted" * free,
                head=head.name,
            )


def _undone(family: ast.Family, section: ast.Section) -> Iterator[Diagnostic]:
    """Every arrow needs a head that can undo it."""
    wanted = {
        "mask": ("tokens", "head token : logits"),
        "gone": ("gaps", "head slot : logits at gaps"),
    }
    chain = query.chain(family)
    if chain not in wanted:
        return
    place, example = wanted[chain]
    places = [h.at.id for h in query.heads(family).values() if h.kind.id == "logits" and h.at]
    if place not in places and {*places} <= {*PLACES}:
        yield NotUndone(span=section.span, state=chain, example=example)

"""The network: backbone, attention and heads."""

import re
from collections.abc import Iterator
from keyword import iskeyword

from attrs import evolve

from xlmc.check.words import one_of, reserved, word
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    CausalBackbone,
    MissingEntry,
    NotLaidOut,
    NotPublished,
    NotUndone,
    SeesAhead,
    SharedState,
    Timeless,
    Unsupported,
    WrongCondition,
    WrongPath,
    WrongPlace,
    WrongShift,
    WrongSize,
)
from xlmc.syntax import ast, query
from xlmc.syntax.expression import MathError, literal
from xlmc.syntax.query import SPECIALS
from xlmc.theory.probe import exactly

BACKBONES = ("dit", "qwen2", "rotary")
ARGUMENTS = ("condition", "pretrained")
PUBLISHED = ("qwen2",)  # those that weights are published for
REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
KINDS = ("chance", "count", "distribution", "logits")
PLACES = ("tokens", "gaps")  # of logits
FIXED = tuple(special for special in SPECIALS if special not in ("pad", "mask"))
NOTHING = 1e-300  # a survival below it is 0 but for rounding
MOST = 100_000  # of the sizes of distributions
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
        if query.chain(family) == "both" and query.condition(family) is None:
            yield Timeless(span=backbone.span)
    for attention in query.those(section.entries, ast.Attention):
        yield from one_of(attention.kind, ("full", "causal"), "a kind of attention")
        if attention.kind.id == "causal" and query.chain(family) in ("mask", "gone", "both"):
            yield CausalBackbone(span=attention.span)
        elif attention.kind.id == "full" and query.chain(family) == "none":
            why = "every token is predicted from those before it"
            yield SeesAhead(span=attention.span, why=why, hint="write `attention causal`")
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
        yield from _one_way(value, value.id, family)
        return
    name = evolve(word(value, value.function), id=value.function + "'" * value.primes)
    yield from one_of(name, BACKBONES, "a backbone")
    yield from _one_way(name, value.function, family)
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


def _one_way(name: ast.Name, backbone: str, family: ast.Family) -> Iterator[Diagnostic]:
    """The other backbones see both sides."""
    if query.chain(family) == "none" and backbone in BACKBONES and backbone != "rotary":
        why = f"`{backbone}` sees both sides, as denoising needs"
        yield SeesAhead(span=name.span, why=why, hint="write `backbone rotary`")


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
    elif query.chain(family) == "none":
        why = "there is no noise, and so no time"
        yield WrongCondition(span=value.span, name=text, why=why, hint=hint)
    elif backbone != "dit":
        why = f"the network `{backbone}` of xlmc takes no condition"
        hint = f"write `backbone dit(condition = {text})`, or `backbone {backbone}`"
        yield WrongCondition(span=value.span, name=text, why=why, hint=hint)
    elif value.id == "sigma" and query.chain(family) == "both":
        why = "sigma is that of one clock, and there are two"
        yield WrongCondition(span=value.span, name=text, why=why, hint="write `condition = t`")
    elif query.chain(family) == "gone":
        why = "its decoders of insertions have no clock: they take one token after the other"
        what = "a condition under `clean -> gone`"
        yield Unsupported(span=value.span, what=what, why=why, hint=hint)
    elif amount is not None and amount.law.function == "fixed":
        why = "every example has the same amount of noise, and decoding passes through all others"
        yield WrongCondition(span=value.span, name=text, why=why, hint=hint)
    elif value.id == "sigma" and _reaches_zero(family):
        why = "the survival reaches 0 at t = 1, where sigma is infinite"
        yield WrongCondition(span=value.span, name=text, why=why, hint="write `condition = t`")


def _reaches_zero(family: ast.Family) -> bool:
    """Whether -log of a survival at t = 1 is no number, computed with many digits."""
    try:
        arrows = query.arrows(family)
        return any(exactly(arrow.value, {"t": 1.0}, {}) < NOTHING for arrow in arrows)
    except MathError:
        return False  # the noise section says what is wrong with it


def _head(head: ast.Head, family: ast.Family) -> Iterator[Diagnostic]:
    kind = "a head" if head.kind.id == "logits" else "a head of a number"
    yield from reserved(head.name, kind, head)
    wrong = list(one_of(head.kind, KINDS, "a kind of head"))
    yield from wrong
    if wrong:
        return
    yield from _size(head)
    chain, place = query.chain(family), head.at
    if head.kind.id == "logits":
        if place is not None and place.id not in PLACES:
            good = "gaps" if chain == "gone" else "tokens"
            yield WrongPlace(
                span=place.span,
                kind="logits",
                place=f"`{place.id}`",
                why="xlmc reads logits at `tokens` or at `gaps`",
                example=f"head {head.name} : logits at {good}",
            )
        return
    if head.kind.id == "count" or (head.kind.id == "distribution" and chain == "both"):
        yield from _of_gaps(head, chain)
        return
    if place is None or place.id not in FIXED:
        kind = "a chance" if head.kind.id == "chance" else "a distribution"
        size = f"({head.size.span.text})" if head.size is not None else ""
        yield WrongPlace(
            span=place.span if place else head.span,
            kind=kind,
            place=f"`{place.id}`" if place else "every token",
            why=f"xlmc reads one {kind.split()[1]} for each row, at one special token",
            example=f"head {head.name} : {head.kind.id}{size} at cls",
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
        if query.chain(family) == "none":
            why = "a token is read at the one before it anyway"
            hint = "drop `shifted`"
        elif head not in tokens:
            why, hint = "one special token is read where it stands", "drop `shifted`"
        elif head.at is not None and head.at.id == "gaps":
            why = "a gap is read at the token to its left anyway"
            hint = "drop `shifted`"
        elif query.chain(family) == "both":
            why = "masks are inserted to the right of the token that would have to say them"
            hint = "drop `shifted`"
        elif plain:
            why = f"`{plain[0].name}` is not, and xlmc reads all states of a row alike"
            hint = "shift both, or neither"
        if why:
            yield WrongShift(span=head.span, head=head.name, why=why, hint=hint)
            return
    for layout in query.layouts(family) if any(head.shifted for head in heads) else ():
        if layout.slots and layout.slots[0].free:
            yield SharedState(span=layout.slots[0].span, layout=layout.name)


def _size(head: ast.Head) -> Iterator[Diagnostic]:
    """A distribution says up to which number; other heads have no size."""
    kind, size = head.kind.id, head.size
    value = literal(size) if size is not None else None
    problem = why = hint = ""
    if kind != "distribution":
        if size is not None:
            problem, why, hint = f"`{kind}` has no size", "a number too much", "drop it"
    elif value is None or value < 1 or value != int(value):
        problem, why = "a distribution of numbers has a largest one", "which one?"
        hint = f"write `head {head.name} : distribution(64)`"
    elif value > MOST:
        problem, why = "this distribution is too large", f"xlmc takes at most {MOST} numbers"
        hint = "`count at gaps` has no largest number"
    if problem:
        yield WrongSize(span=(size or head).span, problem=problem, why=why, hint=hint)


def _of_gaps(head: ast.Head, chain: str) -> Iterator[Diagnostic]:
    """A number for every gap, which only a decoder that inserts masks reads."""
    place = head.at
    if chain in ("mask", "gone"):
        why = "xlmc inserts by number only masks, under `mask -> gone`"
        good = "logits at gaps" if chain == "gone" else "logits"
    elif place is None or place.id != "gaps":
        why, good = (
            "xlmc reads numbers of missing tokens at the gaps",
            f"{head.kind.id} at gaps",
        )
    else:
        return
    size = f"({head.size.span.text})" if head.size is not None else ""
    yield WrongPlace(
        span=place.span if place else head.span,
        kind=f"a {head.kind.id}",
        place=f"`{place.id}`" if place else "every token",
        why=why,
        example=f"head {head.name} : {good.replace('distribution', 'distribution' + size)}",
    )


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


UNDONE = {  # state -> what its head gives, and where
    "mask": (("logits",), "tokens", "head token : logits"),
    "gone": (("logits",), "gaps", "head slot : logits at gaps"),
    "both": (("count", "distribution"), "gaps", "head gap : count at gaps"),
}


def _undone(family: ast.Family, section: ast.Section) -> Iterator[Diagnostic]:
    """Every arrow needs a head that can undo it."""
    chain, heads = query.chain(family), query.heads(family).values()
    if chain == "none" and not heads:
        yield MissingEntry(
            span=section.span,
            entry="head",
            why="nothing is predicted",
            example="head token : logits",
        )
    known = {(h.kind.id, h.at.id) for h in heads if h.at is not None}
    if not {place for kind, place in known if kind == "logits"} <= {*PLACES}:
        return  # that is what is wrong
    states = {"both": ("mask", "both"), "none": (), "": ()}
    for state in states.get(chain, (chain,)):
        kinds, place, example = UNDONE[state]
        if not known & {(kind, place) for kind in kinds}:
            gone = "gone" if state == "both" else state
            yield NotUndone(
                span=section.span,
                what="how many tokens are gone"
                if state == "both"
                else f"what the {gone} tokens were",
                state=gone,
                example=example,
            )

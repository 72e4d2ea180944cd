"""The network: backbone, attention and heads."""

import re
from collections.abc import Iterator, Sequence
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
    RatiosVanish,
    SeesAhead,
    SharedState,
    Timeless,
    WrongCondition,
    WrongPath,
    WrongShift,
)
from xlmc.syntax import ast, query
from xlmc.syntax.expression import MathError
from xlmc.theory.environment import reads
from xlmc.theory.probe import exactly
from xlmc.theory.process import Process
from xlmc.words import arrows, decoding, terms
from xlmc.words.heads.base import FIXED
from xlmc.words.slots import backbone_words, head_words, of_tokens

ARGUMENTS = ("condition", "pretrained")
REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
NOTHING = 1e-300  # a survival below it is 0 but for rounding
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check the `network` section."""
    section = next((s for s in family.sections if s.kind == "network" and not s.name), None)
    if section is None:
        return
    backbone, process = query.first(section.entries, ast.Backbone), Process.of(family)
    if backbone is None:
        yield MissingEntry(
            span=section.span,
            entry="backbone",
            why="nothing maps tokens to hidden states",
            example="backbone rotary",
        )
    else:
        yield from _backbone(backbone, family)
        if _needs_time(family) and query.condition(family) is None:
            why = "the time decides how many tokens were dropped"
            if process.replaces:
                why = "the time decides how likely a token is to be random"
            if process.learned:
                why = "the time decides which tokens are still masks, as their clocks differ"
            yield Timeless(span=backbone.span, why=why)
    for attention in query.those(section.entries, ast.Attention):
        yield from one_of(attention.kind, ("full", "causal", "blockwise"), "a kind of attention")
        if attention.kind.id == "causal" and process.clocks:
            yield CausalBackbone(span=attention.span)
        elif attention.kind.id == "full" and process.ordered:
            why = "every token is predicted from those before it"
            yield SeesAhead(span=attention.span, why=why, hint="write `attention causal`")
    for head in query.heads(family).values():
        yield from _head(head, family)
    yield from _shifts(family)
    yield from _undone(family, section)


def _needs_time(family: ast.Family) -> bool:
    """Return whether answers depend on a number that no row shows: of gone or random tokens.

    A rate is such a number; so is a distribution over numbers, where a decoder reads both it and
    the time.
    """
    process, parts = Process.of(family), terms.objective(family).parts
    if process.timed:
        return True
    rates = any(part.trains == "rate" for part in parts)
    laws = {part.term.head.id for part in parts if part.trains in ("number", "numbers")}
    return process.drops and (rates or any(laws & one for one in _timed(family)))


def _timed(family: ast.Family) -> Iterator[set[str]]:
    """Yield the names that each amount of insertions reads together with the time."""
    for section in query.decoders(family):
        env, step = decoding.environment(section, family), query.first(section.entries, ast.Step)
        for action in query.those(step.actions, ast.Insert) if step is not None else ():
            found = (reads(value, env) for value in query.amounts(action))
            yield from (names for names in found if "t" in names)


def _backbone(backbone: ast.Backbone, family: ast.Family) -> Iterator[Diagnostic]:
    if backbone.python is not None:
        path = backbone.python.value
        if not DOTTED.fullmatch(path) or any(map(iskeyword, re.split("[.:]", path))):
            yield WrongPath(span=backbone.python.span)
        return
    value = backbone.value
    if isinstance(value, ast.Name):
        yield from one_of(value, _of_rows(value.id), "a backbone")
        yield from _one_way(value, value.id, family)
        yield from _adapted(value, value.id, ())
        return
    name = evolve(word(value, value.function), id=value.function + "'" * value.primes)
    yield from one_of(name, _of_rows(value.function), "a backbone")
    yield from _one_way(name, value.function, family)
    if all(keyword.name != "pretrained" for keyword in value.keywords):
        yield from _adapted(value, value.function, value.arguments)
    words = backbone_words()
    adapted = value.function in words and words[value.function].adapted
    for argument in () if adapted else value.arguments:
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


def _of_rows(found: str) -> list[str]:
    """Return the backbones that read a whole row, and the one that is there, refused elsewhere."""
    return [name for name, word in backbone_words().items() if not word.alone or name == found]


def _adapted(value: ast.Expr, backbone: str, arguments: Sequence[ast.Node]) -> Iterator[Diagnostic]:
    """Check that an architecture of transformers is named by its weights, and no other is."""
    words = backbone_words()
    if backbone not in words or not words[backbone].adapted:
        return
    named = arguments[0] if len(arguments) == 1 else None
    if not isinstance(named, ast.String) or not named.value.strip() or "\n" in named.value:
        why = (
            "the weights set the architecture: name a repository of the Hub or a folder, in quotes"
        )
        yield NotPublished(span=value.span, why=why, hint=f"write `{words[backbone].example}`")


def _pretrained(keyword: ast.Keyword, backbone: str) -> Iterator[Diagnostic]:
    value, why, hint = keyword.value, "", ""
    words = backbone_words()
    if backbone in words and words[backbone].adapted:
        why = f"`{backbone}` names its weights without a keyword"
        hint = f"write `{words[backbone].example}`"
    elif backbone not in words or not words[backbone].published:
        other = next(name for name, one in words.items() if one.published and not one.adapted)
        why, hint = f"`{backbone}` is this compiler's own", f"write `backbone {other}(...)`"
    elif not isinstance(value, ast.String) or not REPOSITORY.fullmatch(value.value):
        why = 'only a repository of the Hub, "OWNER/NAME", may stand here'
        hint = "for weights in a local folder, run with `--set model.pretrained=DIR`"
    if why:
        yield NotPublished(span=keyword.span, why=why, hint=hint)


def _one_way(name: ast.Name, backbone: str, family: ast.Family) -> Iterator[Diagnostic]:
    """Report a backbone that sees both sides in a left-to-right family."""
    words = backbone_words()
    if Process.of(family).ordered and backbone in words and words[backbone].causal is None:
        why = "without noise tokens are predicted left to right, and "
        why += f"`{backbone}` also attends to the right"
        other = next(name for name, word in words.items() if word.caching is not None)
        yield SeesAhead(
            span=name.span, why=why, hint=f"write `backbone {other}`: it is causal here"
        )


def _condition(keyword: ast.Keyword, backbone: str, family: ast.Family) -> Iterator[Diagnostic]:
    value, text = keyword.value, keyword.value.span.text
    hint, process = "drop the condition", Process.of(family)
    words = backbone_words()
    if not isinstance(value, ast.Name) or value.id not in ("t", "sigma"):
        yield WrongCondition(
            span=value.span,
            name=text,
            why="a condition is `t`, or `sigma`: -log of the survival",
            hint="write `condition = t`",
        )
    elif process.known and not process.clocks:
        why = "there is no noise, and so no time"
        yield WrongCondition(span=value.span, name=text, why=why, hint=hint)
    elif backbone not in words or words[backbone].conditioned is None:
        other = next(name for name, word in words.items() if word.conditioned is not None)
        why = f"the network `{backbone}` of xlmc takes no condition"
        hint = f"write `backbone {other}(condition = {text})`, or `backbone {backbone}`"
        yield WrongCondition(span=value.span, name=text, why=why, hint=hint)
    elif value.id == "sigma" and process.struck:
        why = "sigma is that of a survival, and tokens compete for events here"
        yield WrongCondition(span=value.span, name=text, why=why, hint="write `condition = t`")
    elif value.id == "sigma" and process.clocks > 1:
        why = "sigma is that of one clock, and there are two"
        yield WrongCondition(span=value.span, name=text, why=why, hint="write `condition = t`")
    elif process.amount is not None and process.amount.law.function == "fixed":
        why = "every example has the same amount of noise, and decoding passes through all others"
        yield WrongCondition(span=value.span, name=text, why=why, hint=hint)
    elif value.id == "sigma" and _reaches_zero(family):
        why = "the survival reaches 0 at t = 1, where sigma is infinite"
        yield WrongCondition(span=value.span, name=text, why=why, hint="write `condition = t`")


def _reaches_zero(family: ast.Family) -> bool:
    """Return whether -log of a survival at t = 1 is infinite, computed with many digits."""
    try:
        arrows = query.arrows(family)
        return any(exactly(arrow.value, {"t": 1.0}, {}) < NOTHING for arrow in arrows)
    except MathError:
        return False  # the noise section says what is wrong with it


def _head(head: ast.Head, family: ast.Family) -> Iterator[Diagnostic]:
    words, process = head_words(), Process.of(family)
    known = words.get(head.kind.id)
    number = known is None or known.number
    yield from reserved(head.name, "a head of a number" if number else "a head", head)
    good = [one for one, word in words.items() if not word.clocks or one == head.kind.id]
    yield from one_of(head.kind, good, "a kind of head")
    if known is None:
        return
    yield from known.check(head, process)
    if known.ratios and process.replaces and _reaches_zero(family):
        yield RatiosVanish(span=head.span, head=head.name)
    if head.at is not None and head.at.id in FIXED and known.place(process).holds(head.at):
        yield from _laid_out(head, head.at, family)


def _shifts(family: ast.Family) -> Iterator[Diagnostic]:
    """Check shifted heads: all heads of tokens or none, in rows that begin with a fixed token."""
    heads, process = list(query.heads(family).values()), Process.of(family)
    tokens = [head for head in heads if of_tokens(head) and head.at is not None]
    plain = [head for head in tokens if head.at and head.at.id == "tokens" and not head.shifted]
    for head in (one for one in heads if one.shifted):
        why = hint = ""
        if process.ordered:
            why = "a token is read at the one before it anyway"
            hint = "drop `shifted`"
        elif head not in tokens:
            why, hint = "a special token is read at its own place", "drop `shifted`"
        elif query.read_at(head) == "gaps":
            why = "a gap is read at the token to its left anyway"
            hint = "drop `shifted`"
        elif plain:
            why = f"`{plain[0].name}` is not shifted, and xlmc reads all heads of tokens alike"
            hint = "shift both, or neither"
        if why:
            yield WrongShift(span=head.span, head=head.name, why=why, hint=hint)
            return
    for layout in query.layouts(family) if any(head.shifted for head in heads) else ():
        if layout.slots and layout.slots[0].free:
            yield SharedState(span=layout.slots[0].span, layout=layout.name)


def _laid_out(head: ast.Head, place: ast.Name, family: ast.Family) -> Iterator[Diagnostic]:
    """Check that a head of one special token has it once in every row, fixed and never cut."""
    for layout in query.layouts(family):
        names = [slot.name for slot in layout.slots]
        number = names.count(place.id)
        free = any(slot.name == place.id and slot.free for slot in layout.slots)
        fault = ""
        if number != 1 or free:
            fault = f"{number or 'no'} `{place.id}`" + ", which is predicted" * free
        elif place.id == "eos" and "body" in names[: names.index("eos")]:
            fault = "no `eos` in the row of a text that is cut"
        if fault:
            hint = f"put one `{place.id}` into the layout, outside the brackets"
            if place.id == "eos":
                hint = "read it at another special token, as `at cls`"
            yield NotLaidOut(
                span=place.span,
                layout=layout.name,
                special=place.id,
                number=fault,
                head=head.name,
                hint=hint,
            )


def _undone(family: ast.Family, section: ast.Section) -> Iterator[Diagnostic]:
    """Check that every arrow has a head that can undo it."""
    process, heads = Process.of(family), query.heads(family).values()
    if process.ordered and not heads:
        yield MissingEntry(
            span=section.span,
            entry="head",
            why="nothing is predicted",
            example="head token : logits",
        )
    known = {(h.kind.id, h.at.id) for h in heads if h.at is not None}
    if not {h.at.id for h in heads if of_tokens(h) and h.at is not None} <= {"tokens", "gaps"}:
        return  # that is what is wrong
    for step in process.life or ():
        undoing = {(one.head, one.place) for one in terms.possible(process) if one.undoes == step}
        last = process.life is not None and step == process.life[-1]
        word = arrows.sound(process) if last else arrows.of_step(step)
        if not known & undoing:
            yield NotUndone(span=section.span, what=word.lost, state=step[1], example=word.head)

"""The layouts: brackets, prompts, specials and padding."""

from collections.abc import Iterator

from xlmc.check.words import one_of, word
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    AnchorAndTarget,
    MissingEntry,
    NoAnchor,
    WrongBrackets,
    WrongInside,
    WrongKeeping,
    WrongPadding,
    WrongPrompt,
)
from xlmc.syntax import ast, query
from xlmc.syntax.query import SPECIALS
from xlmc.theory.process import Process
from xlmc.words.layouts.base import kept as kept_by
from xlmc.words.layouts.base import plain
from xlmc.words.slots import layout_words

SLOTS = ("bos", "cls", "eos", "pad", "prompt", "body")


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check the `collate` section."""
    section = next((s for s in family.sections if s.kind == "collate"), None)
    if section is None:
        return
    layouts, process = query.layouts(family), Process.of(family)
    if not layouts:
        yield MissingEntry(
            span=section.span,
            entry="layout",
            why="there is no layout of a sequence",
            example=layout_words()["text"].written(process),
        )
    for layout in layouts:
        yield from _layout(layout, process)
    for pad in query.those(section.entries, ast.Pad):
        for side in pad.sides:
            yield from _side(side)


def _layout(layout: ast.Layout, process: Process) -> Iterator[Diagnostic]:
    yield from one_of(word(layout, layout.name), layout_words(), "a layout")
    for slot in layout.slots:
        if slot.name == "mask":
            yield WrongInside(
                span=slot.span,
                slot="mask",
                why="masks are made by the noise: they are no part of a layout",
                hint="drop it",
            )
        else:
            yield from one_of(ast.Name(slot.name, span=slot.span), SLOTS, "a part of a layout")
    yield from _brackets(layout, process)
    yield from _prompt(layout)
    yield from _inside(layout, process)
    yield from _twice(layout)
    yield from _keeping(layout, process)


def _written(layout: ast.Layout, process: Process) -> str:
    """Return a layout as it should be."""
    known = layout_words().get(layout.name)
    return known.written(process) if known else plain(layout.name, process)


def _brackets(layout: ast.Layout, process: Process) -> Iterator[Diagnostic]:
    flags = [slot.free for slot in layout.slots]
    pairs = sum(b and not a for a, b in zip([False, *flags], flags, strict=False))
    bodies = [slot for slot in layout.slots if slot.name == "body"]
    why = ""
    if pairs != 1:
        why = f"it has {pairs or 'none'}"
    elif len(bodies) != 1:
        why = f"it has {len(bodies) or 'no'} `body`"
    elif not bodies[0].free:
        why = "the body is outside of them"
    if why:
        example = _written(layout, process)
        yield WrongBrackets(span=layout.span, layout=layout.name, why=why, example=example)


def _prompt(layout: ast.Layout) -> Iterator[Diagnostic]:
    prompts = [i for i, slot in enumerate(layout.slots) if slot.name == "prompt"]
    bracket = next((i for i, slot in enumerate(layout.slots) if slot.free), len(layout.slots))
    why = hint = ""
    own = next(one for one in layout_words().values() if one.prompts)
    if layout.name == own.name and len(prompts) != 1:
        why, hint = f"a {own.name} layout has one prompt", f"write `{own.example}`"
    elif layout.name != own.name and prompts:
        why, hint = f"in xlmc only a {own.name} layout has a prompt", "drop `prompt`"
    elif prompts and prompts[0] > bracket:
        why, hint = "a prompt comes before the brackets", "move `prompt` to the front"
    elif prompts and layout.slots[prompts[0]].free:
        why, hint = "a prompt is fixed: it belongs outside the brackets", "move it out"
    if why:
        span = layout.slots[prompts[-1]].span if prompts else layout.span
        yield WrongPrompt(span=span, layout=layout.name, why=why, hint=hint)


def _inside(layout: ast.Layout, process: Process) -> Iterator[Diagnostic]:
    inside = [slot for slot in layout.slots if slot.free]
    for i, slot in enumerate(inside):
        why = hint = ""
        opened = any(before.name in ("bos", "cls") for before in inside[:i])
        if i and slot.name == "body" and not opened:
            why, hint = "the body comes first inside the brackets", "move it to the front"
        elif slot.name == "pad" and i + 1 < len(inside):
            why, hint = "padding fills the brackets up, and comes last", "move it to the end"
        elif slot.name == "pad" and process.drops:
            why, hint = (
                "xlmc neither drops nor inserts padding",
                "drop it: rows may have any length",
            )
        elif slot.name == "pad" and process.ordered:
            why, hint = (
                "a row ends at its `eos`: nothing follows it",
                "drop it: rows may have any length",
            )
        elif slot.name in ("bos", "cls"):
            why, hint = "it opens a sequence, and is never predicted", "move it out of the brackets"
        elif slot.name == "pad" and "eos" not in {s.name for s in inside}:
            why, hint = "without an `eos` nothing shows where a text ends", "write `[body eos pad]`"
        if why:
            yield WrongInside(span=slot.span, slot=slot.name, why=why, hint=hint)
    for slot in layout.slots:
        if slot.name == "pad" and not slot.free:
            why = "padding outside the brackets is put there by `pad`"
            yield WrongInside(span=slot.span, slot="pad", why=why, hint="drop it")
    if process.drops and layout.slots and layout.slots[0].free:
        yield NoAnchor(
            span=layout.slots[0].span,
            what="the gap before the body",
            why="insertions are read at the token left of a gap",
            example=f"{layout.name} : bos [body]",
        )
    elif process.rightward:
        yield from _ends_open(layout, process)


def _ends_open(layout: ast.Layout, process: Process) -> Iterator[Diagnostic]:
    """Check that appended tokens follow a special, as prompts may be empty, and come last."""
    free = [i for i, slot in enumerate(layout.slots) if slot.free]
    if not free:
        return
    before, after = layout.slots[: free[0]], layout.slots[free[-1] + 1 :]
    why = (
        "a block follows a token"
        if process.blocked
        else "a token is predicted at the one before it"
    )
    if not any(slot.name in SPECIALS for slot in before):
        yield NoAnchor(
            span=layout.slots[free[0]].span,
            what="the first token of the body",
            why=why + ", and a prompt may be empty",
            example=_written(layout, process),
        )
    for slot in after:
        if slot.name in SPECIALS:
            why = "the body grows at its right end: nothing may follow it"
            inside = f"[body {slot.name}{' pad' * process.blocked}]"
            hint = f"move it into the brackets: `{inside}`" if slot.name == "eos" else "drop it"
            yield WrongInside(span=slot.span, slot=slot.name, why=why, hint=hint)


def _twice(layout: ast.Layout) -> Iterator[Diagnostic]:
    free = {slot.name for slot in layout.slots if slot.free}
    seen: set[str] = set()
    for slot in layout.slots:
        if not slot.free and slot.name in free and slot.name not in ("body", "pad"):
            yield AnchorAndTarget(span=slot.span, layout=layout.name, special=slot.name)
        elif slot.name in seen and slot.name not in ("body", "prompt"):
            why = "this layout has one already"
            yield WrongInside(span=slot.span, slot=slot.name, why=why, hint="drop one of the two")
        seen.add(slot.name)


def _keeping(layout: ast.Layout, process: Process) -> Iterator[Diagnostic]:
    kept, known = kept_by(process), layout_words().get(layout.name)
    keeps = known is not None and known.keeps
    if layout.keeping is None:
        if keeps:
            yield WrongKeeping(
                span=layout.span,
                problem="this layout does not name the tokens that it keeps",
                why="in infilling some tokens are given",
                hint=f"add `keeping {kept}`",
            )
        return
    if (layout.keeping.id, kept) == ("given", "prefix"):
        yield WrongKeeping(
            span=layout.keeping.span,
            problem="only the beginning of a body can be given",
            why="given tokens further on are not visible when the tokens before them are drawn",
            hint="write `keeping prefix`",
        )
    else:
        yield from one_of(layout.keeping, ("given", "prefix"), "a kind of tokens to keep")
    if not keeps:
        yield WrongKeeping(
            span=layout.keeping.span,
            problem="in xlmc only an infilling layout keeps given tokens",
            why=f"`{layout.name}` has nothing given",
            hint=f"drop `keeping {layout.keeping.id}`",
        )


def _side(side: ast.Side) -> Iterator[Diagnostic]:
    wrong = list(one_of(side.part, ("body", "prompt"), "a part that is padded"))
    wrong += one_of(side.side, ("left", "right"), "a side")
    yield from wrong
    if not wrong and (side.part.id, side.side.id) == ("body", "left"):
        yield WrongPadding(
            span=side.span,
            part="body",
            side="left",
            why="xlmc keeps the first token of a body at one place, behind its anchor",
        )

"""The layouts."""

from collections.abc import Iterator

from xlmc.lower import ir
from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words import slots
from xlmc.words.slots import layout_words


def collate(family: ast.Family) -> ir.Collate:
    """Build `collate.py`."""
    pad = query.the(query.entries(family, "collate"), ast.Pad)
    left = {(side.part.id, side.side.id) for side in pad.sides}
    return ir.Collate(
        tuple(
            _layout(layout, family, ("prompt", "left") in left) for layout in query.layouts(family)
        )
    )


def _layout(layout: ast.Layout, family: ast.Family, left: bool) -> ir.Layout:
    names = [slot.name for slot in layout.slots]
    free = [i for i, slot in enumerate(layout.slots) if slot.free]
    start, stop = free[0], free[-1] + 1
    inside = tuple(names[start:stop])
    ends = "eos" in names[names.index("body") :]
    behind = ", *after" if names[stop:] else ""
    alone = ends and names[stop:] == ["eos"]  # nothing else is behind the brackets
    begins = layout.keeping is not None and layout.keeping.id == "prefix"
    return ir.Layout(
        name=layout.name,
        klass=layout.name.capitalize(),
        text=_text(layout),
        detail="A text whose beginning is given" if begins else layout_words()[layout.name].detail,
        parts=tuple(names),
        before=tuple(map(_part, names[:start])),
        inside=tuple(_part(name, ends=ends) for name in inside if name != "pad"),
        after=() if alone else tuple(_part(name, ends=ends) for name in names[stop:]),
        predicts=tuple(name for name in inside if name != "body"),
        fills="pad" in inside,
        keeps=layout.keeping is not None,
        begins=begins,
        end=("after" if alone else "end") if ends else "",
        ids=f"*before, *inside{behind}",
        given=tuple(_conditions(layout, family)),
        left=left and "prompt" in names[:start],
    )


def _part(name: str, *, ends: bool = False) -> str:
    """Return the code of a part of a row; ``ends``: an `eos` is where the body ends, if it does."""
    if name in ("prompt", "body"):
        return f"*example.{name}"
    return "*end" if name == "eos" and ends else f'self.vocab["{name}"]'


def _conditions(layout: ast.Layout, family: ast.Family) -> Iterator[str]:
    """Yield the conditions of a layout's likelihood, among them a draft that rows bring."""
    yield from given(layout, Process.of(family), sized=query.sized(family) is not None)
    law = slots.law_of_draft(family)
    if law is not None and law.brought:
        yield "draft"


def given(layout: ast.Layout, process: Process, *, sized: bool = False) -> Iterator[str]:
    """Yield the conditions of a layout's likelihood, in the words of `plug.Layout.given`.

    Masks leave a body as long as it is, so that its length is known, unless padding fills the
    brackets; what is written from left to right has the length that its `eos` gives it; insertions
    pay for theirs. `end`: an `eos` that nothing hides, or a row that is full, shows the end.
    """
    names = [slot.name for slot in layout.slots]
    inside = {slot.name for slot in layout.slots if slot.free}
    ends = "eos" in names[names.index("body") :]
    if "prompt" in names:
        yield "prompt"
    if layout.keeping is not None:
        yield "tokens"
    if process.ordered:
        if "eos" not in inside:
            yield "length"
    elif process.holds_places and "pad" not in inside and not sized:
        yield "length"
    elif (process.holds_places and not sized) or ends:
        yield "end"


def _text(layout: ast.Layout) -> str:
    words = []
    for i, slot in enumerate(layout.slots):
        opens = slot.free and (i == 0 or not layout.slots[i - 1].free)
        closes = slot.free and (i + 1 == len(layout.slots) or not layout.slots[i + 1].free)
        words.append("[" * opens + slot.name + "]" * closes)
    keeping = f" keeping {layout.keeping.id}" if layout.keeping is not None else ""
    return " ".join(words) + keeping

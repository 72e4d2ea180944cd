"""The edits of a step that reveals masks: their places, and the canvas after them."""

from collections.abc import Iterable, Iterator

from xlmc.calculus.code import Code, built
from xlmc.lower import ir, orders, parts
from xlmc.lower.parts import Lines
from xlmc.lower.pieces import POSITIONS, Maker, line
from xlmc.words.actions.edit import CANDIDATES, Edit


def candidates(decoder: ir.Decoder) -> Iterator[tuple[str, Code]]:
    """Yield the places among which the edits choose, the masks apart."""
    chosen = {edit.word.chooses for edit in decoder.edits}
    if chosen & {"tokens", "all"}:
        blocks = decoder.blocks
        written = blocks.written if blocks is not None else built("canvas.free & ~masked")
        if decoder.extends is not None:
            written = built("last_block(canvas, {}) & ~masked", decoder.extends)
        yield "written", built("unsettled(canvas, {})", written) if decoder.settles else written
    if "all" in chosen:
        yield line(CANDIDATES["all"], "masked | written")


def applied(edits: Iterable[ir.Edit]) -> str:
    """Return the code of the canvas after some edits."""
    made = "canvas"
    for edit in edits:
        made = edit.made(made)
    return made


def looked(maker: Maker) -> Lines:
    """Return the places of edits that are chosen by an answer which has just been read."""
    late = [edit for edit in maker.decoder.edits if edit.looks]
    found = [line("now", "logits[written[looked]]")] if late else []
    for edit in late:
        draw = maker.decoder.draw
        found += revised(maker, edit, draw, "now") if edit.word.revises else orders.edited(edit)
    return (*found,)


def revised(
    maker: Maker, edit: ir.Edit, draw: ir.Sampler, logits: str
) -> Iterator[tuple[str, Code]]:
    """Yield the tokens that are drawn where some are, and the places that they replace."""
    u = f'noise.uniform("{edit.word.verb}", {POSITIONS})[written]'
    yield line("fresh", "{}", maker.drawn(draw, logits, u))
    yield line(orders.OTHER, "written.masked_scatter(written, fresh != canvas.x[written])")
    yield edit.word.places, orders.replaced(edit, logits)


def edited(maker: Maker) -> tuple[parts.Edited, ...]:
    """Return the edits that read the network's answer."""
    words = [edit.word for edit in maker.decoder.edits if edit.word.reads]
    return tuple(_edited(word, maker) for word in words)


def _edited(word: Edit, maker: Maker) -> parts.Edited:
    u = f'noise.uniform("{word.name}_token", {POSITIONS})[{word.places}]'
    logits = f"logits[{word.places}[looked]]"
    token = maker.drawn(maker.decoder.draw, logits, u)
    return parts.Edited(word.places, built(logits), token, word.partial)

"""The blocks of the noise: that they can be made, and that the rest of the family fits them."""

from collections.abc import Iterator

from xlmc.check.rules import at_least_one
from xlmc.check.scope import known
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    MissingEntry,
    Unsupported,
    WrongBlocks,
    WrongInside,
)
from xlmc.syntax import ast, query
from xlmc.theory.environment import environment
from xlmc.theory.instances import instances
from xlmc.theory.process import Process
from xlmc.words import slots
from xlmc.words.last import reveals_all
from xlmc.words.slots import backbone_words

EXAMPLE = "write `param block : Size = 16` and `blocks block`"


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check the blocks of a noise that has some, and all that reads them."""
    entries, process = query.entries(family, "noise"), Process.of(family)
    yield from _attention(family, process)
    blocks = query.first(entries, ast.Blocks)
    if blocks is None:
        return
    if process.known and process.life != (("clean", "mask"),):
        yield WrongBlocks(span=blocks.span, why=_no_part(process), hint="drop the blocks")
        return
    env = environment(entries, "in the size of a block", {}, {}, ())
    wrong = list(known(blocks.size, env))
    yield from wrong or at_least_one(blocks.size, env, what="size of a block", hint=EXAMPLE)
    yield from _drawn(family)
    yield from _backbone(family)
    yield from _weights(family)
    for layout in query.layouts(family):
        yield from _layout(layout)
    for section in query.decoders(family) if process.known else ():
        yield from _decoder(section, family)


def _no_part(process: Process) -> str:
    """Return why the rows of a process have no blocks with noise of their own."""
    if process.ordered:
        return "nothing is corrupted: a token is predicted from those before it"
    if process.permuted:
        return "nothing is corrupted: no block has an amount of noise"
    if process.replaces:
        return "xlmc knows blocks of masks alone: nothing shows when a block is done"
    return "a token that is gone has no place in a block"


def _attention(family: ast.Family, process: Process) -> Iterator[Diagnostic]:
    """Check that attention is by blocks if and only if the noise is."""
    for one in query.those(query.entries(family, "network"), ast.Attention):
        if one.kind.id == "blockwise" and process.known and not process.blocked:
            why, example = "attention goes by the blocks of the noise", "blocks 16"
            yield MissingEntry(
                span=one.span, owner="noise", entry="blocks", why=why, example=example
            )
        elif one.kind.id == "full" and process.blocked:
            why = "a block is answered in view of those before it, and of none that follows"
            hint = "write `attention blockwise`, or drop the `blocks` of the noise"
            yield _unsupported(one, "full attention under `blocks`", why, hint)


def _unsupported(node: ast.Node, what: str, why: str, hint: str) -> Diagnostic:
    return Unsupported(span=node.span, what=what, why=why, hint=hint)


def _drawn(family: ast.Family) -> Iterator[Diagnostic]:
    amount = query.amount(family)
    if amount is not None and amount.spread is not None:
        why = "each block draws its own amount, and xlmc can stratify only one amount for each row"
        hint = f"drop `{amount.spread.id}`"
        yield _unsupported(amount.spread, "spread amounts under `blocks`", why, hint)


def _backbone(family: ast.Family) -> Iterator[Diagnostic]:
    entries = query.entries(family, "network")
    backbone = query.first(entries, ast.Backbone)
    if backbone is None:
        return
    words = backbone_words()
    word = words.get(query.backbone(family))
    good = " or ".join(f"`backbone {name}`" for name, one in words.items() if one.blockwise)
    if backbone.python is not None or (word is not None and word.blockwise is None):
        why = "it has no attention from noised blocks to the clean ones before them"
        yield _unsupported(backbone, "`blocks` with this backbone", why, f"write {good}")
    elif (condition := query.condition(family)) is not None:
        why = "the backbone reads one time for a row, but every block has its own"
        yield _unsupported(condition, "`blocks` under a condition", why, "drop the condition")
    for head in query.heads(family).values():
        if head.shifted:
            why = "the first token of a block would be read in the block before, which sees no mask"
            yield _unsupported(head, "a shifted head under `blocks`", why, "drop `shifted`")


def _weights(family: ast.Family) -> Iterator[Diagnostic]:
    entries = query.entries(family, "loss")
    exprs = [expr for term in query.terms(family) for expr in query.weighed(term)]
    exprs += [one.value for one in query.those(entries, ast.Let)]
    for expr in exprs:
        if query.around(expr):
            why = "tokens of later blocks are in the row, and no mask sees them"
            hint = "drop the weight"
            yield _unsupported(expr, "`visible` under `blocks`", why, hint)
    for mean in query.those(entries, ast.Mean):
        if mean.per is not None:
            why = "each block has its own amount of noise, so that a row has no single one"
            hint = f"write `mean over {mean.over.id}`"
            yield _unsupported(mean, "a mean for each row under `blocks`", why, hint)


def _layout(layout: ast.Layout) -> Iterator[Diagnostic]:
    """Check that no block shows by its length where a text ends."""
    inside = query.predicted(layout)
    ends = [slot for slot in layout.slots if slot.free and slot.name == "eos"]
    if ends and "pad" not in inside:
        why = "the last block would show by its length where the text ends, and no decoder knows it"
        yield WrongInside(span=ends[0].span, slot="eos", why=why, hint="write `[body eos pad]`")


def _decoder(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    """Check that a decoder leaves no mask in a block, and changes no block that is done."""
    entries = section.entries
    step = query.first(entries, ast.Step)
    for guide in query.those(entries, ast.Guide):
        what, hint = "guidance under `blocks` of the noise", "drop the guide"
        why = "the second answer, without the prompt, needs rows that grow as well"
        yield _unsupported(guide, what, why, hint)
    grid = slots.grid(entries)
    undone = step is not None and query.act(step.actions, "unmask") is not None
    if grid is not None and grid.timed and undone and not _clears(section, family):
        why = "masks may be left when the time of a block is over"
        hint = f"write `unmask chance reveal({query.arrows(family)[0].survival})`"
        yield _unsupported(query.the(entries, ast.Step), "this step under `blocks`", why, hint)


def _clears(section: ast.Section, family: ast.Family) -> bool:
    """Return whether the last step of a grid reveals all masks of a block."""
    edits = slots.edits(query.the(section.entries, ast.Step).actions)
    hides = any(word.hides for _, word in edits)
    arrows = [query.arrows(one.family)[0] for one in instances(family)]
    return hides or all(reveals_all(section, family, arrow) for arrow in arrows)

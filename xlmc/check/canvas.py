"""The blocks and guides of a decoder."""

from collections.abc import Iterator
from math import floor

from xlmc.check import guides
from xlmc.check.rules import at_least_one, known, samples
from xlmc.check.scope import values
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    Unsupported,
    WrongBlocks,
)
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.environment import Environment
from xlmc.theory.process import Process
from xlmc.words.answers import answering
from xlmc.words.slots import (
    window_words,
)


def check(section: ast.Section, family: ast.Family, env: Environment) -> Iterator[Diagnostic]:
    """Check the blocks and guides of a decoder."""
    for blocks in query.those(section.entries, ast.Blocks):
        yield from _blocks(blocks, section, family, env)
    for guide in query.those(section.entries, ast.Guide):
        yield from guides.check(guide, family, env)


def _blocks(
    blocks: ast.Blocks, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    process = Process.of(family)
    if why := window_words()["blocks"].why_not(process):
        yield WrongBlocks(span=blocks.span, why=why, hint="drop the blocks")
        return
    if process.fixed_length and query.condition(family) is not None:
        why = "the backbone reads one time for a row, but every block has its own"
        what = "blocks under a condition"
        yield Unsupported(
            span=blocks.span, what=what, why=why, hint="drop the blocks, or the condition"
        )
    wrong = list(known(blocks.size, env))
    hint = "write `param block_length : Count = 32` and `blocks block_length`"
    wrong = wrong or list(at_least_one(blocks.size, env, what="size of a block", hint=hint))
    yield from wrong
    if not wrong and env.sound:
        yield from _fits(blocks, section, env)


def _fits(blocks: ast.Blocks, section: ast.Section, env: Environment) -> Iterator[Diagnostic]:
    """Check that a quota can fit into a block."""
    step = query.first(section.entries, ast.Step)
    unmask = query.act(step.actions, "unmask") if step else None
    if unmask is None or unmask.much.rule != "quota" or unmask.much.value is None:
        return
    size = env.defaults.get(getattr(blocks.size, "id", ""), literal(blocks.size))
    own = answering(env)
    found = [n for _, n in values(unmask.much.value, own, samples(unmask.much.value, own))]
    known = [floor(value + 1e-9) for value in found if isinstance(value, float)]
    if size is not None and known and len(known) == len(found) and min(known) > size:
        least = "" if min(known) == max(known) else "at least "
        why = f"{least}{min(known)} masks are revealed in a step, and a block holds {size:g}"
        hint = "take larger blocks, or a smaller quota"
        yield WrongBlocks(span=blocks.span, why=why, hint=hint)

"""A noise that nothing else in the family fits: one mistake, and not one for each line."""

from collections.abc import Iterator

from xlmc.diagnostics.diagnostic import Diagnostic, Related
from xlmc.diagnostics.semantic_errors import OtherNoise
from xlmc.syntax import ast, query
from xlmc.theory.needs import ORDER, PERMUTED, Need, met
from xlmc.theory.process import LIVES, Process
from xlmc.words import slots, terms

Way = tuple[Need, ...]


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Report a noise if all terms and the default step are written for another one."""
    process, written = Process.of(family), query.terms(family)
    step = query.first(query.entries(family, "decoder"), ast.Step)
    if not process.known or step is None or not written:
        return
    needs = [_of_step(step), *map(_of_term, written)]
    if any(_fits(ways, process) for ways in needs):
        return
    other = next((life for life in LIVES if all(_fits(ways, life) for ways in needs)), None)
    if other is None:
        return
    entries = query.entries(family, "noise")
    here = query.first(entries, ast.Arrow) or query.first(entries, ast.NoNoise)
    assert here is not None
    yield OtherNoise(
        span=here.span,
        noise=process.name,
        other=other.name,
        related=(
            Related(written[0].span, f"this is written for {other.name}"),
            Related(step.span, "so is this"),
        ),
    )


def _fits(ways: list[Way], process: Process) -> bool:
    """Return whether a process meets the needs of one of several ways."""
    return any(met(way, process) for way in ways)


def _of_step(step: ast.Step) -> list[Way]:
    """Return what a step needs of the noise: the arrows that its actions undo."""
    known = [one for one in step.actions if slots.ways(one)]
    words = [word for word in map(slots.action, known) if word.own]
    return [tuple(need for word in words for need in word.needs)] if words else []


def _of_term(term: ast.Term) -> list[Way]:
    """Return what the uses of a divergence that a term is need of the noise."""
    word, target = terms.known().get(term.divergence.kind), terms.target_of(term)
    on = term.on.id if term.on is not None else ""
    if target == "following":
        return [(ORDER,), (PERMUTED,)]
    return [use.needs for use in word.uses if (use.target, use.on) == (target, on)] if word else []

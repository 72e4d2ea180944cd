"""Checks of a family: all its mistakes, at once."""

from collections.abc import Iterator

from xlmc.check import (
    agreement,
    blocks,
    carrying,
    clocks,
    collate,
    decoder,
    effect,
    loss,
    names,
    network,
    noise,
    recipe,
    sequence,
)
from xlmc.check.words import reserved
from xlmc.diagnostics.diagnostic import Diagnostic, SpecErrors, in_order
from xlmc.diagnostics.semantic_errors import MissingSection
from xlmc.syntax import ast
from xlmc.theory.instances import instances, read

PURPOSES = {
    "noise": "what happens to a token as noise grows",
    "network": "what is predicted",
    "loss": "what is penalised",
    "decoder": "how a sample is made",
    "collate": "how a sequence is laid out",
}


def check(family: ast.Family) -> tuple[Diagnostic, ...]:
    """Return the warnings about a family whose defaults are written out.

    Raises:
        SpecErrors: with every error, and no warning, since most would follow from the errors.
    """
    found = in_order(_all(family))
    if errors := [one for one in found if one.severity == "error"]:
        raise SpecErrors(errors)
    idle = [[*effect.check(one.family)] for one in instances(family)]
    return in_order((*found, *(one for one in idle[0] if all(one in some for some in idle))))


def _all(family: ast.Family) -> Iterator[Diagnostic]:
    yield from reserved(family.name.id, "a family", family.name)
    missing = list(_missing(family))
    yield from missing
    if other := [*agreement.check(family)]:
        yield from other
        yield from noise.check(family)
        return  # all else would be refused line by line
    here, *others = instances(family)
    wrong = [*names.check(family), *noise.check(family), *blocks.check(family)]
    wrong += clocks.check(family)
    wrong += sequence.check(family)
    wrong += _reading(here.family)
    yield from wrong
    yield from collate.check(here.family)
    yield from recipe.check(family)
    for one in others if not _refused(wrong) else ():
        wrong = [x for x in _reading(one.family) if x.severity == "error"]
        yield from (noise.with_values(x, read(family), one.values) for x in wrong)
        if wrong:
            return


def _reading(family: ast.Family) -> Iterator[Diagnostic]:
    """Check the sections that read the noise."""
    for part in (network, loss, decoder, carrying):
        yield from part.check(family)


def _refused(found: list[Diagnostic]) -> bool:
    return any(one.severity == "error" for one in found)


def _missing(family: ast.Family) -> Iterator[Diagnostic]:
    present = {section.kind for section in family.sections}
    for section, purpose in PURPOSES.items():
        if section not in present:
            span = family.name.span
            yield MissingSection(span=span, section=section, purpose=purpose)

"""Whether a family makes sense: all that is wrong with it, at once."""

from collections.abc import Iterator

from xlmc.check import agreement, collate, decoder, effect, loss, names, network, noise, recipe
from xlmc.check.words import reserved
from xlmc.diagnostics.diagnostic import Diagnostic, SpecErrors, in_order
from xlmc.diagnostics.semantic_errors import MissingSection
from xlmc.syntax import ast

PURPOSES = {
    "noise": "what happens to a token as noise grows",
    "network": "what is predicted",
    "loss": "what is penalised",
    "decoder": "how a sample is made",
    "collate": "how a sequence is laid out",
}


def check(family: ast.Family) -> tuple[Diagnostic, ...]:
    """The warnings about a family whose defaults are written out.

    Raises:
        SpecErrors: with every error, and no warning, since most would follow from the errors.
    """
    found = in_order(_all(family))
    if errors := [one for one in found if one.severity == "error"]:
        raise SpecErrors(errors)
    return in_order((*found, *effect.check(family)))


def _all(family: ast.Family) -> Iterator[Diagnostic]:
    yield from reserved(family.name.id, "a family", family.name)
    missing = list(_missing(family))
    yield from missing
    if others := [*agreement.check(family)]:
        yield from others
        yield from noise.check(family)
        return  # all else would be refused line by line
    for part in (names, noise, network, loss, decoder, collate, recipe):
        yield from part.check(family)


def _missing(family: ast.Family) -> Iterator[Diagnostic]:
    present = {section.kind for section in family.sections}
    for section, purpose in PURPOSES.items():
        if section not in present:
            span = family.name.span
            yield MissingSection(span=span, section=section, purpose=purpose)

"""A noise that nothing else in the family fits: one mistake, and not one for each line."""

from collections.abc import Iterator

from xlmc.check.loss import ARROWS, FITS
from xlmc.diagnostics.diagnostic import Diagnostic, Related
from xlmc.diagnostics.semantic_errors import OtherNoise
from xlmc.syntax import ast, query

NAMES = ARROWS | {"none": "`none`"}


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """A complaint where all terms and the step of the default decoder are of one other noise."""
    chain, terms = query.chain(family), query.terms(family)
    step = query.first(query.entries(family, "decoder"), ast.Step)
    if not chain or step is None or not terms:
        return
    kinds = [_of_step(step), *map(_of_term, terms)]
    found = {noise for noise in NAMES if all(noise in kind for kind in kinds)}
    if not found or any(chain in kind for kind in kinds):
        return
    other = min(found, key=[*NAMES].index)
    entries = query.entries(family, "noise")
    here = query.first(entries, ast.Arrow) or query.first(entries, ast.NoNoise)
    assert here is not None
    yield OtherNoise(
        span=here.span,
        noise=NAMES[chain],
        other=NAMES[other],
        related=(
            Related(terms[0].span, f"this is of {NAMES[other]}"),
            Related(step.span, "and so is this"),
        ),
    )


def _of_step(step: ast.Step) -> set[str]:
    """The noises that a step undoes, or a part of which."""
    insert = query.first(step.actions, ast.Insert)
    if insert is not None:
        return {"both"} if insert.what.id == "masks" else {"gone"}
    if query.first(step.actions, ast.Append) is not None:
        return {"none"}
    return {"mask", "both"} if query.first(step.actions, ast.Unmask) is not None else set()


def _of_term(term: ast.Term) -> set[str]:
    """The noises that a term speaks of."""
    divergence, target = term.divergence, term.divergence.target
    said = f"none {target.state.id}" if isinstance(target, ast.Nothing) else target.id
    if said == "following":
        return {"none"}
    on = term.on.id if term.on is not None else None
    return {noise for (noise, *_), fit in FITS.items() if fit == (divergence.kind, said, on)}

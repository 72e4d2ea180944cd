"""Two clocks with scales that a second network learns: what the calculus and the heads need."""

from collections.abc import Iterator

from xlmc.check.words import one_of
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import MissingEntry, Unsupported, WrongClocks
from xlmc.syntax import ast, query
from xlmc.syntax.expression import MathError
from xlmc.theory.instances import at, worlds
from xlmc.theory.probe import followed
from xlmc.words import terms
from xlmc.words.slots import backbone_words

POINTS = (0.05, 0.3, 0.6, 0.95)
SLIP = 1e-9
EXAMPLE = "survival {survival}(t) = 1 - t**{head}"


def backbone(node: ast.Backbone) -> Iterator[Diagnostic]:
    """Check that the backbone reads a whole clean text, and is one of ours without arguments."""
    words = backbone_words().values()
    ours = [one.name for one in words if not (one.alone or one.adapted or one.published)]
    name = node.value if isinstance(node.value, ast.Name) else None
    if node.python is None and name is not None:
        known = [*ours, *({name.id} & {*backbone_words()})]
        wrong = list(one_of(name, known, "a backbone of a second network"))
        yield from wrong
        if wrong or name.id in ours:
            return
    what, why = "this backbone of a second network", f"xlmc has {' and '.join(ours)} there"
    if isinstance(node.value, ast.Call) and node.value.function in ours:
        why = "it reads the clean text, which has no time, and no weights of others fit"
    if name is not None and backbone_words()[name.id].alone:
        why = "of two clocks no decoder asks it: nothing is gained if it sees one token alone"
    yield Unsupported(span=node.span, what=what, why=why, hint="write `backbone dit`")


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check that scales multiply the hazards of one function, and that heads learn what results."""
    arrows = query.arrows(family)
    wrong = [one for arrow in arrows for one in _multiplies(arrow, family)]
    yield from wrong or _alike(arrows, family)
    yield from _paces(arrows[0], family) if not wrong else ()


def _multiplies(arrow: ast.Arrow, family: ast.Family) -> Iterator[Diagnostic]:
    """Report a survival that reads two heads, or whose hazard is not the head times that at 1."""
    heads = query.scales(arrow, family)
    if not heads:
        return
    what, why = "", f"xlmc has the chances of fates where `{heads[0].name}` multiplies the hazard"
    if len(heads) > 1:
        what = "a clock with several scales"
        why = f"it reads {' and '.join(f'`{head.name}`' for head in heads)}"
    elif not _proportional(arrow, heads[0].name, family):
        what = "this use of a scale"
    if what:
        example = EXAMPLE.format(survival=arrow.survival, head=heads[0].name)
        hint = f"write 1 minus a power of a function of t, as `{example}`"
        yield Unsupported(span=arrow.value.span, what=what, why=why, hint=hint)


def _proportional(arrow: ast.Arrow, head: str, family: ast.Family) -> bool:
    """Return whether 1 - survival is a power of that at a scale of 1: so hazards are multiplied."""
    found = [(values[head], _left(at(arrow, values))) for values in worlds(query.learned(family))]
    plain = next(left for scale, left in found if scale == 1)
    return all(
        abs(one - due**scale) < SLIP
        for scale, left in found
        for one, due in zip(left, plain, strict=True)
    )


def _left(arrow: ast.Arrow) -> list[float]:
    """Return 1 - survival at some times; none where it has no value, which `noise` reports."""
    try:
        survival = followed(arrow.value, {})
        return [1 - survival({arrow.argument: t}) for t in POINTS]
    except MathError:
        return []


def _alike(arrows: tuple[ast.Arrow, ...], family: ast.Family) -> Iterator[Diagnostic]:
    """Report survivals that differ at scales of 1: the chance of a mask is then an integral."""
    plain = next(iter(worlds(query.learned(family))))
    first, second = (_left(at(arrow, plain)) for arrow in arrows)
    if any(abs(a - b) > SLIP for a, b in zip(first, second, strict=False)):
        why = "at scales of 1 it is another function than the survival of masks"
        hint = f"write the function of `{arrows[0].survival}`, with a scale of its own or none"
        what = "two clocks that differ by more than their scales"
        yield Unsupported(span=arrows[1].value.span, what=what, why=why, hint=hint)


def _paces(arrow: ast.Arrow, family: ast.Family) -> Iterator[Diagnostic]:
    """Check that a head learns the rates of masks where these differ, and only there."""
    trained = [one for one in terms.objective(family).parts if one.trains == "pace"]
    section = next(one for one in family.sections if one.kind == "loss")
    if query.scales(arrow, family) and not trained:
        why = (
            f"masks have scales of their own by `{arrow.survival}`, and no head learns their rates"
        )
        example = "pace : poisson(mask)  weight bound"
        yield MissingEntry(span=section.span, owner="loss", entry="term", why=why, example=example)
    for part in trained if not query.scales(arrow, family) else ():
        why = f"all masks have one rate, as `{arrow.survival}` reads no scale"
        hint = f"drop the term and the head `{part.term.head.id}`"
        yield WrongClocks(span=part.term.span, what=part.term.head.id, why=why, hint=hint)

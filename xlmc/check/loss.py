"""The loss: its terms, and what their sum is divided by."""

from collections.abc import Iterable, Iterator

from xlmc.check import scope
from xlmc.check.rules import number
from xlmc.check.terms import fits, sees_both
from xlmc.check.weights import environment, known, weight
from xlmc.check.words import one_of, word
from xlmc.diagnostics.diagnostic import Diagnostic, suggest
from xlmc.diagnostics.semantic_errors import MissingEntry, NeverUsed, UnknownName, WrongTerm
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment
from xlmc.theory.objective import Objective, Part
from xlmc.theory.process import Process
from xlmc.words import slots, terms


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check the `loss` section."""
    section = next((s for s in family.sections if s.kind == "loss"), None)
    if section is None:
        return
    objective = terms.objective(family)
    if not objective.parts:
        yield MissingEntry(
            span=section.span,
            entry="term",
            why="nothing is penalised",
            example=_example(objective),
        )
    yield from scope.declarations(section.entries, "a param of the loss")
    yield from scope.lets_in_order(section.entries)
    for part in objective.parts:
        yield from _term(part, objective)
    for one in objective.lets:
        yield from known(one.value, objective)
    for mean in query.those(section.entries, ast.Mean):
        yield from _mean(mean, objective.process)
    yield from _unused(section, query.terms(family))


def _unused(section: ast.Section, terms: Iterable[ast.Term]) -> Iterator[Diagnostic]:
    exprs = [expr for term in terms for expr in query.weighed(term)]
    spoken = query.spoken(exprs, query.those(section.entries, ast.Let))
    for entry in section.entries:
        if isinstance(entry, ast.Param | ast.Choice | ast.Let) and entry.name not in spoken:
            yield NeverUsed(span=entry.span, name=entry.name)


def _example(objective: Objective) -> str:
    """Return a term of the tokens under this noise or, where it is wrong, under the commonest."""
    every = [use for one in terms.known().values() for use in one.uses]
    uses = terms.possible(objective.process) or every
    example = next(use.example for use in uses if use.trains == "token")
    return f"{slots.drawn(objective.family)} :{example.partition(' :')[2]}"


def _mean(mean: ast.Mean, process: Process) -> Iterator[Diagnostic]:
    corrupted = process.corrupted
    what = "a denominator" if corrupted else "a denominator without noise"
    yield from one_of(mean.over, ("tokens", *corrupted, "block", "sequences"), what)
    if mean.per is not None:
        yield from one_of(mean.per, ("sequence",), "what a denominator can be per")
        if mean.over.id in ("block", "sequences"):
            own = ("tokens", *corrupted)
            yield from one_of(mean.over, own, "a denominator of its own for each sequence")


def _term(part: Part, objective: Objective) -> Iterator[Diagnostic]:
    term, heads = part.term, query.heads(objective.family)
    head = heads.get(term.head.id)
    if head is None:
        if heads:
            hint, where = suggest(term.head.id, heads), "among the heads of the network"
            yield UnknownName(span=term.head.span, name=term.head.id, where=where, hint=hint)
        return
    kind = word(term.divergence, term.divergence.kind)
    wrong = list(one_of(kind, terms.known(), "a divergence"))
    wrong = wrong or list(fits(term, head, objective.process))
    yield from wrong
    if wrong:
        return
    yield from _options(term, environment(objective))
    if term.weight is not None:
        yield from weight(part, term.weight, objective)
    if part.tells_end and objective.process.one_clock:
        yield from sees_both(term, objective)


def _options(term: ast.Term, env: Environment) -> Iterator[Diagnostic]:
    """Check the options of a divergence against those of its word."""
    options = {one.name: one for one in terms.known()[term.divergence.kind].options}
    for option in term.divergence.options:
        if not options:
            why, hint = "it takes no options", "drop it"
            yield WrongTerm(span=option.span, divergence=term.divergence.kind, why=why, hint=hint)
            continue
        yield from one_of(word(option, option.name), options, "an option of a divergence")
        meant = options.get(option.name) or next(iter(options.values()))
        yield from number(option.value, meant.kind, meant.name, env)

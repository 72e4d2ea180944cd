"""The terms of a loss by their words: which use of a divergence each is, and what it trains."""

from functools import partial

from attrs import evolve

from xlmc.syntax import ast, query
from xlmc.theory import bound
from xlmc.theory.bound import Bound, Context
from xlmc.theory.environment import environment, given
from xlmc.theory.instances import instances
from xlmc.theory.needs import met
from xlmc.theory.objective import Objective, Part
from xlmc.theory.process import Process
from xlmc.words import divergences, drafts, registry
from xlmc.words.divergences.base import Divergence, Use
from xlmc.words.drafts.base import Law


def known() -> dict[str, Divergence]:
    """Return the divergences by their names."""
    return registry.words(divergences, Divergence)


def possible(process: Process) -> list[Use]:
    """Return the uses that a process allows."""
    return [use for one in known().values() for use in one.uses if met(use.needs, process)]


def place(head: ast.Head | None) -> str:
    """Return the kind of place of a head: tokens, gaps or special."""
    at = query.read_at(head)
    special = head is None or head.kind.id == "chance" or at not in ("tokens", "gaps")
    return "special" if special else at


def target_of(term: ast.Term) -> str:
    """Return the target of a term as it is written."""
    target = term.divergence.target
    return f"none {target.state.id}" if isinstance(target, ast.Nothing) else target.id


def use_of(term: ast.Term, family: ast.Family, process: Process) -> Use | None:
    """Return the use of its word that a term is; of a wrong term the nearest one."""
    word = known().get(term.divergence.kind)
    if word is None:
        return None
    head, target = query.heads(family).get(term.head.id), target_of(term)
    at, kind = place(head), head.kind.id if head is not None else ""
    return max(
        word.uses,
        key=lambda use: (
            use.target == target,
            met(use.needs, process),
            use.place == at,
            use.head == kind,
        ),
    )


def use(part: Part, objective: Objective) -> Use:
    """Return the use of its word that a term of a checked loss is."""
    found = use_of(part.term, objective.family, objective.process)
    assert found is not None
    return found


def objective(family: ast.Family) -> Objective:
    """Return the loss of a family, sound or not, with the facts that words know of its terms."""
    here, *others = (_objective(one.family) for one in instances(family))
    return evolve(here, others=tuple(others))


def _objective(family: ast.Family) -> Objective:
    """Return the loss of a family whose noise has no params."""
    process, terms = Process.of(family), query.terms(family)
    uses = [use_of(term, family, process) for term in terms]
    tells_end = any(one.tells_end for one in uses if one is not None)
    tells_rate = any(one.trains == "rate" and one.joint for one in uses if one is not None)
    told = {"tells_end": tells_end, "tells_rate": tells_rate}
    part = partial(_part, family=family, process=process, told=told)
    law = registry.words(drafts, Law).get(query.law_of_draft(family))
    brought = law is not None and law.brought
    return Objective(family, process, tuple(map(part, terms, uses)), brought=brought)


def _part(
    term: ast.Term,
    use: Use | None,
    family: ast.Family,
    process: Process,
    told: dict[str, bool],
) -> Part:
    if use is None:
        return Part(term, "", None, bound.NO_NOISE, None, False, False)
    arrow = process.arrow(*use.undoes) if use.undoes is not None else None
    return Part(
        term,
        use.trains,
        arrow,
        _bound(use, Context(term, process, arrow, **told)),
        _share(term, family),
        use.per_token,
        use.joint,
        use.ratios,
    )


def _bound(use: Use, context: Context) -> Bound:
    """Return the bound of a term, where the noise is one under which there can be one."""
    amount = context.process.amount
    noised = amount is not None and bool(amount.law.arguments)
    sound = met(use.needs, context.process) and (noised or not context.process.clocks)
    return use.bound(context) if sound else bound.NO_NOISE


def _share(term: ast.Term, family: ast.Family) -> float | None:
    """Return the factor that the options of a term leave at the defaults of the params."""
    env = environment(query.entries(family, "loss"), "", {}, {}, ())
    values = {one.name: given(one.value, env) for one in term.divergence.options}
    return known()[term.divergence.kind].share(values)

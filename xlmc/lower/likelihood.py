"""The likelihood."""

import math

from attrs import evolve

from xlmc.calculus.code import Code
from xlmc.calculus.survival import examine
from xlmc.lower import blocks, drafts, ir
from xlmc.lower.clock import Clock
from xlmc.lower.loss import place, states
from xlmc.lower.noise import made
from xlmc.syntax import query
from xlmc.theory.claims import by_rates, chosen, claim, rates, stop, tokens
from xlmc.theory.objective import Objective
from xlmc.words import terms as words
from xlmc.words.noises.base import Noise


def likelihood(
    objective: Objective, clock: Clock, condition: Code | None, noising: ir.Noise | None
) -> ir.Likelihood | None:
    """Build `likelihood.py`, for the view of the noise; None if there is no likelihood."""
    value, why = claim(objective)
    if value == "none":
        return None
    main, noise = tokens(objective), made(objective)
    timed, use = bool(noise.rates) and by_rates(objective), words.use(main, objective)
    found = ir.Likelihood(
        partial=noise.rates if timed else noise.likelihood,
        head=main.term.head.id,
        states=states(query.heads(objective.family)[main.term.head.id], objective.process),
        gap="",
        gap_at="",
        paced=objective.process.struck,
        hazards=(),
        power=0,
        stop="",
        stop_at="",
        numbers=False,
        schedule=(),
        inverse=None,
        condition=condition,
        more="",
        drawn="",
        detail=f"{value.capitalize()}: {why}.",
        latex=use.path or noise.latex,
        ratios=main.ratios,
        letters="; ".join(use.letters),
    )
    if objective.process.blocked:
        size, taken = blocks.size(objective.family), blocks.taken(objective.family)
        return evolve(found, blocks=size, more=taken, schedule=clock.imports((), taken))
    if objective.process.learned and not objective.process.scaled:
        return found
    if timed or objective.process.clocks > 1:
        return _of_clocks(found, noise, objective, clock)
    carries = noising is not None and noising.carries_t
    return _of_counts(found, objective, clock, condition, carries=carries)


def _of_counts(
    found: ir.Likelihood,
    objective: Objective,
    clock: Clock,
    condition: Code | None,
    *,
    carries: bool,
) -> ir.Likelihood:
    """Return a likelihood whose draws are counts of corrupted tokens, or that draws nothing.

    ``carries``: noised rows have a time, which a count of dropped tokens needs not.
    """
    told = bool(condition) or objective.process.replaces
    inverse = clock.to(objective.process.end).take("inverse") if told else None
    names = {inverse.name} if inverse is not None else set()
    names |= condition.reads.functions if condition else set()
    found = _imported(evolve(found, inverse=inverse), clock, names)
    if (start := query.sized(objective.family)) is not None and start.head is not None:
        at = query.heads(objective.family)[start.head.id].at
        assert at is not None
        found = evolve(found, size=start.head.id, size_at=at.id)
    if not objective.process.drops:
        return found
    end = stop(objective)
    return evolve(
        found,
        stop=end.term.head.id,
        stop_at=place(end, objective),
        numbers=end.trains == "number",
        drawn=", torch.ones_like(u[:, 0])" if carries else "",
    )


def _of_clocks(
    found: ir.Likelihood, noise: Noise, objective: Objective, clock: Clock
) -> ir.Likelihood:
    """Return a likelihood whose draws are times, one for all clocks."""
    hazards = tuple(clock.to(state).take("hazard") for state in objective.process.states)
    arrows = [arrow for one in objective.everywhere for arrow in one.process.arrows]
    orders = [order for one in arrows if (order := examine(one).order)]
    rate = chosen(rates(objective), objective)
    latex = noise.of_pairs if rate.joint else noise.of_rates
    found = evolve(
        found,
        latex=latex or found.latex,
        gap=rate.term.head.id,
        gap_at=place(rate, objective),
        hazards=hazards,
        power=max(2, math.ceil(2 / min(orders, default=1) - 0.05)),
    )
    right = _head("revision", objective)
    heads = query.heads(objective.family)
    found = evolve(
        found,
        surplus=_head("extra", objective),
        wrong=_head("changed", objective),
        right=right,
        altered=states(heads[right], objective.process) if right else "",
        pace=_head("pace", objective),
    )
    taken = drafts.taken(objective.family)
    return _imported(found, clock, {one.name for one in hazards}, taken)


def _head(learns: str, objective: Objective) -> str:
    """Return the head that learns a part of the edits; "" where none does."""
    parts = objective.training(learns)
    return chosen(parts, objective).term.head.id if parts else ""


def _imported(
    found: ir.Likelihood, clock: Clock, functions: set[str], taken: str = ""
) -> ir.Likelihood:
    """Return a likelihood with the functions of the schedule that it uses.

    ``taken``: the clock among the arguments of the noise; "" where that takes none.
    """
    found = evolve(found, schedule=clock.imports(functions, taken))
    if not (taken or clock.moves(functions)):
        return found
    return evolve(found, more=", clock: Clock", drawn=", clock")

"""The noise."""

from decimal import Decimal

from xlmc.calculus.code import Code, built, constant, number
from xlmc.lower import blocks, drafts, ir
from xlmc.lower.clock import Clock, Hand
from xlmc.lower.params import mentioned
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.bound import Missing
from xlmc.theory.objective import Objective, Part
from xlmc.theory.process import Process
from xlmc.words import arrows, slots, terms
from xlmc.words.noises.base import Noise

LEARNED = ("survival",)
PERMUTED = Process((), permuted=True)
MIXED = ("randomized", "drandomized", "survival", "slope")


def noise(objective: Objective, clock: Clock, told: Code | None) -> ir.Noise:
    """Build `noise.py`."""
    process, word = objective.process, made(objective)
    amount = query.the(query.entries(objective.family, "noise"), ast.Amount)
    low, high = query.extent(amount)
    timed = amount.variable.id == "t"
    carries = bool(told) or process.struck or (timed and _reads_time(objective, clock))
    several = process.clocks > 1
    last = clock.to(process.end)
    struck = process.struck
    scaled = process.scaled
    corrupted = last.take("corrupted") if timed and not (struck or scaled) else None
    events = last.take("events") if struck else None
    drawn = several and not scaled  # a token's time of return
    inverse = last.take("inverse") if drawn or (told and not timed) else None
    masks = clock.to("mask").take("corrupted") if several else None
    learned = process.learned and not scaled
    read = MIXED if process.mixes else LEARNED if learned else ()
    mixed = [last.take(one) if one in read else None for one in MIXED]
    if learned:
        last.take("hazard")  # the cost of masks reads it
    used = [one.name for one in (corrupted, inverse, masks, events, *mixed) if one is not None]
    taken = blocks.taken(objective.family)
    random, change, clean, slope = mixed
    law = drafts.drawn(objective.family)
    sized = taken or (law.taken if law is not None else "")
    return ir.Noise(
        partial=word.partial,
        summary=word.summary,
        done=word.done,
        spec=clock.spec,
        variable=amount.variable.id,
        fixed=amount.law.function == "fixed",
        low=_bound(low),
        high=_bound(high) if timed else None,
        spread=amount.spread.id if amount.spread is not None else "",
        survival=clock.arrow.survival,
        corrupted=corrupted,
        events=events,
        inverse=inverse,
        masks=masks,
        whole=_whole(last.end) if several else None,
        latex=_latex(clock) if several else _written(last) if process.mixes else (),
        schedule=clock.imports(used, sized),
        carries_t=carries,
        more=ir.TAKEN if clock.moves(used) else sized,
        given=", clock" if clock.moves(used) else "",
        random=random,
        change=change,
        clean=clean,
        slope=slope,
        numbers=any(_of_gaps(part) for part in objective.parts),
        spoils=_spoils(clock.arrow) if process.spoiled else (),
        hides=bool(told),
        anew=any(not part.ratios for part in objective.training("token")),
        blocks=blocks.size(objective.family),
        taken=taken,
        law=law,
    )


def made(objective: Objective) -> Noise:
    """Return the word of what the noise makes of a row: of a draft without tokens, dropped ones."""
    found = slots.law_of_draft(objective.family)
    if found is not None and not found.partial:
        return arrows.of_step(("clean", "gone"))
    return arrows.sound(objective.process)


def _spoils(arrow: ast.Arrow) -> tuple[Code, ...]:
    """Return the share of struck tokens that are random, and that of all which are no masks."""
    assert arrow.share is not None
    assert arrow.kept is not None
    random, kept = (Decimal(str(literal(one))) for one in (arrow.share, arrow.kept))
    return constant(float(random)), constant(float(random + kept))


def drawn_order() -> ir.Noise:
    """Return the view of a noise that corrupts nothing, and draws the order of the tokens."""
    word = arrows.sound(PERMUTED)
    return ir.Noise(
        partial=word.partial,
        summary=word.summary,
        done="",
        spec="noise.order",
        variable="",
        fixed=False,
        low=built("0"),
        high=None,
        spread="",
        survival="",
        corrupted=None,
        events=None,
        inverse=None,
        masks=None,
        whole=None,
        latex=(),
        schedule=(),
        carries_t=False,
        more="",
        given="",
        random=None,
        change=None,
        clean=None,
        slope=None,
        numbers=False,
    )


def _of_gaps(part: Part) -> bool:
    """Return whether the code of a term reads how many tokens were dropped from each gap."""
    return part.trains in ("rate", "numbers") and not part.joint


def _whole(end: Code) -> Code | None:
    """Return the share of tokens dropped by t = 1; None for all."""
    if end.value is None:
        return built("(1 - {})", end)
    return constant(1 - end.value) if end.value else None


def _latex(clock: Clock) -> tuple[str, ...]:
    """Format in LaTeX when a dropped token returns as a mask, and when that mask is revealed."""
    alpha, beta = clock.to("mask").latex, clock.to("gone").latex
    return (
        rf"P(T > t) = {beta}(t), \qquad",
        rf"P(\mathrm{{mask}} \mid T > t) = \frac{{1 - {alpha}(t)}}{{1 - {alpha}(T)}}",
    )


def _written(hand: Hand) -> tuple[str, ...]:
    """Format the share of random tokens among those of one moment."""
    alpha = hand.latex
    return (rf"w(t) = \rho(t) - {alpha}(t) \, \frac{{\rho'(t)}}{{{alpha}'(t)}}",)


def _bound(expr: ast.Expr) -> Code:
    """Return code for an end of the range of the amount: 0, 1 or a decimal."""
    value = literal(expr)
    assert value is not None
    return number(expr, whole=value == int(value))


def _reads_time(objective: Objective, clock: Clock) -> bool:
    """Return whether the loss reads the time: a cost, or a weight, itself or by its `bound`."""
    bounds = [part.bound for part in objective.parts]
    found = [one for one in bounds if not isinstance(one, Missing)]
    exprs = [part.term.weight for part in objective.parts if part.term.weight is not None]
    exprs += [one.value for one in objective.lets]
    if any(terms.use(part, objective).reads_clock for part in objective.parts):
        return True
    spoken = mentioned(exprs)
    exprs += found if "bound" in spoken else []
    return "t" in spoken or any(map(clock.reads, exprs))

"""The claims about a likelihood: its kind, and how it relates to what the loss trains."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import isfinite

from xlmc.calculus.evaluate import DERIVED
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.bound import Missing
from xlmc.theory.environment import Environment
from xlmc.theory.objective import Objective, Part, inlined, settings, weights, with_bound
from xlmc.theory.probe import Sample, values
from xlmc.theory.weights import idle

MASK = (
    "the average of -log p over all orders of revealing the tokens one by one, for any weight in "
    "training"
)
SPOILED = (
    "the average of -log p over all orders of revealing the tokens one by one; valid for any "
    "heads, with slack, as they learn from rows some of whose tokens are wrong"
)
SPOILED_BLOCKS = (
    "the average of -log p over all orders of revealing the tokens of each block one by one, block "
    "by block; valid for any heads, with slack, as they learn from rows some of whose tokens are "
    "wrong"
)
BLOCKS = (
    "the average of -log p over all orders of revealing the tokens of each block one by one, block "
    "by block, for any weight in training"
)
SIZED = "-log of the chance of the length, by its head, and of the tokens given it: " + MASK
GONE = "the sum over all insertions of the random order and over every decision to stop"
SLACK = (
    GONE + "; valid for any heads, with slack where lengths differ, as training gives every length "
    "the same weight (the weight `bound` removes it)"
)
SCALES = (
    "the relative entropy of the paths on which the text returns to those of the heads; valid for "
    "any heads and any scales of the clocks, with slack, as a path also determines the token "
    "behind each mask, and rates that depend on the whole text, which the noised text hides"
)
BOTH = (
    "the relative entropy of the paths on which the text returns to those of the heads; valid "
    "for any heads, with slack, as a path also determines the token behind each mask, which the "
    "noised text hides"
)
RANDOM = (
    "the relative entropy of the paths on which {} become the text to those of the "
    "head; tight where it is the distribution of each token given all others, and the time"
)
RATIOS = (
    "the relative entropy of the paths on which {} become the text to those of the ratios; tight "
    "where these are the true ones"
)
BLIND = ", which the network does not read"
PERMUTED = (
    "the average over all orders of -log p of the tokens inside the brackets, each given those "
    "before it in the order; tight where answers are the same in whatever order these came"
)
NONE = "-log p of the tokens inside the brackets, each given all tokens before it"
NO_RATE = "a distribution over numbers trained by cross-entropy is no rate: no bound is known"
RATES = (
    "the relative entropy of the insertions that restore the text to those of the heads; "
    "valid for any heads, with slack where a text repeats a token"
)
EDITS = (
    "the relative entropy of the edits that make the text of a draft to those of the heads; valid "
    "for any heads, with slack, as a text has several alignments with a draft"
)
GIVEN = "; given the draft, which a row brings, or which is a copy of the text with mistakes"
NO_TIME = "a rate that knows no time costs without end where t is small"
ONE_BY_ONE = (
    "the heads are told the time, and the chain of single insertions that a distribution over gaps "
    "and tokens makes has none"
)
APART = (
    "each gap has a distribution of its own: with no rate, nothing says in which gap a token is "
    "missing"
)
NO_STOP = "no head predicts when nothing is missing, so no distribution over lengths is known"
CARRIED = "its answers depend on the calls before, of which the likelihood of a text has none"
STEADY = ("tokens", "sequences", "block", "tokens per sequence")  # alike for all of one length
OWN = {  # what a mean within each sequence divides its terms by
    "tokens per sequence": "length",
    "masked per sequence": "count",
    "gone per sequence": "count",
}
STRENGTH = ("tight", "bound", "none")
KEPT, SHORTER, UNKNOWN = "kept", "shorter by 1 / (length + 1)", "unknown"  # chances of lengths
GUARD = 1e-3  # of the time, which a likelihood can do without


def claim(objective: Objective) -> tuple[str, str]:
    """Return the claim of the likelihood (tight, bound or none) and the reason for it.

    Of a noise with params the weakest that one of its processes has.
    """
    return max(map(_claim, objective.everywhere), key=lambda one: STRENGTH.index(one[0]))


def _claim(objective: Objective) -> tuple[str, str]:
    """Return the claim at the defaults of the params of the noise."""
    process = objective.process
    if query.carry(objective.family) is not None:
        return "none", CARRIED
    if process.ordered:
        return "tight", NONE
    if process.permuted:
        return "bound", PERMUTED
    if process.holds_places and tokens(objective).ratios:
        why = RATIOS.format("random tokens" if process.replaces else "masks")
        return (
            ("bound", why + BLIND) if process.replaces and not timed(objective) else ("tight", why)
        )
    if process.spoiled:
        return "bound", SPOILED_BLOCKS if process.blocked else SPOILED
    if process.replaces or (process.learned and not process.scaled):
        ways = ["masks"] * process.masks + ["random tokens"] * process.replaces
        why = RANDOM.format(" and ".join(ways))
        return ("tight", why) if timed(objective) else ("bound", why + BLIND)
    if process.blocked:
        return "tight", BLOCKS
    if process.holds_places:
        return "tight", SIZED if query.sized(objective.family) is not None else MASK
    if not process.one_clock:
        why = SCALES if process.scaled else BOTH
        return ("bound", why) if objective.training("rate") else ("none", NO_RATE)
    if by_rates(objective):
        if objective.training("revision") and timed(objective):
            return "bound", EDITS + GIVEN * objective.brought
        return ("bound", RATES) if timed(objective) else ("none", NO_TIME)
    if not any(part.tells_end for part in objective.parts):
        return "none", NO_STOP
    if not any(part.joint for part in objective.parts):
        return "none", APART
    if timed(objective):
        return "none", ONE_BY_ONE
    if all(_is_proportional(part, objective) for part in _read(objective)):
        return "tight", GONE
    return "bound", SLACK


def by_rates(objective: Objective) -> bool:
    """Return whether heads learn the rate of insertions, and where and which token comes next."""
    return objective.process.drops and bool(rates(objective))


def rates(objective: Objective) -> list[Part]:
    """Return the terms of rates whose tokens are learnt likewise: for each gap, or for all."""
    laws = {part.joint for part in objective.training("token")}
    return [part for part in objective.training("rate") if part.joint in laws]


def timed(objective: Objective) -> bool:
    """Return whether the heads read the time."""
    return query.condition(objective.family) is not None


def _read(objective: Objective) -> list[Part]:
    """Return the terms whose heads the likelihood of single insertions reads."""
    joint = [part for part in objective.training("token") if part.joint]
    return [*joint, stop(objective)]


def tokens(objective: Objective) -> Part:
    """Return the term of the head of tokens that the likelihood reads."""
    parts = objective.training("token")
    if objective.process.drops and not objective.process.masks:
        joint = chosen(rates(objective), objective).joint if by_rates(objective) else True
        parts = [part for part in parts if part.joint == joint]
    return chosen(parts, objective)


def stop(objective: Objective) -> Part:
    """Return the term of the head for the end, where nothing is missing."""
    return chosen([part for part in objective.parts if part.tells_end], objective)


def chosen(parts: list[Part], objective: Objective) -> Part:
    """Return the term whose head the default decoder reads, or the first of several."""
    read = set[str]()
    for entry in query.decoders(objective.family)[0].entries:
        read |= {name.id for expr in query.expressions(entry) for name in query.names(expr)}
        if isinstance(entry, ast.Step):
            read |= {draw.head.id for draw in query.those(entry.actions, ast.Draw)}
    return next((part for part in parts if part.term.head.id in read), parts[0])


def tilt(objective: Objective) -> str:
    """Return by what factor perfect heads reweight the data: KEPT, SHORTER or UNKNOWN.

    Nothing is known where that depends on a param of the noise. See `_tilt`.
    """
    found = {*map(_tilt, objective.everywhere)}
    return found.pop() if len(found) == 1 else UNKNOWN


def _tilt(objective: Objective) -> str:
    """Return the tilt at the defaults of the params of the noise.

    Insertions are the reversal of random drops from the distribution p(x) w(L) / (L + 1), where
    w / (L + 1) is what the terms weigh beside the bound; nothing is known where that depends on
    more than L. Masks that are inserted and revealed end in the data's own distribution, if the
    heads read the time, and what follows in a text does, unless examples weigh by a length that
    the heads cannot know.
    So do masks that stay where they are, given the length, and a head of that does likewise.
    """
    process = objective.process
    if process.timed or by_rates(objective):
        good = timed(objective) and _whole(objective) and _even(objective)
        return KEPT if good else UNKNOWN
    if not process.clocks:
        return KEPT if _even(objective) else UNKNOWN
    if process.spoiled:
        return UNKNOWN
    if process.holds_places:
        sizes = objective.training("length")
        return KEPT if all(_is_proportional(part, objective) for part in sizes) else UNKNOWN
    if _claim(objective)[0] == "tight":
        return KEPT
    if _claim(objective)[0] == "none":
        return UNKNOWN
    flat = all(_is_proportional(part, objective, flat=True) for part in _read(objective))
    return SHORTER if flat else UNKNOWN


def trained(objective: Objective) -> bool:
    """Return whether the loss is the likelihood but for a factor and a constant.

    That is for examples of equal lengths.
    """
    return all(map(_trained, objective.everywhere))


def _trained(objective: Objective) -> bool:
    if _claim(objective)[0] == "none" or mean_over(objective) not in STEADY:
        return False
    if by_rates(objective) or objective.process.timed:
        return False  # the draws of the likelihood are others than those of training
    if not _whole(objective) or objective.training("number") or objective.training("length"):
        return False
    parts = objective.parts
    return any(
        None not in found and len(found) == 1
        for found in ({factor(p, objective, flat=flat) for p in parts} for flat in (False, True))
    )


def mean_over(objective: Objective) -> str:
    """Return what the loss is a mean over, in the words of the spec."""
    mean = query.the(objective.entries, ast.Mean)
    return f"{mean.over.id} per {mean.per.id}" if mean.per is not None else mean.over.id


def proportional(part: Part, objective: Objective) -> bool:
    """Return whether a weight is a constant times the one that makes it part of the bound."""
    place = objective.parts.index(part)
    return all(_is_proportional(one.parts[place], one) for one in objective.everywhere)


def _is_proportional(part: Part, objective: Objective, *, flat: bool = False) -> bool:
    return factor(part, objective, flat=flat) is not None


def factor(part: Part, objective: Objective, *, flat: bool) -> float | None:
    """Return a term's weight over the bound's; None if no constant for any params.

    With `flat` times length + 1, options being what they are by default; a claim holds for all
    params, and so for no options.
    """
    if isinstance(part.bound, Missing) or (part.term.divergence.options and not flat):
        return None
    if _clamped(part, objective) or part.share is None:
        return None
    env, points = weights(objective), [*with_bound(_points(part), part, objective)]
    own = OWN.get(mean_over(objective), "")
    known = [_ratio(part, one, points, own, flat=flat) for one in settings(objective, env)]
    as_set, *others = known
    if as_set is None or as_set <= 0 or None in others:
        return None
    return round(part.share * as_set, 9)


def _ratio(
    part: Part, env: Environment, points: Sequence[Sample], own: str, *, flat: bool
) -> float | None:
    """Return a weight over the bound's at some values of the params; None if no constant."""
    weight = part.term.weight or ast.Name("one", span=part.term.span)
    ratios = [
        value / point["bound"] * (point["length"] + 1 if flat else 1) / max(1, point.get(own, 1))
        for point, value in values(weight, env, points)
        if isinstance(value, float)
    ]
    if not ratios:
        return 0.0  # there is no such loss
    known = len(ratios) == len(points) and all(map(isfinite, ratios))
    return ratios[0] if known and max(ratios) - min(ratios) <= 1e-9 * max(ratios) else None


def _points(part: Part) -> Iterator[Sample]:
    """Yield amounts of noise; for a term that every row pays also none."""
    least = (0.0,) if part.of_rows else ()
    for length, seen in ((2.0, 0.3), (5.0, 1.1), (17.0, 0.5), (1e6, 0.9)):
        for count, t in product((*least, 1.0, 2.0, length), (1e-6, 0.2, 0.7, 1 - 1e-6)):
            yield {"one": 1.0, "t": t, "count": count, "length": length, "visible": seen}


def _even(objective: Objective) -> bool:
    """Return whether no example weighs more for what the heads cannot know.

    That is its length, or the number of its tokens that are gone.
    """
    mean = mean_over(objective)
    if OWN.get(mean) == "length" or mean.partition(" ")[0] == "gone":
        return False
    return all(_alike(part, objective) for part in objective.parts)


def _alike(part: Part, objective: Objective) -> bool:
    """Return whether a weight is the same for all lengths, whatever the params of the loss are."""
    weight = part.term.weight
    if weight is None:
        return True
    rows = [*_lengths(part, objective)]
    as_set, *others = settings(objective, weights(objective))
    here = _steady(weight, rows, as_set, least=1e-300)
    return here and all(_steady(weight, rows, one) for one in others)


def _lengths(part: Part, objective: Objective) -> Iterator[list[Sample]]:
    """Yield rows of many lengths, the rest being equal."""
    for t, seen in product((1e-3, 0.2, 0.7, 1 - 1e-3), (0.3, 1.1)):
        lengths = ({"t": t, "visible": seen, "length": n} for n in (1.0, 2.0, 5.0, 17.0, 1e6))
        yield [*with_bound(lengths, part, objective)]


def _steady(
    weight: ast.Expr, rows: Iterable[Sequence[Sample]], env: Environment, *, least: float = 0.0
) -> bool:
    """Return whether a weight is the same in all rows that differ by their lengths alone."""
    found = [
        (alike, [v for _, v in values(weight, env, alike) if isinstance(v, float)])
        for alike in rows
    ]
    if not any(v for _, v in found):
        return True  # there is no such loss
    return all(
        len(v) == len(alike) and min(v) >= least and max(v) - min(v) <= 1e-9 * max(v)
        for alike, v in found
    )


def _whole(objective: Objective) -> bool:
    """Return whether training draws all amounts of noise, but for a guard."""
    amount = objective.process.amount
    if amount is None or amount.variable.id == "count":
        return True
    low, high = map(literal, query.extent(amount))
    return low is not None and high is not None and low <= GUARD and high >= 1 - GUARD


def _clamped(part: Part, objective: Objective) -> bool:
    """Return whether a weight is cut off where it is small or large."""
    whole = inlined(part, objective)
    calls = [call for call in query.calls(whole) if call.function in ("min", "max")]
    calls = [call for call in calls if not idle(call, part, objective)]
    varying = {"t", "count", "length"}
    return any(
        {name.id for name in query.names(call)} & varying or any(map(_derived, query.calls(call)))
        for call in calls
    )


def _derived(call: ast.Call) -> bool:
    return call.function in DERIVED or call.function == "visible"

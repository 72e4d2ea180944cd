"""What a reported likelihood is, and what the samples of a decoder are worth beside it."""

from collections.abc import Iterator
from itertools import product
from math import isfinite

from xlmc.calculus.code import Code, constant
from xlmc.check.loss import bound, counts, ends, idle, inlined, settings, weights, with_bound
from xlmc.check.scope import Environment, Sample, literal, values
from xlmc.check.words import DERIVED
from xlmc.lower import ir
from xlmc.lower.params import mentioned
from xlmc.resolve import defaults
from xlmc.syntax import ast, query

MASK = (
    "the average of -log p over all orders of revealing the tokens one by one, whatever weight "
    "the heads were trained with"
)
GONE = "the sum over all insertions of the random order and over every decision to stop"
SLACK = (
    GONE
    + "; valid for any heads, with slack where lengths differ, as training weights every length "
    "alike (the weight `bound` removes it)"
)
BOTH = (
    "the relative entropy of the paths on which the string comes back to those of the heads; valid "
    "for any heads, with slack, as a path also says which token each mask was: what masks hide is "
    "paid for"
)
NONE = "-log p of the tokens inside the brackets, each given all that stands before it"
NO_RATE = "a law over numbers trained by cross-entropy is no rate: no bound is known"
NO_STOP = "no head says when nothing is missing, so no law over lengths is known"
TOGETHER = "tokens revealed in one step are drawn apart"
ORDERED = "the order is not a random one"
NEUTRAL = {name: float(value) for name, (_, value) in defaults.NEUTRAL.items()}
STEADY = ("tokens", "sequences", "block", "tokens per sequence")  # alike for all of one length
OWN = {  # what a mean within each sequence divides its terms by
    "tokens per sequence": "length",
    "masked per sequence": "count",
    "gone per sequence": "count",
}
EVEN = 0.5  # a balance under which all rows count alike
GUARD = 1e-3  # of the time, which a likelihood can do without


def claim(family: ast.Family) -> tuple[str, str]:
    """The claim of the family's likelihood (tight, bound or none) and the reason for it."""
    if query.chain(family) == "mask":
        return "tight", MASK
    if query.chain(family) == "none":
        return "tight", NONE
    kinds = {term.divergence.kind for term in query.terms(family)}
    if query.chain(family) == "both":
        return ("bound", BOTH) if "poisson" in kinds else ("none", NO_RATE)
    if not any(map(ends, query.terms(family))):
        return "none", NO_STOP
    if all(proportional(term, family) for term in _read(family)):
        return "tight", GONE
    return "bound", SLACK


def _read(family: ast.Family) -> list[ast.Term]:
    """The terms whose heads the likelihood of insertions reads."""
    kind = "joint_cross_entropy"
    insertions = [term for term in query.terms(family) if term.divergence.kind == kind]
    return [*insertions, stop(family)]


def stop(family: ast.Family) -> ast.Term:
    """The term of the head that says when nothing is missing."""
    return chosen([term for term in query.terms(family) if ends(term)], family)


def chosen(terms: list[ast.Term], family: ast.Family) -> ast.Term:
    """Of several terms the one whose head the default decoder reads, or the first."""
    read = set[str]()
    for entry in query.decoders(family)[0].entries:
        read |= mentioned(list(query.expressions(entry)))
        if isinstance(entry, ast.Step):
            read |= {draw.head.id for draw in query.those(entry.actions, ast.Draw)}
    return next((term for term in terms if term.head.id in read), terms[0])


def tilt(family: ast.Family) -> str:
    """By what the law of the best heads differs from the data's, as code over a length.

    Insertions are the reversal of random drops from the law p(x) w(L) / (L + 1), where w / (L + 1)
    is what the terms weigh beside the bound; nothing is known where that depends on more than L.
    Masks that are inserted and revealed end in the data's own law, if the heads are told the time,
    and what follows in a text does, unless examples weigh by a length that the heads cannot know.
    """
    if query.chain(family) == "both":
        told = query.condition(family) is not None
        return "" if told and _whole(family) and _even(family) else "None"
    if query.chain(family) == "none":
        return "" if _even(family) else "None"
    if query.chain(family) == "mask" or claim(family)[0] == "tight":
        return ""
    if claim(family)[0] == "none":
        return "None"
    flat = all(proportional(term, family, flat=True) for term in _read(family))
    return "lambda length: 1 / (length + 1)" if flat else "None"


def trained(family: ast.Family) -> bool:
    """Whether the loss is the likelihood but for a factor and a constant, lengths being equal."""
    if claim(family)[0] == "none" or mean_over(family) not in STEADY:
        return False
    if query.chain(family) == "both":
        return False  # the draws of the likelihood are others than those of training
    if not _whole(family) or any(map(counts, query.terms(family))):
        return False
    terms = query.terms(family)
    return any(
        None not in found and len(found) == 1
        for found in ({factor(term, family, flat=flat) for term in terms} for flat in (False, True))
    )


def mean_over(family: ast.Family) -> str:
    """What the loss is a mean over, in the words of the spec."""
    mean = query.the(query.entries(family, "loss"), ast.Mean)
    return f"{mean.over.id} per {mean.per.id}" if mean.per is not None else mean.over.id


def proportional(term: ast.Term, family: ast.Family, *, flat: bool = False) -> bool:
    """Whether a term's weight is a constant times the one that makes it part of the bound."""
    return factor(term, family, flat=flat) is not None


def factor(term: ast.Term, family: ast.Family, *, flat: bool) -> float | None:
    """What a term weighs beside the bound; None where that varies, whatever the params are.

    With `flat` times length + 1, a balance being what it is by default; a claim holds for all
    params, and so for no balance.
    """
    env = weights(family)
    if isinstance(bound(term, family), str) or (term.divergence.options and not flat):
        return None
    if _clamped(term, family):
        return None
    if any(given(option.value, env) != EVEN for option in term.divergence.options):
        return None
    as_set, *others = (_ratio(term, one, family, flat) for one in settings(family, env))
    if as_set is None or as_set <= 0 or None in others:
        return None
    share = EVEN if term.divergence.options else 1.0
    return round(share * as_set, 9)


def _ratio(term: ast.Term, env: Environment, family: ast.Family, flat: bool) -> float | None:
    """A term's weight beside the bound at some values of the params; None where that varies."""
    own = OWN.get(mean_over(family), "")
    weight = term.weight or ast.Name("one", span=term.span)
    points = list(_points(term, family))
    ratios = [
        value / point["bound"] * (point["length"] + 1 if flat else 1) / max(1, point.get(own, 1))
        for point, value in values(weight, env, points)
        if isinstance(value, float)
    ]
    if not ratios:
        return 0.0  # there is no such loss
    known = len(ratios) == len(points) and all(map(isfinite, ratios))
    return ratios[0] if known and max(ratios) - min(ratios) <= 1e-9 * max(ratios) else None


def _points(term: ast.Term, family: ast.Family) -> Iterator[Sample]:
    """Amounts of noise; of a head that says whether anything is missing also where nothing is."""
    least = (0.0,) if ends(term) else ()
    found = bound(term, family)
    for length, seen in ((2.0, 0.3), (5.0, 1.1), (17.0, 0.5), (1e6, 0.9)):
        for count, t in product((*least, 1.0, 2.0, length), (1e-6, 0.2, 0.7, 1 - 1e-6)):
            point = {"one": 1.0, "t": t, "count": count, "length": length, "visible": seen}
            yield with_bound(point, found, family)


def _even(family: ast.Family) -> bool:
    """Whether no example weighs more for its length, which what the heads see does not tell."""
    if OWN.get(mean_over(family)) == "length":
        return False
    env, terms = weights(family), query.terms(family)
    as_set, *others = settings(family, env)
    return all(
        _steady(term, as_set, family, least=1e-300)
        and all(_steady(term, one, family) for one in others)
        for term in terms
    )


def _steady(term: ast.Term, env: Environment, family: ast.Family, *, least: float = 0.0) -> bool:
    """Whether a weight is the same for all lengths, the rest being equal."""
    if term.weight is None:
        return True
    lengths, part, found = (1.0, 2.0, 5.0, 17.0, 1e6), bound(term, family), list[list[float]]()
    for t, seen in product((1e-3, 0.2, 0.7, 1 - 1e-3), (0.3, 1.1)):
        point = {"t": t, "visible": seen}
        points = [with_bound({**point, "length": n}, part, family) for n in lengths]
        found.append([v for _, v in values(term.weight, env, points) if isinstance(v, float)])
    if not any(found):
        return True  # there is no such loss
    return all(
        len(v) == len(lengths) and min(v) >= least and max(v) - min(v) <= 1e-9 * max(v)
        for v in found
    )


def _whole(family: ast.Family) -> bool:
    """Whether training draws all amounts of noise, but for a guard."""
    amount = query.amount(family)
    if amount is None or amount.variable.id == "count":
        return True
    low, high = map(literal, query.extent(amount))
    return low is not None and high is not None and low <= GUARD and high >= 1 - GUARD


def _clamped(term: ast.Term, family: ast.Family) -> bool:
    """Whether a weight is cut off where it is small or large."""
    calls = [call for call in query.calls(inlined(term, family)) if call.function in ("min", "max")]
    calls = [call for call in calls if not idle(call, term, family)]
    varying = {"t", "count", "length"}
    return any(
        {name.id for name in query.names(call)} & varying or any(map(_derived, query.calls(call)))
        for call in calls
    )


def _derived(call: ast.Call) -> bool:
    return call.function in DERIVED or call.function == "visible"


def given(expr: ast.Expr, env: Environment) -> float | None:
    """The value of a literal, or the default of a param."""
    return env.defaults.get(expr.id) if isinstance(expr, ast.Name) else literal(expr)


def samples(decoder: ir.Decoder, chain: str, stop: str) -> ir.Samples:
    """What the samples of a decoder are worth beside a likelihood that reads a head ``stop``."""
    reasons = _gone(decoder, stop) if chain == "gone" else []
    if decoder.unmask is not None:
        reasons += _mask(decoder.unmask, decoder)
    reasons += _cut(decoder)
    if reasons:
        return ir.Samples("none", "; ".join(reasons), (), "")
    if decoder.unmask is not None and decoder.grid != "uniform" and _ordered(decoder.unmask):
        return ir.Samples("heads", ORDERED, _neutral(decoder), "")
    if decoder.unmask is None or decoder.grid != "uniform":
        return ir.Samples("exact", "", _neutral(decoder), "")
    return ir.Samples("limit", TOGETHER, _neutral(decoder), decoder.steps_param)


def _ordered(unmask: ir.Unmask) -> bool:
    """Whether the order is another than a random one."""
    return unmask.order.scores not in ((), ("random",))


def _mask(unmask: ir.Unmask, decoder: ir.Decoder) -> list[str]:
    """Why revealing tokens does not end in the model's law, even with many steps."""
    grid = decoder.grid == "uniform" and unmask.gradual
    reasons = [] if grid or unmask.rule == "one" else ["several tokens are revealed at once"]
    if unmask.order.sampled:
        reasons.append("the order looks at the token that was drawn")
    if decoder.insert is not None and not decoder.insert.timely:
        reasons.append("masks do not come back at the times of the clock")
    if decoder.few is not None and not decoder.few.param:
        reasons.append("a row ends before the last token is sure to have come")
    if decoder.remask is not None and not decoder.remask.off:
        reasons.append("tokens are taken back and drawn anew, several at once")
    if decoder.guide is not None and not decoder.guide.scale.param:
        reasons.append("answers are led away from what the network says")
    return reasons


def _gone(decoder: ir.Decoder, stop: str) -> list[str]:
    if decoder.oracle:
        return ["its length is given"]
    asked = [stop for stop in decoder.stops if stop.kind in ("chance", "threshold")]
    if any(stop.kind == "threshold" for stop in asked):
        return ["it stops by a threshold"]
    if len(asked) == 1:
        other = stop and asked[0].name != stop
        return ["it stops by another head than the likelihood reads"] if other else []
    return ["it stops by several chances" if asked else "it never stops by itself"]


def _cut(decoder: ir.Decoder) -> list[str]:
    """What is not drawn from its whole law, whatever the params."""
    used = [one for one in (decoder.draw, decoder.pick, decoder.last) if one is not None]
    fixed = [
        code for name, code in _cuts(decoder) if not code.param and code.value != NEUTRAL[name]
    ]
    reasons = dict.fromkeys(f"{one.summary} is taken" for one in used if one.greedy)
    neutral = dict(_neutral(decoder))
    reasons |= {
        f"no value of `{name}` switches off all that it does": None
        for name, value in _switches(decoder)
        if neutral[name].value != value
    }
    return [*reasons, *(["laws are cut down"] if fixed else [])]


def _neutral(decoder: ir.Decoder) -> tuple[tuple[str, Code], ...]:
    """The values of its params at which a decoder cuts nothing off."""
    values = dict(_switches(decoder))
    return tuple((name, constant(value)) for name, value in values.items())


def _switches(decoder: ir.Decoder) -> list[tuple[str, float]]:
    """All that params do to the laws, each with the value at which that is nothing."""
    found = [(code.param, NEUTRAL[name]) for name, code in _cuts(decoder) if code.param]
    if decoder.guide is not None and decoder.guide.scale.param:
        found.append((decoder.guide.scale.param, 0.0))
    if decoder.remask is not None and decoder.remask.off:
        found.append((decoder.remask.off, 0.0))
    if decoder.few is not None and decoder.few.param:
        found.append((decoder.few.param, 0.0))
    return found


def _cuts(decoder: ir.Decoder) -> list[tuple[str, Code]]:
    """What is done to the laws before a draw: name and code of its value."""
    used = (decoder.draw, decoder.pick, decoder.last)
    tempered = [("temperature", stop.temperature) for stop in decoder.stops if stop.temperature]
    return [*(cut for one in used if one is not None for cut in one.cuts), *tempered]

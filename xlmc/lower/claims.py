"""What a reported likelihood is, and what the samples of a decoder are worth beside it."""

import re
from math import isfinite

from xlmc import ast, ir, query
from xlmc.check.loss import bound, inlined, weights, with_bound
from xlmc.check.scope import Environment, literal, values
from xlmc.check.words import DERIVED

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
NO_STOP = "no head of a chance says when nothing is missing, so no law over lengths is known"
TOGETHER = "tokens revealed in one step are drawn apart"
ORDERED = "the order is not a random one"
NEUTRAL = {"temperature": "1", "top_k": "0", "top_p": "1"}
PARAM = re.compile(r"self\.\w+")
STEADY = ("tokens", "sequences", "block", "tokens per sequence")  # alike for all of one length
OWN = {  # what a mean within each sequence divides its terms by
    "tokens per sequence": "length",
    "masked per sequence": "count",
    "gone per sequence": "count",
}
EVEN = 0.5  # a balance under which all rows count alike


def claim(family: ast.Family) -> tuple[str, str]:
    """The claim of the family's likelihood (tight, bound or none) and the reason for it."""
    if query.chain(family) == "mask":
        return "tight", MASK
    if query.chain(family) == "none":
        return "tight", NONE
    kinds = {term.divergence.kind for term in query.terms(family)}
    if query.chain(family) == "both":
        return ("bound", BOTH) if "poisson" in kinds else ("none", NO_RATE)
    if "binary_cross_entropy" not in kinds:
        return "none", NO_STOP
    if all(proportional(term, family) for term in query.terms(family)):
        return "tight", GONE
    return "bound", SLACK


def tilt(family: ast.Family) -> str:
    """By what the law of the best heads differs from the data's, as code over a length.

    Insertions are the reversal of random drops from the law p(x) w(L) / (L + 1), where w / (L + 1)
    is what the terms weigh beside the bound; nothing is known where that depends on more than L.
    Masks that are inserted and revealed end in the data's own law, if the heads are told the time.
    """
    if query.chain(family) == "mask" or claim(family)[0] == "tight":
        return ""
    if query.chain(family) == "both":
        return "" if query.condition(family) is not None else "None"
    flat = all(proportional(term, family, flat=True) for term in query.terms(family))
    return "lambda length: 1 / (length + 1)" if flat else "None"


def trained(family: ast.Family) -> bool:
    """Whether the loss is the likelihood but for a factor and a constant, lengths being equal."""
    if claim(family)[0] == "none" or mean_over(family) not in STEADY:
        return False
    if query.chain(family) == "both":
        return False  # the draws of the likelihood are others than those of training
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
    """What a term weighs beside the bound; None where that varies.

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
    own = OWN.get(mean_over(family), "")
    weight = term.weight or ast.Name("one", span=term.span)
    points = [
        with_bound(
            {"one": 1.0, "t": t, "count": count, "length": length, "visible": seen}, term, family
        )
        for length, seen in ((2.0, 0.3), (5.0, 1.1), (17.0, 0.5), (1e6, 0.9))
        for count in (1.0, 2.0, length)
        for t in (1e-6, 0.2, 0.7, 1 - 1e-6)
    ]
    ratios = [
        value / point["bound"] * (point["length"] + 1 if flat else 1) / point.get(own, 1.0)
        for point, value in values(weight, env, points)
        if isinstance(value, float)
    ]
    if (
        len(ratios) < len(points)
        or not all(map(isfinite, ratios))
        or max(ratios) - min(ratios) > 1e-9 * max(ratios)
    ):
        return None
    share = EVEN if term.divergence.options else 1.0
    return round(share * ratios[0], 9)


def _clamped(term: ast.Term, family: ast.Family) -> bool:
    """Whether a weight is cut off where it is small or large."""
    calls = [call for call in query.calls(inlined(term, family)) if call.function in ("min", "max")]
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


def samples(decoder: ir.Decoder, chain: str) -> ir.Samples:
    """What the samples of a decoder are worth beside the likelihood."""
    reasons = _gone(decoder) if chain == "gone" else []
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
    if decoder.few and not PARAM.fullmatch(decoder.few):
        reasons.append("a row ends before the last token is sure to have come")
    if decoder.remask is not None and not decoder.remask.off:
        reasons.append("tokens are taken back and drawn anew, several at once")
    if decoder.guide is not None and not PARAM.fullmatch(decoder.guide.scale):
        reasons.append("answers are led away from what the network says")
    return reasons


def _gone(decoder: ir.Decoder) -> list[str]:
    if decoder.oracle:
        return ["its length is given"]
    if any("uniform" in stop.code for stop in decoder.stops if stop.kind in ("head", "zero")):
        return []
    stops = any(stop.kind in ("head", "zero") for stop in decoder.stops)
    return ["it stops by a threshold" if stops else "it never stops by itself"]


def _cut(decoder: ir.Decoder) -> list[str]:
    """What is not drawn from its whole law, whatever the params."""
    used = [one for one in (decoder.draw, decoder.pick, decoder.last) if one is not None]
    fixed = [
        code
        for name, code in _cuts(decoder)
        if not PARAM.fullmatch(code) and code not in (NEUTRAL[name], f"{NEUTRAL[name]}.0")
    ]
    reasons = dict.fromkeys(f"{one.summary} is taken" for one in used if one.greedy)
    return [*reasons, *(["laws are cut down"] if fixed else [])]


def _neutral(decoder: ir.Decoder) -> tuple[tuple[str, str], ...]:
    """The values of its params at which a decoder cuts nothing off."""
    found = {
        code.removeprefix("self."): NEUTRAL[name]
        for name, code in _cuts(decoder)
        if PARAM.fullmatch(code)
    }
    if decoder.guide is not None:
        found[decoder.guide.scale.removeprefix("self.")] = "0"
    if decoder.remask is not None:
        found[decoder.remask.off] = "0"
    if decoder.few:
        found[decoder.few.removeprefix("self.")] = "0"
    return tuple(found.items())


def _cuts(decoder: ir.Decoder) -> list[tuple[str, str]]:
    """What is done to the laws before a draw: name and code of its value."""
    used = (decoder.draw, decoder.pick, decoder.last)
    tempered = [("temperature", stop.temperature) for stop in decoder.stops if stop.temperature]
    return [*(cut for one in used if one is not None for cut in one.cuts), *tempered]

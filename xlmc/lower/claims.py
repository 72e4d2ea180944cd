"""What a reported likelihood is, and what the samples of a decoder are worth beside it."""

from xlmc import ast, ir, query
from xlmc.check.loss import bound, weights, with_bound
from xlmc.check.scope import values

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
NO_STOP = "no head says when nothing is missing, so there is no law over lengths"


def claim(family: ast.Family) -> tuple[str, str]:
    """The claim of the family's likelihood (tight, bound or none) and the reason for it."""
    if query.chain(family) == "mask":
        return "tight", MASK
    kinds = {term.divergence.kind for term in query.terms(family)}
    if "binary_cross_entropy" not in kinds:
        return "none", NO_STOP
    if all(proportional(term, family) for term in query.terms(family)):
        return "tight", GONE
    return "bound", SLACK


def proportional(term: ast.Term, family: ast.Family) -> bool:
    """Whether a term's weight is a constant times the one that makes it part of the bound."""
    if isinstance(bound(term, family), str):
        return False
    env = weights(family)
    weight = term.weight or ast.Name("one", span=term.span)
    points = [
        with_bound({"one": 1.0, "t": t, "count": count, "length": length}, term, family)
        for length in (2.0, 5.0, 17.0)
        for count in (1.0, 2.0)
        for t in (0.2, 0.7)
    ]
    ratios = [
        value / point["bound"]
        for point, value in values(weight, env, points)
        if isinstance(value, float)
    ]
    return len(ratios) == len(points) and max(ratios) - min(ratios) < 1e-9 * max(ratios)


def samples(decoder: ir.Decoder, claim_: str) -> str:
    """What the samples of a decoder are worth beside the likelihood."""
    if claim_ == "none":
        return "there is no likelihood to compare them with"
    reasons = _gone(decoder) if decoder.unmask is None else _mask(decoder.unmask)
    if reasons:
        return "not a sample of the law that the likelihood is of: " + "; ".join(reasons)
    law = "a sample of the law that the likelihood is of"
    if decoder.unmask is not None and decoder.unmask.rule == "chance":
        law += ", as the number of steps grows (tokens revealed in one step are drawn apart)"
    neutral = _neutral(decoder)
    return law + (f", if {' and '.join(neutral)}" if neutral else "")


def _mask(unmask: ir.Unmask) -> list[str]:
    reasons = []
    if unmask.rule in ("quota", "above", "all"):
        reasons.append("several tokens are revealed at once")
    if unmask.order.sampled:
        reasons.append("the order looks at the token that was drawn")
    return reasons


def _gone(decoder: ir.Decoder) -> list[str]:
    greedy = decoder.draw.greedy or (decoder.pick is not None and decoder.pick.greedy)
    reasons = ["the likeliest insertion is taken"] if greedy else []
    if not any("uniform" in stop.code for stop in decoder.stops if stop.kind == "head"):
        reasons.append("it stops by a threshold" if _stops(decoder) else "it never stops by itself")
    return reasons


def _stops(decoder: ir.Decoder) -> bool:
    return any(stop.kind == "head" for stop in decoder.stops)


def _neutral(decoder: ir.Decoder) -> list[str]:
    """The values of its params at which a decoder cuts nothing off."""
    neutral = {"tempered": "1", "keep_top_k": "0", "keep_top_p": "1"}
    samplers = [s for s in (decoder.draw, decoder.pick) if s is not None]
    return [
        f"{code.removeprefix('self.')} = {neutral[function]}"
        for sampler in samplers
        for function, code in sampler.steps
    ]

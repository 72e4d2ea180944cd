"""The claims about a decoder's samples: do they follow the distribution of the likelihood?"""

from xlmc.calculus.code import Code, constant
from xlmc.lower import ir
from xlmc.resolve import defaults
from xlmc.theory.process import Process

TOGETHER = "tokens revealed in one step are drawn independently"
SPLIT = "a text ends at a string that a later insertion could still split"
ANEW = "tokens of one step are drawn independently"
BESIDE = "tokens inserted in one step are drawn independently, and no gap gets two"
EDITED = "edits of one step are drawn independently, and a gap gets one token at most"
ORDERED = "the order is not a random one"
CARRIED = "they also read what they said in the calls before"
NEUTRAL = {name: float(value) for name, (_, value) in defaults.NEUTRAL.items()}


def samples(decoder: ir.Decoder, process: Process, stop: str) -> ir.Samples:
    """Return the claim about a decoder's samples; ``stop``: the head that the likelihood reads."""
    reasons = _gone(decoder, stop) if process.drops and not process.masks else []
    if decoder.editing is not None and not decoder.editing.timely:
        reasons.append("edits do not come at the times of the clock")
    if decoder.unmask is not None:
        reasons += _mask(decoder.unmask, decoder)
    if decoder.keep is not None:
        reasons.append("places compete by the tokens that were drawn")
    if decoder.substitute is not None and not decoder.substitute.function:
        reasons.append("tokens are drawn for t = 0 at every step")
    if decoder.correct is not None:
        reasons.append("tokens are replaced after the last step")
    if decoder.ends and process.drops:
        reasons.append(SPLIT)
    if decoder.guide is not None and not decoder.guide.scale.param:
        reasons.append("answers are led away from what the network says")
    if decoder.holds:
        reasons.append("keys and values are kept that were made in view of other tokens")
    reasons += _cut(decoder)
    if reasons:
        return ir.Samples("none", "; ".join(reasons), (), decoder.steps_param)
    if decoder.unmask is not None and not decoder.timed and _ordered(decoder.unmask.order):
        return ir.Samples("heads", ORDERED, _neutral(decoder), "")
    if decoder.carries and not decoder.timed:
        return ir.Samples("heads", CARRIED, _neutral(decoder), "")
    if not decoder.timed:
        return ir.Samples("exact", "", _neutral(decoder), "")
    why = TOGETHER if decoder.unmask is not None else BESIDE
    why = ANEW if decoder.substitute is not None else why
    why = EDITED if decoder.editing is not None else why
    return ir.Samples("limit", why, _neutral(decoder), decoder.steps_param)


def _ordered(order: ir.Order) -> bool:
    """Return whether the order is another than a random one."""
    return order.scores not in ((), ("random",))


def _mask(unmask: ir.Unmask, decoder: ir.Decoder) -> list[str]:
    """List why revealing tokens does not sample the model's distribution, even with many steps."""
    grid = decoder.timed and unmask.gradual
    single = all(pace.rule.single for pace in unmask.paces)
    reasons = [] if grid or single else ["several tokens are revealed at once"]
    if not unmask.timely:
        reasons = ["masks are not revealed at the times of their clocks"]
    if unmask.order.sampled:
        reasons.append("the order looks at the token that was drawn")
    if decoder.insert is not None and not decoder.insert.timely:
        reasons.append("masks are not inserted at the times of the clock")
    if decoder.insert is not None and decoder.blocks is not None and not single:
        reasons.append("masks wait for those further left, longer than their clock tells")
    if decoder.few is not None and not decoder.few.param:
        reasons.append("a row ends before the last token is sure to have come")
    if decoder.asked:
        reasons.append("a row ends by a head, whatever the clock of insertion says")
    reasons += [edit.word.why for edit in decoder.edits if not edit.off]
    if decoder.size is not None and decoder.size.greedy:
        reasons.append("the likeliest length is taken")
    return reasons


def _in_time(decoder: ir.Decoder) -> list[str]:
    """Return why insertions on a grid do not sample by the rates, even with many steps."""
    several = decoder.several
    if several is None:
        return ["one token comes at each step, whatever the time"]
    reasons = []
    if not decoder.timed or not several.apart:
        reasons.append("the number of tokens inserted in a step is not drawn as the rates say")
    elif not several.timely:
        reasons.append("tokens are not inserted at the times of the clock")
    elif several.joint and (several.at == "gaps" or several.kind != "count"):
        reasons.append("its distribution of gaps and tokens is not that of the rates")
    if _ordered(several.order):
        reasons.append("the surest gaps come first")
    if any(stop.kind in ("chance", "threshold") for stop in decoder.stops):
        reasons.append("a row may stop before its time is over")
    return [*reasons, *(edit.word.why for edit in decoder.edits if not edit.off)]


def _gone(decoder: ir.Decoder, stop: str) -> list[str]:
    if decoder.editing is not None:
        return []
    if decoder.oracle:
        return ["its length is given"]
    if decoder.timed or decoder.several is not None:
        return _in_time(decoder)
    asked = decoder.asked
    if any(stop.kind == "threshold" for stop in asked):
        return ["it stops by a threshold"]
    if len(asked) == 1:
        if not stop:
            return ["no likelihood reads the head by which it stops"]
        return ["it stops by another head than the likelihood reads"] * (asked[0].name != stop)
    return ["it stops by several chances" if asked else "it never stops by itself"]


def _cut(decoder: ir.Decoder) -> list[str]:
    """List the draws that are not from a whole distribution, at any values of the params."""
    fixed = [
        code for name, code in _cuts(decoder) if not code.param and code.value != NEUTRAL[name]
    ]
    reasons = dict.fromkeys(f"{one.summary} is taken" for one in _samplers(decoder) if one.greedy)
    neutral = dict(_neutral(decoder))
    reasons |= {
        f"no value of `{name}` switches off all that it does": None
        for name, value in _switches(decoder)
        if neutral[name].value != value
    }
    return [*reasons, *(["distributions are truncated or tempered"] if fixed else [])]


def _neutral(decoder: ir.Decoder) -> tuple[tuple[str, Code], ...]:
    """Return the values of its params at which a decoder truncates nothing."""
    values = dict(_switches(decoder))
    return tuple((name, constant(value)) for name, value in values.items())


def _switches(decoder: ir.Decoder) -> list[tuple[str, float]]:
    """Return the params that change a distribution, each with the value that changes nothing."""
    found = [(code.param, NEUTRAL[name]) for name, code in _cuts(decoder) if code.param]
    if decoder.guide is not None and decoder.guide.scale.param:
        found.append((decoder.guide.scale.param, 0.0))
    found += [(edit.off, 0.0) for edit in decoder.edits if edit.off]
    if decoder.few is not None and decoder.few.param:
        found.append((decoder.few.param, 0.0))
    return found


def _cuts(decoder: ir.Decoder) -> list[tuple[str, Code]]:
    """Return the changes of distributions before a draw: name and code of the value."""
    tempered = [("temperature", stop.temperature) for stop in decoder.stops if stop.temperature]
    return [*(cut for one in _samplers(decoder) for cut in one.cuts), *tempered]


def _samplers(decoder: ir.Decoder) -> list[ir.Sampler]:
    """Return all draws of tokens and gaps."""
    edits = decoder.editing.draw if decoder.editing is not None else None
    every = (decoder.draw, decoder.pick, decoder.last, edits)
    return [one for one in every if one is not None]

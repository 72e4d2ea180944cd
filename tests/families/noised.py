"""Specs drawn at random whose noise masks tokens or takes them out."""

from hypothesis import strategies as st

from families.decoders import gone_decoders, masked_decoders
from families.sections import (
    FIXED,
    LEFT_OVER,
    SMOOTH,
    STEEP,
    TIMES,
    Heads,
    Noise,
    apart,
    maybe,
    says,
    section,
)
from families.words import names


@st.composite
def noised_specs(draw: st.DrawFn, chain: str | None = None) -> str:
    """The text of a spec with noise."""
    has_stop = draw(st.booleans())
    noise, noise_text = draw(noises(chain, has_stop))
    taken = {noise.survival, noise.param, "temperature", "top_k", "top_p"}
    main = draw(names("a head", taken, "token", "slot", "what"))
    stop = draw(names("a head", taken, "done", "full")) if has_stop else ""
    other = draw(names("a head", taken, "second", "spare")) if draw(st.integers(0, 4)) == 0 else ""
    told = ["", "t", "sigma"] if noise.left_over else ["", "t"]
    whole = noise.chain == "mask" and not noise.fixed
    condition = draw(st.sampled_from(told)) if whole else ""
    place = draw(st.sampled_from(["cls", "bos"])) if stop else ""
    shifted = noise.chain == "mask" and draw(st.booleans())
    hides = draw(st.sampled_from(["", "prompt", "given"])) if noise.chain == "mask" else ""
    heads = Heads(main, other, stop, place, condition, hides, shifted)
    make = masked_decoders if noise.chain == "mask" else gone_decoders
    labels = set[str]()
    named = draw(st.lists(names("a decoder", labels, "sampled", "fast"), max_size=2))
    default = draw(make(noise, heads, ""))
    decoders = [default, *(apart(draw(make(noise, heads, one)), default) for one in named)]
    family = draw(names("a family", set(), "drawn", "toy", "my_model"))
    return (
        f'family {family} "A drawn family" {{\n'
        + noise_text
        + draw(networks(noise, heads))
        + draw(losses(noise, heads))
        + "".join(decoders)
        + draw(collations(noise, heads))
        + maybe(draw, "  recipe star_easy { batch 64; steps 1_000; learning_rate 1e-3 }\n")
        + "}\n"
    )


@st.composite
def noises(draw: st.DrawFn, chain: str | None, told: bool) -> tuple[Noise, str]:
    """The noise section; ``told`` if a chance head must see rows in which nothing is missing."""
    chain = chain or draw(st.sampled_from(["mask", "gone"]))
    survival = draw(
        names("a schedule", {"temperature", "top_k", "top_p"}, "alpha", "keep", "kappa", "survive")
    )
    timed = draw(st.booleans())
    formula = draw(st.sampled_from(SMOOTH if timed else SMOOTH + STEEP))
    lowest = 1 if chain == "mask" else 0
    amount = ""
    if timed:
        amount = f"amount t ~ {draw(st.sampled_from([*TIMES, *FIXED]))}"
    elif draw(st.booleans()):
        lowest = 0 if told else draw(st.sampled_from([0, 1]))
        amount = f"amount count ~ uniform({lowest}, length)"
    elif told and lowest:
        lowest, amount = 0, "amount count ~ uniform(0, length)"
    fixed = "fixed" in amount
    if amount and not fixed:
        amount += draw(st.sampled_from(["", " antithetic", " stratified"]))
    param = ""
    if formula == "(1 - t)**2" and draw(st.booleans()):
        param = draw(names("a param of the noise", {survival}, "power", "clock", "p"))
        formula = f"(1 - t)**{param}"
    arrow = f"clean -> {chain}  survival {survival}(t) = {formula}"
    facts = Noise(chain, survival, timed, fixed, lowest, formula in LEFT_OVER, param)
    return facts, section("noise", [param and f"param {param} : Size = 2", arrow, amount])


@st.composite
def networks(draw: st.DrawFn, noise: Noise, heads: Heads) -> str:
    """The network section."""
    found = ["rotary", "dit", "qwen2", 'qwen2(pretrained = "someone/weights")']
    backbone = draw(st.sampled_from(found))
    if heads.condition:
        backbone = f"dit(condition = {heads.condition})"
    place = " at gaps" if noise.chain == "gone" else draw(st.sampled_from(["", " at tokens"]))
    shifted = " shifted" * heads.shifted
    return section(
        "network",
        [
            f"backbone {backbone}",
            maybe(draw, "attention full"),
            f"head {heads.main} : logits{place}{shifted}",
            f"head {heads.other} : logits{place}{shifted}" if heads.other else "",
            f"head {heads.stop} : chance at {heads.stop_at}" if heads.stop else "",
        ],
    )


@st.composite
def losses(draw: st.DrawFn, noise: Noise, heads: Heads) -> str:
    """The loss section, with weights of every kind."""
    taken = {heads.main, heads.other, heads.stop, noise.survival}
    scale = draw(names("a param of the loss", taken, "scale", "stop_scale", "lam"))
    power = draw(names("a let", taken, "power", "half"))
    chance = draw(names("a param of the loss", taken, "kernel", "near"))
    balance = draw(names("a param of the loss", taken, "balance", "share_of_stop"))
    token = {
        "mask": "cross_entropy(x0) on mask",
        "gone": "joint_cross_entropy(gone)",
    }[noise.chain]
    bounded = noise.chain == "mask" or (heads.stop and not noise.timed)
    bounded = bounded and not noise.fixed
    weights = ["", "", scale, f"0.5 * {scale}", "1 + length / 8", f"max({scale}, 0.1)", power, "2"]
    weights += ["min(1, 4 / (1 + count))", f"sqrt(length) * {power}", f"exp(-{scale})"]
    weights += [f"min({scale}, length)", "1 / (1 + count)", "pi", f"-(-{scale})", "count * 1e-9"]
    if bounded:
        weights += ["bound", "bound", f"0.001 * bound + {scale}"]
        weights += [f"min(bound, 5 * {scale}) * {power}"]
    if noise.timed:
        a = noise.survival
        weights += [f"{a}(t)", f"-{a}'(t)", f"min(1, hazard({a}))", f"{a}(t / 2)", "1 - t"]
        weights += [f"exp(-sigma({a}))", f"corrupted({a})", "sin(pi * t)", "t * count"]
        weights += [f"min(dsigma({a}), 3)", f"max({scale}, t, length)", f"{a}(t) * {power}"]

    near = [f"{half} * visible(geometric({p}))" for half in ("0.5", scale) for p in ("0.3", chance)]
    near += [f"max(0.1, visible(geometric({chance}))) / (1 + count)", "visible(geometric(1))"]
    if noise.chain == "mask":
        weights += near

    def weight(of: list[str] = weights) -> str:
        chosen = draw(st.sampled_from(of))
        return f"  weight {chosen}" if chosen else ""

    terms = [f"{heads.main} : {token}{weight()}"]
    if heads.other:
        terms.append(f"{heads.other} : {token}{weight()}")
    if heads.stop:
        share = draw(st.sampled_from(["", "", ", balance = 0.9", f", balance = {balance}"]))
        event = f"binary_cross_entropy(none {noise.chain}{share})"
        shown = [w for w in weights if "bound" not in w or noise.chain == "gone"]
        shown = [w for w in shown if "visible" not in w]
        terms.append(f"{heads.stop} : {event}{weight(shown)}")
    text = " ".join(terms)
    value = draw(st.sampled_from([f"{scale} / 2", "0.5", "1 / (1 + length)"]))
    return section(
        "loss",
        [
            f"param {balance} : Chance = 0.3" if says(text, f"balance = {balance}") else "",
            f"param {scale} : {draw(st.sampled_from(['Scale', 'Chance']))} = 1"
            if says(text, scale) or (says(text, power) and says(value, scale))
            else "",
            f"param {chance} : Chance = 0.3" if says(text, chance) else "",
            f"let {power} = {value}" if says(text, power) else "",
            *terms,
            draw(means(noise)),
        ],
    )


def means(noise: Noise) -> st.SearchStrategy[str]:
    """Every denominator, and none."""
    over = ["tokens", "masked" if noise.chain == "mask" else "gone"]
    every = [*over, "block", "sequences", *(f"{one} per sequence" for one in over)]
    return st.sampled_from(["", *(f"mean over {one}" for one in every)])


@st.composite
def collations(draw: st.DrawFn, noise: Noise, heads: Heads) -> str:
    """The collate section; the special that a chance is read at stands once in every layout."""
    kinds = draw(st.lists(st.sampled_from(["text", "seq2seq", "infill"]), min_size=1, unique=True))
    needed = {"prompt": "seq2seq", "given": "infill"}.get(heads.hides, kinds[0])
    kinds = list(dict.fromkeys([*kinds, needed]))
    lines = [draw(layouts(kind, noise, heads)) for kind in kinds]
    pads = ["", "pad body right", "pad prompt right", "pad body right, prompt left"]
    return section("collate", [*lines, draw(st.sampled_from(pads))])


@st.composite
def layouts(draw: st.DrawFn, kind: str, noise: Noise, heads: Heads) -> str:
    """One layout."""
    before = draw(st.sampled_from([["bos"], ["cls", "bos"], ["cls"], []]))
    insides = ["body", "body eos"] + ["body eos pad"] * (noise.chain == "mask")
    inside = draw(st.sampled_from(insides))
    after = ["eos"] if "eos" not in inside and draw(st.booleans()) else []
    if heads.stop_at and heads.stop_at not in before:
        before = [heads.stop_at, *before]
    if noise.chain in ("gone", "both") and not before and kind != "seq2seq":
        before = ["bos"]
    if kind == "seq2seq":
        before = list(before)
        before.insert(draw(st.integers(0, len(before))), "prompt")
    keeping = " keeping given" if kind == "infill" else ""
    return f"{kind} : {' '.join([*before, f'[{inside}]', *after])}{keeping}"

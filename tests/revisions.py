"""Specs drawn at random of tokens that become random ones, and are all drawn anew in a step."""

from families.decoders import cuts, guides, options
from families.noised import collations, means
from families.sections import LEFT_OVER, SMOOTH, TIMES, Heads, Noise, apart, maybe, says, section
from families.words import names
from hypothesis import strategies as st


@st.composite
def revisions(draw: st.DrawFn) -> str:
    """The text of a whole spec."""
    taken = {"temperature", "top_k", "top_p"}
    alpha = draw(names("a schedule", taken, "alpha", "keep", "stay"))
    token = draw(names("a head", taken, "token", "what"))
    other = draw(names("a head", taken, "second", "spare")) if draw(st.integers(0, 3)) == 0 else ""
    hides = draw(st.sampled_from(["", "prompt"]))
    condition = draw(st.sampled_from(["", "t", "t"]))
    noise = Noise("random", alpha, True, False, 0, False, "")
    heads = Heads(token, other, "", "", condition, hides)
    labels = set[str]()
    named = draw(st.lists(names("a decoder", labels, "sampled", "fast"), max_size=2))
    default = draw(decoders(noise, heads, ""))
    more = [apart(draw(decoders(noise, heads, one)), default) for one in named]
    return (
        'family drawn "A drawn family" {\n'
        + draw(noises(alpha))
        + draw(networks(heads))
        + draw(losses(noise, heads))
        + "".join([default, *more])
        + draw(collations(noise, heads))
        + "}\n"
    )


@st.composite
def noises(draw: st.DrawFn, alpha: str) -> str:
    """The arrow, and the amount by time."""
    formula = draw(st.sampled_from([one for one in SMOOTH if one not in LEFT_OVER]))
    spread = draw(st.sampled_from(["", " antithetic", " stratified"]))
    amount = f"amount t ~ {draw(st.sampled_from(TIMES))}"
    arrow = f"clean -> random  survival {alpha}(t) = {formula}"
    return section("noise", [arrow, maybe(draw, f"{amount}{spread}")])


@st.composite
def networks(draw: st.DrawFn, heads: Heads) -> str:
    """The network section."""
    backbone = f"dit(condition = {heads.condition})" if heads.condition else "rotary"
    said = [f"head {one} : logits" for one in (heads.main, heads.other) if one]
    return section("network", [f"backbone {backbone}", maybe(draw, "attention full"), *said])


@st.composite
def losses(draw: st.DrawFn, noise: Noise, heads: Heads) -> str:
    """The loss section."""
    taken = {noise.survival, heads.main, heads.other}
    scale = draw(names("a param of the loss", taken, "scale", "lam"))
    weights = ["", "bound", "bound", scale, f"{scale} * bound", f"min(bound, 5 * {scale})"]
    weights += [f"min(1, hazard({noise.survival}))", f"{noise.survival}(t)", "length / 4"]
    terms = []
    for head in filter(None, (heads.main, heads.other)):
        weight = draw(st.sampled_from(weights))
        terms.append(f"{head} : posterior(x0)" + (f"  weight {weight}" if weight else ""))
    needed = f"param {scale} : Scale = 1" if says(" ".join(terms), scale) else ""
    over = draw(means(noise).filter(lambda mean: "gone" not in mean))
    return section("loss", [needed, *terms, over])


@st.composite
def decoders(draw: st.DrawFn, noise: Noise, heads: Heads, name: str) -> str:
    """A whole decoder that draws all tokens anew."""
    taken = {heads.main, heads.other, noise.survival, "temperature", "top_k", "top_p"}
    steps = draw(names("a param of a decoder", taken, "steps", "calls"))
    amount = draw(names("a param of a decoder", taken, "scale", "lead"))
    times = draw(st.sampled_from(["3", steps]))
    head = draw(st.sampled_from([heads.main, heads.other or heads.main]))
    cut = draw(cuts())
    drawn = f"draw {head}{draw(st.sampled_from(['', ' from posterior']))}{cut}"
    guide = draw(guides(amount, heads))
    return section(
        f"decoder {name}".rstrip(),
        [
            maybe(draw, "start random"),
            f"param {steps} : Count = 2" if times == steps else "",
            f"param {amount} : Scale = 0.5" if says(guide, amount) else "",
            *options(cut),
            f"grid uniform({times})",
            f"step {{\n  substitute all\n  {drawn}\n}}",
            guide,
        ],
    )

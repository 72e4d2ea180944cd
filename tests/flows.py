"""Specs drawn at random of two clocks: tokens that become masks, and masks that go."""

from families.decoders import draws, options, orders
from families.noised import collations
from families.sections import LEFT_OVER, SMOOTH, TIMES, Heads, Noise, apart, maybe, says, section
from families.words import names
from hypothesis import strategies as st

LAWS = ("count", "distribution(4)", "distribution(12)")


@st.composite
def flows(draw: st.DrawFn) -> str:
    """The text of a whole spec."""
    taken = {"temperature", "top_k", "top_p"}
    alpha = draw(names("a schedule", taken, "alpha", "unmask_by", "keep"))
    beta = draw(names("a schedule", taken, "beta", "kappa", "stay"))
    token = draw(names("a head", taken, "token", "what"))
    gap = draw(names("a head", taken, "gap", "missing", "how_many"))
    law = draw(st.sampled_from(LAWS))
    noise = Noise("both", alpha, True, False, 0, False, "")
    heads = Heads(token, "", "", "", "", "")
    labels = set[str]()
    named = draw(st.lists(names("a decoder", labels, "sampled", "fast"), max_size=2))
    default = draw(decoders(noise, beta, heads, gap, ""))
    more = [apart(draw(decoders(noise, beta, heads, gap, one)), default) for one in named]
    return (
        'family drawn "A drawn family" {\n'
        + draw(noises(alpha, beta))
        + draw(networks(token, gap, law))
        + draw(losses(noise, beta, token, gap, law))
        + "".join([default, *more])
        + draw(collations(noise, heads))
        + "}\n"
    )


@st.composite
def noises(draw: st.DrawFn, alpha: str, beta: str) -> str:
    """Both arrows."""
    formulas = st.sampled_from([one for one in SMOOTH if one not in LEFT_OVER] + [LEFT_OVER[0]])
    spread = draw(st.sampled_from(["", " antithetic", " stratified"]))
    amount = f"amount t ~ {draw(st.sampled_from(TIMES))}{spread}"
    return section(
        "noise",
        [
            f"clean -> mask  survival {alpha}(t) = {draw(formulas)}",
            f"mask -> gone  survival {beta}(t) = {draw(formulas)}",
            maybe(draw, amount),
        ],
    )


@st.composite
def networks(draw: st.DrawFn, token: str, gap: str, law: str) -> str:
    """The network section."""
    backbone = draw(st.sampled_from(["rotary", "dit", "dit(condition = t)", "dit(condition = t)"]))
    heads = [f"head {token} : logits", f"head {gap} : {law} at gaps"]
    return section("network", [f"backbone {backbone}", *draw(st.permutations(heads))])


@st.composite
def losses(draw: st.DrawFn, noise: Noise, beta: str, token: str, gap: str, law: str) -> str:
    """The loss section."""
    taken = {noise.survival, beta, token, gap}
    scale = draw(names("a param of the loss", taken, "scale", "lam"))
    weights = ["", scale, "bound", f"{scale} * bound", f"min(bound, 5 * {scale})", "length / 4"]
    weights += [f"min(1, hazard({beta}))", f"{noise.survival}(t)", f"corrupted({beta}) * t"]
    first, second = draw(st.sampled_from(weights)), draw(st.sampled_from(weights))
    kind = "poisson(gone)" if law == "count" else "cross_entropy(gone)"
    second = "" if "bound" in second and law != "count" else second
    terms = [
        f"{token} : cross_entropy(x0) on mask" + (f"  weight {first}" if first else ""),
        f"{gap} : {kind}" + (f"  weight {second}" if second else ""),
    ]
    over = ["", "tokens", "block", "sequences", "tokens per sequence"]
    mean = draw(st.sampled_from(over))
    used = says(f"{first} {second}", scale)
    return section(
        "loss",
        [
            f"param {scale} : Scale = 1" if used else "",
            *draw(st.permutations(terms)),
            f"mean over {mean}" if mean else "",
        ],
    )


@st.composite
def decoders(draw: st.DrawFn, noise: Noise, beta: str, heads: Heads, gap: str, name: str) -> str:
    """A whole decoder that unmasks and inserts."""
    taken = {heads.main, gap, noise.survival, beta, "temperature", "top_k", "top_p"}
    steps = draw(names("a param of a decoder", taken, "steps", "calls"))
    order = draw(names("a param of a decoder", taken, "order", "rule"))
    let = draw(names("a let", taken, "back", "part"))
    a = noise.survival
    found = [f"chance reveal({a})", f"poisson masked * reveal({a})", "one", "all", "quota 2"]
    found += ["quota masked / steps_left", "poisson 1.5", "above 0.3", "chance 0.5", "quota length"]
    rule = draw(st.sampled_from(found))
    by = draw(orders(rule.replace("poisson", "quota"), order))
    by = by.replace(" of sampled", "") if by.startswith(f"by {order}") else by
    more = [f"poisson {gap} * reveal({beta})", f"chance min(1, {gap} * reveal({beta}))"]
    more += [f"poisson {let} * {gap}", f"poisson {gap} / steps_left", f"poisson {gap} * (t - s)"]
    more += [f"chance 1 - exp(-{gap})", f"poisson min({gap}, 1 + masked + length) * {beta}(s)"]
    insert = draw(st.sampled_from(more))
    value = draw(st.sampled_from([f"reveal({beta})", "1 / (1 + masked)", "0.3", "t / 2"]))
    drawn = draw(draws(heads.main))
    actions = draw(
        st.permutations([f"unmask {rule} {by}".rstrip(), f"insert masks {insert}", drawn])
    )
    others = "" if rule.startswith("above") else " | left"  # a threshold needs the network
    grid = draw(st.sampled_from([steps, "3"]))
    finish = draw(st.sampled_from(["", f"finish {{ unmask all; draw {heads.main} greedy }}"]))
    policy = draw(st.sampled_from(["", "overflow skip_row", "overflow drop_right"]))
    return section(
        f"decoder {name}".rstrip(),
        [
            f"param {steps} : Count = 3" if grid == steps else "",
            f"param {order} = confidence | margin{others}" if says(by, order) else "",
            *options(drawn, "temperature" if by.endswith("temperature temperature") else ""),
            f"let {let} = {value}" if says(insert, let) else "",
            f"grid uniform({grid})",
            "\n".join(["step {", *actions, "}"]),
            finish,
            policy,
        ],
    )

"""Specs drawn at random: shares of random tokens, blocks with noise of their own, and events."""

from families.decoders import cuts, options, orders
from families.noised import collations
from families.sections import LEFT_OVER, SMOOTH, TIMES, Heads, Noise, apart, maybe, section
from families.words import names
from hypothesis import strategies as st

CUTS = {"temperature", "top_k", "top_p"}
FALLS = st.sampled_from([one for one in SMOOTH if one not in LEFT_OVER])
SPREADS = st.sampled_from(["", " antithetic", " stratified"])
CAP = "param cap : Scale = 3"
HEAD = 'family drawn "A drawn family" {\n'


def drawn(head: str, law: str, cut: str) -> str:
    """A draw of tokens."""
    return f"draw {head}{law}{cut}"


# Masks and random tokens by one clock


@st.composite
def shares(draw: st.DrawFn) -> str:
    """The text of a spec whose tokens become masks or random ones."""
    taken = set(CUTS)
    alpha = draw(names("a schedule", taken, "alpha", "keep"))
    token = draw(names("a head", taken, "token", "what"))
    part = draw(names("a param of the noise", taken, "part", "p_uniform"))
    found = ["0.3 * (1 - t)", "1 - t", "t * (1 - t)", f"{part} * (1 - t)", "c / (1 + c)"]
    share = draw(st.sampled_from(found))
    condition = draw(st.sampled_from(["t", "t", ""]))
    weights = ["", "bound", "bound", "0.5 * bound", "min(bound, cap)"]
    weight = draw(st.sampled_from(weights))
    noise = section("noise", [
        f"param {part} : Chance = 0.2" if part in share else "",
        "let c = 2 * t * (1 - t)" if "c /" in share else "",
        f"clean -> mask | random share {share}  survival {alpha}(t) = {draw(FALLS)}",
        maybe(draw, f"amount t ~ {draw(st.sampled_from(TIMES))}{draw(SPREADS)}"),
    ])  # fmt: skip
    network = section("network", [
        f"backbone {f'dit(condition = {condition})' if condition else 'rotary'}",
        f"head {token} : logits",
    ])  # fmt: skip
    loss = section("loss", [
        CAP if "cap" in weight else "",
        f"{token} : posterior(x0)" + (f"  weight {weight}" if weight else ""),
        draw(st.sampled_from(["", "mean over tokens", "mean over sequences", "mean over block"])),
    ])  # fmt: skip
    cut = draw(cuts())
    decoder = section("decoder", [
        maybe(draw, "start masks"),
        *options(cut),
        "grid uniform(3)",
        "\n".join([
            "step {", *draw(st.permutations(["unmask all", "substitute all"])),
            drawn(token, draw(st.sampled_from(["", " from posterior"])), cut), "}",
        ]),
    ])  # fmt: skip
    facts = Noise("random", alpha, True, False, 0, False, "")
    heads = Heads(token, "", "", "", condition, "")
    return HEAD + noise + network + loss + decoder + draw(collations(facts, heads)) + "}\n"


# Blocks with noise of their own


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """The text of a spec that is written block by block."""
    taken = set(CUTS)
    alpha = draw(names("a schedule", taken, "alpha", "keep"))
    token = draw(names("a head", taken, "token", "what"))
    block = draw(names("a param of the noise", taken, "block", "width"))
    size = draw(st.sampled_from(["2", "3", block]))
    times = [f"amount t ~ {one}" for one in TIMES]
    amount = draw(st.sampled_from(["", "amount count ~ uniform(1, length)", *times]))
    weights = ["", "bound", "0.5 * bound", "min(bound, cap)"]
    weight = draw(st.sampled_from(weights))
    noise = section("noise", [
        f"param {block} : Size = 3" if size == block else "",
        f"blocks {size}",
        f"clean -> mask  survival {alpha}(t) = {draw(FALLS)}",
        amount,
    ])  # fmt: skip
    network = section("network", [
        f"backbone {draw(st.sampled_from(['rotary', 'dit']))}",
        maybe(draw, "attention blockwise"),
        f"head {token} : logits",
    ])  # fmt: skip
    loss = section("loss", [
        CAP if "cap" in weight else "",
        f"{token} : cross_entropy(x0) on mask" + (f"  weight {weight}" if weight else ""),
        draw(st.sampled_from(["", "mean over tokens", "mean over sequences", "mean over masked"])),
    ])  # fmt: skip
    ends = draw(st.sampled_from(["body eos pad", "body"]))
    stop = "text = eos or length = limit" if "eos" in ends else "length = limit"
    default = draw(block_decoders(alpha, token, stop, ""))
    named = draw(st.lists(names("a decoder", set(), "sampled", "fast"), max_size=1))
    more = [apart(draw(block_decoders(alpha, token, stop, one)), default) for one in named]
    layouts = [f"text : bos [{ends}]", f"seq2seq : prompt bos [{ends}]"]
    collate = section("collate", [*layouts, f"infill : bos [{ends}] keeping prefix"])
    return HEAD + noise + network + loss + "".join([default, *more]) + collate + "}\n"


@st.composite
def block_decoders(draw: st.DrawFn, alpha: str, token: str, stop: str, name: str) -> str:
    """A whole decoder of rows that grow by blocks."""
    order = draw(names("a param of a decoder", {token, alpha, *CUTS}, "order", "rule"))
    grid = draw(st.sampled_from(["grid uniform(2)", "grid events", ""]))
    rules = {
        "grid uniform(2)": [f"chance reveal({alpha})", "quota masked / steps_left"],
        "grid events": ["one"],
        "": ["one", "quota 2", "all", "above 0.3"],
    }
    rule = draw(st.sampled_from(rules[grid]))
    if grid == "grid events":
        by = "by random"
    else:
        by = draw(orders(rule.replace("quota masked / steps_left", "quota 2"), order))
    cut = draw(cuts())
    others = "" if rule.startswith("above") else " | left"
    return section(f"decoder {name}".rstrip(), [
        maybe(draw, "start prompt"),
        f"param {order} = confidence | margin{others}" if f"by {order}" in by else "",
        *options(cut, "temperature" if by.endswith("temperature temperature") else ""),
        grid,
        "\n".join(["step {", f"unmask {rule} {by}".rstrip(), drawn(token, "", cut), "}"]),
        f"stop when {stop}",
        maybe(draw, "reuse while prefix"),
    ])  # fmt: skip


# Events for which the tokens of a row compete


@st.composite
def events(draw: st.DrawFn) -> str:
    """The text of a spec whose tokens leave the row at events."""
    taken = set(CUTS)
    clock = draw(names("a schedule", taken, "clock", "events"))
    slot = draw(names("a head", taken, "slot", "what"))
    missing = draw(names("a head", taken, "missing", "gap"))
    at = draw(st.sampled_from(["cls", "gaps"]))
    rise = draw(st.sampled_from(["100 * t**3", "60 * t", "40 * t**2", "30 * (exp(t) - 1)"]))
    divergence = "joint_cross_entropy" if at == "cls" else "cross_entropy"
    weight = draw(st.sampled_from(["", "bound", "min(bound, cap)", "t"]))
    weight = f"  weight {weight}" if weight else ""
    noise = section("noise", [
        f"clean -> gone  events {clock}(t) = {rise}",
        maybe(draw, f"amount t ~ uniform(1e-3, 1){draw(SPREADS)}"),
    ])  # fmt: skip
    network = section("network", [
        "backbone dit(condition = t)",
        f"head {slot} : logits at gaps",
        f"head {missing} : count at {at}",
    ])  # fmt: skip
    loss = section("loss", [
        CAP if "cap" in weight else "",
        f"{slot} : {divergence}(gone){weight}",
        f"{missing} : poisson(gone){weight}",
        draw(st.sampled_from(["", "mean over tokens", "mean over sequences", "mean over block"])),
    ])  # fmt: skip
    cut = draw(cuts())
    rule = draw(st.sampled_from([f"chance min(1, {missing} * reveal({clock}))", "quota 2"]))
    decoder = section("decoder", [
        *options(cut),
        "grid uniform(4)",
        "\n".join(["step {", f"insert tokens {rule}", drawn(slot, "", cut), "}"]),
        draw(st.sampled_from(["stop when length = limit", ""])),
        draw(st.sampled_from(["", "overflow skip_row", "overflow drop_right"])),
    ])  # fmt: skip
    collate = section("collate", [
        "text : cls bos [body]", "seq2seq : cls prompt bos [body]",
        "infill : cls bos [body] keeping given",
    ])  # fmt: skip
    return HEAD + noise + network + loss + decoder + collate + "}\n"

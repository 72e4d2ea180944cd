"""Specs drawn at random that have no noise, and write from left to right."""

from hypothesis import strategies as st

from families.decoders import draws, options
from families.sections import TEXT, apart, maybe, says, section
from families.words import names


@st.composite
def clean_specs(draw: st.DrawFn) -> str:
    """The text of a spec that writes from left to right."""
    taken = {"temperature", "top_k", "top_p"}
    main = draw(names("a head", taken, "token", "what"))
    other = draw(names("a head", taken, "second", "spare")) if draw(st.integers(0, 3)) == 0 else ""
    ends = draw(st.booleans())  # rows end in an eos
    labels = set[str]()
    named = draw(st.lists(names("a decoder", labels, "sampled", "fast"), max_size=2))
    heads = [main, other or main]
    default = draw(appending_decoders(heads, "", ends))
    others = [apart(draw(appending_decoders(heads, n, ends)), default) for n in named]
    attention = maybe(draw, "attention causal")
    said = [f"head {main} : logits{maybe(draw, ' at tokens')}", f"head {other} : logits"]
    return (
        f'family {draw(names("a family", set(), "drawn", "toy"))} "A drawn family" {{\n'
        + section("noise", ["none"])
        + section("network", ["backbone rotary", attention, *said[: 2 if other else 1]])
        + draw(clean_losses(main, other))
        + "".join([default, *others])
        + draw(clean_collations(ends))
        + maybe(draw, "  recipe star_easy { batch 64; steps 1_000; learning_rate 1e-3 }\n")
        + "}\n"
    )


@st.composite
def clean_losses(draw: st.DrawFn, main: str, other: str) -> str:
    """The loss of what follows."""
    taken = {main, other}
    scale = draw(names("a param of the loss", taken, "scale", "lam"))
    power = draw(names("a let", taken, "power", "half"))
    weights = ["", "", "bound", scale, f"0.5 * {scale}", "1 + length / 8", f"max({scale}, 0.1)"]
    weights += [power, f"sqrt(length) * {power}", f"exp(-{scale})", f"bound + {scale}", "pi"]
    terms = []
    for head in filter(None, (main, other)):
        weight = draw(st.sampled_from(weights))
        terms.append(
            f"{head} : cross_entropy(following)" + (f"  weight {weight}" if weight else "")
        )
    text = " ".join(terms)
    value = draw(st.sampled_from([f"{scale} / 2", "0.5", "1 / (1 + length)"]))
    over = ["tokens", "block", "sequences", "tokens per sequence"]
    return section(
        "loss",
        [
            f"param {scale} : {draw(st.sampled_from(['Scale', 'Chance']))} = 1"
            if says(text, scale) or (says(text, power) and says(value, scale))
            else "",
            f"let {power} = {value}" if says(text, power) else "",
            *terms,
            draw(st.sampled_from(["", *(f"mean over {one}" for one in over)])),
        ],
    )


@st.composite
def appending_decoders(draw: st.DrawFn, heads: list[str], name: str, ends: bool) -> str:
    """A whole decoder that appends."""
    drawn = draw(draws(draw(st.sampled_from(heads))))
    early = [TEXT] * draw(st.booleans())
    stops = draw(st.permutations(["length = limit", *early, *(["last = eos"] if ends else [])]))
    return section(
        f"decoder {name}".rstrip(),
        [
            maybe(draw, "start prompt"),
            *options(drawn),
            f"step {{\n  append one\n  {drawn}\n}}",
            f"stop when {' or '.join(stops)}",
            maybe(draw, "reuse while prefix"),
        ],
    )


@st.composite
def clean_collations(draw: st.DrawFn, ends: bool) -> str:
    """Layouts of which nothing follows the brackets, and a special stands before them."""
    kinds = draw(st.lists(st.sampled_from(["text", "seq2seq", "infill"]), min_size=1, unique=True))
    inside = "[body eos]" if ends else "[body]"
    lines = []
    for kind in kinds:
        before = list(draw(st.sampled_from([["bos"], ["cls", "bos"], ["cls"]])))
        if kind == "seq2seq":
            before.insert(draw(st.integers(0, len(before))), "prompt")
        keeping = " keeping prefix" if kind == "infill" else ""
        lines.append(f"{kind} : {' '.join([*before, inside])}{keeping}")
    pads = ["", "pad body right", "pad prompt right", "pad body right, prompt left"]
    return section("collate", [*lines, draw(st.sampled_from(pads))])

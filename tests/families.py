"""Specs drawn at random that make sense: everything that the language can say of some chains.

`specs()` draws the text of a spec; `Package` compiles one in memory and imports it.
"""

import importlib.util
import keyword
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from attrs import frozen
from hypothesis import strategies as st

from xlmc.check import words
from xlmc.check.family import check
from xlmc.diagnostics.source import Source
from xlmc.emit.render import render
from xlmc.lower import ir
from xlmc.lower.family import lower
from xlmc.resolve.defaults import complete
from xlmc.resolve.inherit import flatten
from xlmc.syntax import ast, grammar
from xlmc.syntax.marks import marked
from xlmc.syntax.parse import parse

TEXT = "text = stop_strings"
ROOT = Path(__file__).parent.parent
_KEYWORDS = frozenset(grammar.keywords(grammar.parser())) - grammar.SOFT

# Survivals with a bounded slope, so that the weight `bound` can be drawn by time; and the others.
SMOOTH = (
    "1 - t",
    "1 - t**2",
    "(1 - t)**2",
    "1 - t**5",
    "cos(pi / 2 * t)",
    "cos(pi / 2 * t)**2",
    "1 - sin(pi / 2 * t)",
    "(1 - t) / (1 + t)",
    "1 - log(1 + t) / log(2)",
    "(exp(-3 * t) - exp(-3)) / (1 - exp(-3))",
    "0.3 * (1 - t) + 0.7 * cos(pi / 2 * t)",
    "1 - (1 - 1e-3) * t",
    "exp(-5 * t)",
)
STEEP = ("1 - sqrt(t)", "sqrt(1 - t)", "1 - t**0.3")
LEFT_OVER = ("1 - (1 - 1e-3) * t", "exp(-5 * t)")  # not 0 at t = 1
FIXED = ("fixed(0.15)", "fixed(0.9)")
SEVERAL = (
    *("chance 0.5", "quota 2", "one by confidence", "above 0.3 by confidence of sampled"),
    *("above 0.3 else quota 1 + confidence by confidence", "within 0.5 by confidence of sampled"),
)
TIMES = ("uniform(0, 1)", "uniform(0, 0.999)", "uniform(1e-3, 1)", "uniform(0.25, 0.75)")


@cache
def spoken() -> tuple[str, ...]:
    """Every name in the code of the examples: what a name in a spec could collide with."""
    texts = [path.read_text("utf-8") for path in sorted(ROOT.glob("examples/*/*.py"))]
    found = {word for text in texts for word in re.findall(r"[A-Za-z_]\w*", text)}
    return tuple(sorted(word for word in found if usable(word)))


def usable(word: str) -> bool:
    """Whether the grammar takes a word as a name."""
    kept = word in _KEYWORDS or word == "chance"  # which begins conditions and amounts, too
    return word.isascii() and not kept and not keyword.iskeyword(word)


def allowed(word: str, kind: str) -> bool:
    """Whether the checks let a word be the name of a head, a param, ..."""
    return usable(word) and not words.why_reserved(word, kind)


@st.composite
def names(draw: st.DrawFn, kind: str, taken: set[str], *natural: str) -> str:
    """A name that nothing else has: a natural one, one of the generated code's, or any."""
    word = draw(
        st.one_of(
            st.sampled_from(natural),
            st.sampled_from(natural),
            st.sampled_from(spoken()),
            st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,9}", fullmatch=True),
        ).filter(lambda word: word not in taken and allowed(word, kind))
    )
    taken.add(word)
    return word


def maybe(draw: st.DrawFn, text: str) -> str:
    """The text, or nothing."""
    return draw(st.sampled_from([text, ""]))


@frozen
class Noise:
    """What the other sections need to know of the noise."""

    chain: str
    survival: str
    timed: bool
    fixed: bool
    lowest: int  # of the counts
    left_over: bool
    param: str  # that the survival reads; "" for none


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


def section(name: str, entries: list[str]) -> str:
    """A section of a spec."""
    lines = "".join(f"    {line}\n" for entry in entries if entry for line in entry.splitlines())
    return f"  {name} {{\n{lines}  }}\n"


@frozen
class Heads:
    """The names of the heads; "" for one that is not there."""

    main: str
    other: str  # a second head of logits
    stop: str
    stop_at: str
    condition: str
    hides: str  # what a guide may hide: prompt, given or nothing
    shifted: bool = False


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


def says(text: str, name: str) -> bool:
    """Whether a text mentions a name."""
    return re.search(rf"\b{name}\b", text) is not None


def means(noise: Noise) -> st.SearchStrategy[str]:
    """Every denominator, and none."""
    over = ["tokens", "masked" if noise.chain == "mask" else "gone"]
    every = [*over, "block", "sequences", *(f"{one} per sequence" for one in over)]
    return st.sampled_from(["", *(f"mean over {one}" for one in every)])


@st.composite
def masked_decoders(draw: st.DrawFn, noise: Noise, heads: Heads, name: str) -> str:
    """A whole decoder that unmasks."""
    taken = {heads.main, heads.other, heads.stop, noise.survival, "temperature", "top_k", "top_p"}
    steps = draw(names("a param of a decoder", taken, "steps", "calls"))
    amount = draw(names("a param of a decoder", taken, "threshold", "eta"))
    order = draw(names("a param of a decoder", taken, "order", "rule"))
    let = draw(names("a let", taken, "back", "part"))
    size = draw(names("a param of a decoder", taken, "size", "block_length"))
    grid = draw(st.sampled_from(["", "uniform(3)", f"uniform({steps})", "events"]))
    timed = grid.startswith("uniform")
    rule = draw(rules(noise, grid, amount, let)) if grid != "events" else "one"
    by = "by random" if grid == "events" else draw(orders(rule, order))
    value = draw(st.sampled_from([f"max(0.1, {amount})", "0.5", "1 / masked", "length / length"]))
    if timed:
        value = draw(
            st.sampled_from([value, "min(1, t)", "1 / steps_left", f"{noise.survival}(s)"])
        )
    action = f"unmask {rule} {by}".rstrip()
    head = draw(st.sampled_from([heads.main, heads.other or heads.main]))
    drawn = draw(draws(head))
    lets = [f"let {let} = {value}"] if says(action, let) else []
    back = draw(remasks(amount)) if timed else ""
    around = "" if heads.condition else draw(st.sampled_from(["", "", "2", "3", size]))
    guide = draw(guides(amount, heads))
    whole = f"{grid} {action} {drawn} {back} {guide} {' '.join(lets)}"
    finish = draw(st.sampled_from(["", "", f"finish {{ unmask all; draw {head} greedy }}"]))
    return section(
        f"decoder {name}".rstrip(),
        [
            maybe(draw, "start masks"),
            f"param {steps} : Count = 2" if says(grid, steps) else "",
            f"param {amount} : Chance = 0.5" if says(whole, amount) else "",
            f"param {order} = {draw(choices(rule))}" if says(by, order) else "",
            *options(drawn, "temperature" if by.endswith("temperature temperature") else ""),
            *lets,
            f"grid {grid}" if grid else "",
            f"param {size} : Count = 2" if around == size else "",
            f"step {{\n  {back}\n  {action}\n  {drawn}\n}}",
            finish if timed else "",
            ""
            if back
            else draw(st.sampled_from(["", "stop when no mask", f"stop when no mask or {TEXT}"])),
            f"blocks {around}" if around else "",
            guide,
            "" if heads.condition else maybe(draw, "reuse while unchanged"),
        ],
    )


def remasks(amount: str) -> st.SearchStrategy[str]:
    """Which tokens become masks again, if any does."""
    found = ["chance 0.2", f"chance {amount}", f"chance min({amount}, 1 - s)", "quota 2"]
    found += ["quota 1 by confidence", "quota masked / 2 by random", "one by confidence", "one"]
    found += ["one by entropy of current", f"chance {amount} * (1 - confidence)"]
    return st.sampled_from(["", "", *(f"remask {one}" for one in found)])


def guides(amount: str, heads: Heads) -> st.SearchStrategy[str]:
    """A second look, if the layouts have something to hide."""
    scales = [amount, "1.5"] if heads.hides else []
    return st.sampled_from(
        ["", *(f"guide cfg(scale = {one}, without = {heads.hides})" for one in scales)]
    )


@st.composite
def rules(draw: st.DrawFn, noise: Noise, grid: str, amount: str, let: str) -> str:
    """How many are unmasked."""
    a = noise.survival
    found = ["one", "all", f"above {amount}", "above 0.3", "quota 2", f"quota 1 + {amount}"]
    found += [f"within {amount}", "within 0.2", "within masked / 4"]
    found += ["quota 1 + masked * confidence", "chance max(0.1, margin)", "factor 0.8"]
    found += [f"above {amount} else quota 2", f"chance {amount} else one"]
    found += [f"above {amount} or quota 2"]
    found += ["quota max(1, length / 2)", "chance 0.6", f"chance {let}", f"quota 1 + {let}"]
    if grid:
        found += [f"chance reveal({a})", f"chance reveal({a})", "quota masked / steps_left"]
        found += [f"chance min(1, max(0, {a}(s) - {a}(t)))", "chance 1 / steps_left", "quota 0"]
        found += [f"chance corrupted({a})", f"chance {amount}", "quota masked * (t - s) / t"]
        found += [f"quota length * ({a}(s) - {a}(t))", f"chance {amount} * reveal({a})", "chance s"]
    return draw(st.sampled_from(found))


@st.composite
def orders(draw: st.DrawFn, rule: str, choice: str) -> str:
    """The order in which they are unmasked."""
    kind = rule.split()[0]
    if kind in ("chance", "all") and "else" not in rule:
        return ""
    network = [
        "confidence",
        "confidence of sampled",
        "confidence of likeliest",
        "margin of tempered",
        "confidence of tempered",
        "margin",
        "entropy",
    ]
    plain = ["random", "left", "", choice, f"{choice} of sampled", f"{choice} of tempered"]
    scored = kind in ("above", "within", "factor")
    network = [one for one in network if (kind, one) != ("above", "entropy")]  # it is below 0
    found = [*network, choice] if scored else [*network, *plain]
    score = draw(st.sampled_from(found))
    if kind in ("within", "factor"):
        return f"by {score}"
    heat = draw(st.sampled_from(["", "", " temperature 0.1", " temperature temperature"]))
    return f"by {score}{heat}" if score else ""


def choices(rule: str) -> st.SearchStrategy[str]:
    """The alternatives of an order; confidence is among them."""
    network = ["margin"] if rule.startswith("above") else ["margin", "entropy"]
    others = (
        network if rule.startswith(("above", "within", "factor")) else [*network, "random", "left"]
    )
    return st.permutations(["confidence", *others]).map(
        lambda found: " | ".join(found[: max(2, found.index("confidence") + 1)])
    )


@st.composite
def draws(draw: st.DrawFn, head: str) -> str:
    """A draw from a head."""
    return f"draw {head}{draw(cuts())}"


@st.composite
def cuts(draw: st.DrawFn) -> str:
    """What a draw does to the logits: nothing, options, or the likeliest outcome."""
    if draw(st.integers(0, 3)) == 0:
        return " greedy"
    found = ["temperature", "top_k", "top_p", "temperature = 0.7", "top_k = 3", "top_p = 0.9"]
    found += ["temperature = 0", "top_k = top_k", "top_p = 0"]
    taken = draw(st.lists(st.sampled_from(found), max_size=3, unique_by=lambda one: one[:5]))
    return f" with {', '.join(taken)}" if taken else ""


def options(*actions: str) -> list[str]:
    """The params that options of draws speak of."""
    kinds = {"temperature": "Scale = 1.0", "top_k": "Count = 0", "top_p": "Chance = 0.9"}
    text = " ".join(actions)
    return [
        f"param {name} : {kind}"
        for name, kind in kinds.items()
        if re.search(rf"\b{name}(?! =)\b", text)
    ]


@st.composite
def gone_decoders(draw: st.DrawFn, noise: Noise, heads: Heads, name: str) -> str:
    """A whole decoder that inserts."""
    taken = {heads.main, heads.other, heads.stop, noise.survival, "temperature", "top_k", "top_p"}
    above = draw(names("a param of a decoder", taken, "stop_above", "patience"))
    rule = draw(st.sampled_from(["one", "one", *SEVERAL]))
    pick = draw(st.sampled_from(["", "pick gap"])) if rule == "one" else ""
    pick += draw(cuts()) if pick else ""
    drawn = draw(draws(draw(st.sampled_from([heads.main, heads.other or heads.main]))))
    stops = ["length = limit"]
    if heads.stop:
        found = ["", f"{heads.stop} > 0.6", f"{heads.stop} > {above}", f"chance {heads.stop}"]
        found += [f"tempered({heads.stop}, {value}) > 0.6" for value in ("2", "0", above)]
        found += [f"chance tempered({heads.stop}, {above})"]
        stops = [draw(st.sampled_from(found)), *stops]
    elif draw(st.booleans()):
        stops = ["length = oracle"]
    stops += [TEXT] * draw(st.booleans())
    stop = " or ".join(one for one in stops if one)
    stop = stop if stop.startswith("chance") else f"when {stop}"
    return section(
        f"decoder {name}".rstrip(),
        [
            maybe(draw, "start empty"),
            f"param {above} : Chance = 0.7" if says(stop, above) else "",
            *options(pick, drawn),
            "\n".join(
                ["step {", f"  insert tokens {rule}", *([f"  {pick}"] * bool(pick)), drawn, "}"]
            ),
            f"stop {stop}",
        ],
    )


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


def specs(chain: str | None = None) -> st.SearchStrategy[str]:
    """The text of a whole spec; ``chain`` says what noise does, and is ``none`` for no noise."""
    if chain == "none":
        return clean_specs()
    return noised_specs(chain) if chain else st.one_of(*[noised_specs()] * 3, clean_specs())


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


def apart(decoder: str, default: str) -> str:
    """A named decoder that drops what it does not change of the default one."""
    entries = ("grid", "finish", "stop", "reuse", "blocks", "guide")
    lines = [f"    drop {e}\n" for e in entries if starts(default, e) and not starts(decoder, e)]
    head, _, rest = decoder.partition("\n")
    return "".join([head, "\n", *lines, rest])


def starts(text: str, word: str) -> bool:
    """Whether a line of a section begins with a word."""
    return re.search(rf"(?m)^    {word}\b", text) is not None


# Two families that stay as they are, whatever becomes of the shipped ones

MASK = """family covered "Covered words" {
  paper "Someone et al. 2024" arxiv "2401.00001"

  noise {
    clean -> mask  survival alpha(t) = 1 - t
    amount count ~ uniform(1, length)
  }

  network {
    backbone  dit
    attention full
    head token : logits
  }

  loss {
    token : cross_entropy(x0) on mask  weight bound
    mean over tokens
  }

  decoder {
    start masks
    param steps : Count = 128
    param temperature : Scale = 1.0
    param top_k : Count = 0
    grid uniform(steps)
    step {
      unmask chance reveal(alpha)
      draw token with temperature, top_k
    }
    reuse while unchanged
  }

  decoder first_hitting {
    grid events
    step {
      unmask one by random
      draw token with temperature
    }
  }

  collate {
    text    : bos [body] eos
    seq2seq : prompt bos [body eos pad]
    infill  : bos [body] eos keeping given
    pad body right, prompt left
  }

  recipe lm1b { block 128; batch 512; steps 1_000_000; learning_rate 3e-4; warmup 2500 }
}
"""
GONE = """family torn "Torn-out words" {
  paper "Someone et al. 2025" arxiv "2501.00001"

  noise {
    clean -> gone  survival alpha(t) = 1 - t
    amount count ~ uniform(0, length)
  }

  network {
    backbone  rotary
    attention full
    head slot : logits at gaps
    head done : chance at cls
  }

  loss {
    param stop_scale : Scale = 1.0
    slot : joint_cross_entropy(gone)
    done : binary_cross_entropy(none gone)  weight stop_scale
    mean over sequences
  }

  decoder {
    start empty
    param stop_above : Chance = 0.5
    step {
      insert tokens one
      pick gap with top_k = 2
      draw slot with top_p = 0.9
    }
    stop when done > stop_above or length = limit
  }

  decoder sampled {
    step {
      insert tokens one
      draw slot
    }
    stop chance done or length = limit
  }

  collate {
    text    : cls bos [body]
    seq2seq : cls prompt bos [body]
    infill  : cls bos [body] keeping given
    pad body right, prompt left
  }

  recipe star_easy { batch 64; steps 80_000; learning_rate 1e-4 }
}
"""


def changed(text: str, *pairs: tuple[str, str]) -> str:
    """A spec with some of its text replaced, once each."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


# What becomes of a spec


def completed(text: str) -> ast.Family:
    """The tree of a spec, flat and with its defaults."""
    return complete(flatten(parse(Source("drawn.xlm", text)), shipped))


def shipped(name: str) -> Source | None:
    """The shipped spec of a family."""
    path = ROOT / "spec" / f"{name}.xlm"
    return Source(path.name, path.read_text("utf-8")) if path.is_file() else None


def lowered(text: str) -> ir.Package:
    """The IR of a spec that is checked first."""
    family = completed(text)
    check(family)
    return lower(family)


def rendered(text: str) -> dict[str, str]:
    """The files of a spec's package, not laid out by black."""
    family = completed(text)
    check(family)
    return render(lower(marked(family)))


@contextmanager
def imported(files: dict[str, str], folder: Path, name: str) -> Iterator[object]:
    """The package made of some files, imported under a name of its own for a while."""
    place = folder / name
    place.mkdir(parents=True)
    for file, text in files.items():
        (place / file).write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(
        name, place / "__init__.py", submodule_search_locations=[str(place)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        for loaded in [one for one in sys.modules if one.partition(".")[0] == name]:
            del sys.modules[loaded]

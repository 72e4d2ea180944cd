"""Decoders of drawn specs: rules, orders, draws and stops of masks and of insertions."""

import re

from hypothesis import strategies as st

from families.sections import TEXT, Heads, Noise, maybe, says, section
from families.words import names

DELETES = ("delete chance 0.2", "delete one", "delete quota 1 by confidence")
SEVERAL = (
    *("chance 0.5", "quota 2", "one by confidence", "above 0.3 by confidence of sampled"),
    *("above 0.3 else quota 1 + confidence by confidence", "within 0.5 by confidence of sampled"),
)


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
    """An action by which tokens become masks again, or none."""
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
    """A number of masks that a step unmasks."""
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
    """The end of a `draw`: nothing, options, or the likeliest outcome."""
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
    back = draw(st.sampled_from(["", *DELETES])) if rule != "one" else ""
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
            "grid uniform(3)" if back else "",
            f"step {{\n  insert tokens {rule}\n  {pick}\n  {drawn}\n  {back}\n}}",
            f"stop {stop}",
        ],
    )

"""Specs made at random from a number: what the language can say of each kind of noise, combined.

    python tests/random_specs.py              the coverage of the first 40
    python tests/random_specs.py 7            the text of one

Every number gives the same text on every machine. Of five specs in a row two have tokens that
become masks. The module imports nothing of the compiler.
"""

import re
import sys
from collections.abc import Callable, Sequence
from random import Random

COUNT = 40
SMOOTH = (
    *("1 - t", "1 - t**2", "(1 - t)**2", "cos(pi / 2 * t)", "cos(pi / 2 * t)**2"),
    *("1 - sin(pi / 2 * t)", "(1 - t) / (1 + t)", "1 - log(1 + t) / log(2)"),
    *("0.3 * (1 - t) + 0.7 * cos(pi / 2 * t)", "(exp(-3 * t) - exp(-3)) / (1 - exp(-3))"),
)
STEEP = ("1 - sqrt(t)", "1 - t**0.3", "sqrt(1 - t)")
SPREADS = ("", " antithetic", " stratified")
CUTS = (
    *("", " greedy", " with temperature, top_k, top_p", " with temperature = 0.7, top_k = 3"),
    *(" with temperature", " with top_p = 0.9", " with temperature, top_k = top_k"),
)
OPTIONS = {"temperature": "Scale = 1.0", "top_k": "Count = 0", "top_p": "Chance = 0.9"}
PADS = ("", "pad body right", "pad prompt right", "pad body right, prompt left")
RECIPES = (
    *("", "", "recipe star_easy { batch 64; steps 1_000; learning_rate 1e-3 }"),
    "recipe { size tiny; ema 0.999 }\n  recipe lm1b, owt { batch 32; warmup 100; schedule cosine }",
    "recipe lm1b { size small; precision bf16; dropout 0.1; weight_decay 0 }",
)


class Draw:
    """Choices of one spec.  Each list of choices is walked through from spec to spec.

    ``turn`` is how many specs of the same kind came before: `cycle` takes the choice of that
    number, so that a few specs have them all; `pick` and `often` are random.
    """

    def __init__(self, number: int) -> None:
        self.rng = Random(f"spec {number}")
        self.kind = TURNS[number % len(TURNS)]
        before = TURNS[: number % len(TURNS)].count(self.kind)
        self.turn = number // len(TURNS) * TURNS.count(self.kind) + before

    def pick(self, options: Sequence[str]) -> str:
        return self.rng.choice(options)

    def cycle(self, options: Sequence[str], shift: int = 0) -> str:
        return options[(self.turn + shift) % len(options)]

    def often(self, text: str, chance: float = 0.5) -> str:
        """The text, or nothing."""
        return text if self.rng.random() < chance else ""


def section(name: str, *entries: str) -> str:
    """A section of a spec; empty entries are left out."""
    lines = "".join(f"    {line}\n" for entry in entries if entry for line in entry.splitlines())
    return f"  {name} {{\n{lines}  }}\n"


def options(text: str) -> str:
    """The params that a text reads as options of draws and orders."""
    found = [name for name in OPTIONS if re.search(rf"\b{name}(?! =)\b", text)]
    return "\n".join(f"param {name} : {OPTIONS[name]}" for name in found)


def collate(draw: Draw, before: str, inside: str, after: str, keeping: str) -> str:
    """The layouts; ``before``, ``inside`` and ``after`` are around the brackets of each."""
    seq2seq = draw.pick((inside, "body eos")) if keeping == "given" and not after else inside
    return section(
        "collate",
        f"text : {before} [{inside}] {after}",
        f"seq2seq : {draw.pick([f'prompt {before}', f'{before} prompt'])} [{seq2seq}] {after}",
        f"infill : {before} [{inside}] {after} keeping {keeping}",
        draw.pick(PADS),
    )


# Tokens become masks


def masks(draw: Draw) -> list[str]:
    """A family whose tokens become masks."""
    amounts = ("", "t ~ uniform(0, 1)", "count ~ uniform(1, length)", "t ~ uniform(1e-3, 1)")
    amounts = (*amounts, "count ~ uniform(0, length)", "t ~ fixed(0.4)", "t ~ uniform(0.1, 0.9)")
    amount = draw.cycle(amounts)
    fixed, timed = "fixed" in amount, amount.startswith("t ")
    spread = draw.cycle(SPREADS) if amount and not fixed else ""
    survival = draw.pick(SMOOTH if timed or not amount else SMOOTH + STEEP)
    backbones = ("rotary", "dit(condition = t)", "dit", "qwen2", 'qwen2(pretrained = "some/one")')
    backbone = draw.cycle(backbones)
    if backbone == "dit(condition = t)" and draw.turn % 2:
        survival, backbone = "1 - (1 - 1e-3) * t", "dit(condition = sigma)"
    if fixed:
        backbone = draw.pick(("rotary", "dit"))
    shifted = draw.often(" shifted", 0.4)
    stop = draw.pick(("cls", "bos")) if amount == "count ~ uniform(0, length)" else ""
    second = draw.often("head second : logits" + shifted, 0.3)
    return [
        section(
            "noise",
            f"clean -> mask  survival alpha(t) = {survival}",
            f"amount {amount}{spread}" if amount else "",
        ),
        section(
            "network",
            f"backbone {backbone}",
            draw.often("attention full"),
            f"head token : logits{draw.often(' at tokens')}{shifted}",
            second,
            f"head done : chance at {stop}" if stop else "",
        ),
        mask_loss(draw, timed, fixed, bool(second), bool(stop)),
        *mask_decoders(draw, "condition" in backbone, bool(second)),
        collate(
            draw,
            "cls bos" if stop == "cls" else "bos",
            draw.pick(("body", "body eos pad", "body eos")),
            "",
            "given",
        ),
    ]


def mask_loss(draw: Draw, timed: bool, fixed: bool, second: bool, stop: bool) -> str:
    """The loss of masks, by weights and means of every kind."""
    weights = [
        "",
        "scale",
        "0.5 * visible(geometric(near))",
        "1 + length / 8",
        "half",
        "exp(-scale)",
    ]
    weights += [] if fixed else ["bound", "min(bound, 5 * scale)", "bound"]
    weights += ["-alpha'(t)", "alpha(t)", "min(1, hazard(alpha))", "1 - t"] if timed else []
    weights += [] if timed else ["1 / (1 + count)", "min(1, 4 / (1 + count))"]
    shown = [f"  weight {weight}" if weight else "" for weight in weights]
    terms = [f"token : cross_entropy(x0) on mask{draw.cycle(shown, draw.rng.randrange(3))}"]
    terms += [f"second : cross_entropy(x0) on mask{draw.pick(shown)}"] if second else []
    balance = draw.pick(("", ", balance = 0.9", ", balance = part"))
    terms += [f"done : binary_cross_entropy(none mask{balance})  weight 0.3"] if stop else []
    over = ("tokens", "masked", "block", "sequences", "masked per sequence", "tokens per sequence")
    return loss(draw, terms, over)


def loss(draw: Draw, terms: list[str], over: Sequence[str]) -> str:
    """A loss with the params and lets that its terms read."""
    text = " ".join(terms)
    return section(
        "loss",
        "param scale : Scale = 1.0" if "scale" in text or "half" in text else "",
        "param near : Chance = 0.3" if "near" in text else "",
        "param part : Chance = 0.7" if "= part" in text else "",
        "let half = scale / 2" if "half" in text else "",
        *terms,
        f"mean over {draw.cycle(over)}",
    )


GRIDDED = (
    *("unmask chance reveal(alpha)", "unmask quota masked / steps_left by ORDER"),
    *("unmask quota masked * (1 - s / t) by LOOK of sampled", "unmask chance 1 / steps_left"),
    *("unmask poisson masked * reveal(alpha) by ORDER", "unmask chance part"),
    *("unmask quota 1 + masked / steps_left by SCORE of tempered temperature heat",),
)
GRIDLESS = (
    *(
        "unmask one by ORDER",
        "unmask above tau by SURE",
        "unmask within tau by SCORE",
        "unmask all",
    ),
    *("unmask quota 2 by ORDER", "unmask one by confidence of sampled temperature 0.5"),
    *("unmask one by LOOK of likeliest", "unmask within masked / 4 by SCORE"),
    *(
        "unmask chance 0.6",
        "unmask above 0.3 by confidence of sampled",
        "unmask poisson 2 by random",
    ),
)
REMASKS = ("remask chance eta", "remask quota 1 by confidence", "remask one by confidence",
           "remask quota masked / 2 by random", "remask chance min(eta, 1 - s)")  # fmt: skip
ORDERS = ("confidence", "random", "entropy", "left", "margin", "order")


def mask_decoders(draw: Draw, conditioned: bool, second: bool) -> list[str]:
    """A decoder on a grid, one without, one with remasking or exact times, and one in blocks."""
    plain = not conditioned
    found = [mask_decoder(draw, "", draw.cycle(GRIDDED), "grid uniform(steps)", second)]
    lost = "drop part\n" if "let part" in found[0] else ""
    if plain:
        rule = draw.cycle(GRIDLESS)
        found.append(mask_decoder(draw, "free", rule, lost + "drop grid", second, reuse=True))
        rule, off = draw.cycle(GRIDLESS, 4), lost + "drop grid"
        found.append(mask_decoder(draw, "parts", rule, off, second, "blocks size"))
    guide = f"guide cfg(scale = w, without = {draw.cycle(('prompt', 'given'))})"
    late = draw.cycle(GRIDDED, 3)
    found.append(mask_decoder(draw, "guided", late, "", second, guide))
    if draw.turn % 2:
        found.append(
            mask_decoder(draw, "hit", "unmask one by random", lost + "grid events", second)
        )
    else:
        back = f"{draw.cycle(REMASKS, draw.turn // 2)}\nunmask chance 0.5"
        off = "drop stop" if "    stop when" in found[0] else ""
        found.append(mask_decoder(draw, "back", back, "", second, off))
    return found


def mask_decoder(
    draw: Draw, name: str, step: str, grid: str, second: bool, more: str = "", reuse: bool = False
) -> str:
    """One decoder that unmasks."""
    step = step.replace("ORDER", draw.cycle(ORDERS, len(name)))
    step = step.replace("LOOK", draw.cycle(("confidence", "order")))
    step = step.replace("SCORE", draw.cycle(("confidence", "margin", "entropy")))
    step = step.replace("SURE", draw.cycle(("confidence", "margin", "confidence of tempered")))
    head = "second" if second and draw.turn % 2 else "token"
    drawn = f"draw {head}{draw.pick(CUTS)}"
    walks = grid in ("grid uniform(steps)", "")
    finish = draw.often(f"finish {{ unmask all; draw {head} greedy }}", 0.3) if walks else ""
    stops = ("", "stop when no mask", "stop when no mask or text = stop_strings")
    stop = "" if "remask" in step or "events" in grid else draw.cycle(stops, len(name))
    text = f"{step} {drawn} {more} {finish}"
    return section(
        f"decoder {name}".rstrip(),
        draw.often("start masks") if not name else "",
        "param steps : Count = 4" if not name else "",
        "param tau : Chance = 0.5" if "tau" in text else "",
        "param eta : Chance = 0.3" if "eta" in text else "",
        "param heat : Scale = 0.2" if "heat" in text else "",
        "param order = confidence | margin | entropy | random | left" if "by order" in text else "",
        "param size : Count = 3" if "size" in text else "",
        "param w : Scale = 1.5" if "scale = w" in text else "",
        options(text),
        "let part = min(1, 1 / steps_left + t / 4)" if "part" in text else "",
        grid,
        f"step {{\n{step}\n{drawn}\n}}",
        finish,
        stop,
        more,
        "reuse while unchanged" if reuse else "",
    )


# Tokens are gone


def gone(draw: Draw) -> list[str]:
    """A family whose tokens are dropped."""
    amounts = ("count ~ uniform(0, length)", "t ~ uniform(0, 1)", "count ~ uniform(0, length)")
    amount = draw.cycle((*amounts, "t ~ fixed(0.7)", "t ~ uniform(0.25, 0.75)"))
    fixed, timed = "fixed" in amount, amount.startswith("t ")
    place = draw.cycle(("cls", "bos", "eos", ""))
    survival = draw.pick(SMOOTH if timed else SMOOTH + STEEP)
    weights = ["", "1 + length / 8", "scale", "min(scale, length)"]
    weights += ["bound"] if place and not fixed and not timed else []
    weights += ["alpha(t)", "1 - t"] if timed else ["1 / (1 + count)"]
    weight = draw.cycle(weights)
    head = draw.cycle(("", ", balance = 0.9", ", balance = part"))
    terms = [f"slot : joint_cross_entropy(gone){weight and f'  weight {weight}'}"]
    if place:
        terms.append(
            f"done : binary_cross_entropy(none gone{head})  weight {draw.pick(('1', 'half'))}"
        )
    over = ("sequences", "gone", "tokens", "block", "gone per sequence", "tokens per sequence")
    return [
        section(
            "noise",
            f"clean -> gone  survival alpha(t) = {survival}",
            f"amount {amount}{'' if fixed else draw.cycle(SPREADS)}",
        ),
        section(
            "network",
            f"backbone {draw.cycle(('rotary', 'dit', 'qwen2'))}",
            draw.often("attention full"),
            "head slot : logits at gaps",
            f"head done : chance at {place}" if place else "",
        ),
        loss(draw, terms, over),
        *gone_decoders(draw, bool(place)),
        collate(
            draw,
            f"{'cls ' * (place == 'cls')}bos",
            "body" if place == "eos" else draw.pick(("body", "body eos")),
            "eos" if place == "eos" else "",
            "given",
        ),
    ]


def gone_decoders(draw: Draw, stops: bool) -> list[str]:
    """Three decoders that insert tokens."""
    ends = ("when done > 0.6 or length = limit", "chance done or length = limit",
            "when tempered(done, 2) > patience or length = limit",
            "chance tempered(done, patience) or length = limit")  # fmt: skip
    found = []
    for i, name in enumerate(("", "other", "whole")):
        pick = draw.cycle(("pick gap", "pick gap greedy", "pick gap with top_k = 2", ""), i)
        drawn = f"draw slot{draw.pick(CUTS)}"
        plain = draw.cycle(("when length = limit", "when length = oracle or length = limit"), i)
        stop = draw.cycle(ends, i) if stops and name != "whole" else plain
        found.append(
            section(
                f"decoder {name}".rstrip(),
                draw.often("start empty"),
                "param patience : Chance = 0.6" if "patience" in stop else "",
                options(f"{pick} {drawn}"),
                f"step {{\ninsert tokens one\n{pick}\n{drawn}\n}}",
                f"stop {stop}",
            )
        )
    return found


# Nothing is corrupted


def clean(draw: Draw) -> list[str]:
    """A family that writes from left to right."""
    weights = [
        "",
        "bound",
        "scale",
        "1 + length / 8",
        "half",
        "exp(-scale)",
        "scale / length",
        "pi",
    ]
    second = draw.often("head second : logits", 0.3)
    terms = []
    for head in ("token", "second")[: 2 if second else 1]:
        weight = draw.cycle(weights, len(terms))
        terms.append(f"{head} : cross_entropy(following){weight and f'  weight {weight}'}")
    ends = draw.turn % 3 != 2
    stops = (
        ["last = eos or length = limit", "length = limit or last = eos"]
        if ends
        else ["length = limit"]
    )
    decoders = []
    for i, name in enumerate(("", "fast", "slow")):
        head = draw.pick(("token", "second")) if second else "token"
        drawn = f"draw {head}{draw.pick(CUTS)}"
        decoders.append(
            section(
                f"decoder {name}".rstrip(),
                draw.often("start prompt"),
                options(drawn),
                f"step {{\nappend one\n{drawn}\n}}",
                f"stop when {draw.cycle(stops, i)}",
                "reuse while prefix" if i != 2 else "drop reuse",
            )
        )
    over = ("tokens", "block", "sequences", "tokens per sequence")
    return [
        section("noise", "none"),
        section("network", "backbone rotary", draw.often("attention causal"),
                f"head token : logits{draw.often(' at tokens')}", second),
        loss(draw, terms, over),
        *decoders,
        collate(draw, draw.cycle(("bos", "cls bos", "cls")), "body eos" if ends else "body", "",
                "prefix"),
    ]  # fmt: skip


# Tokens become masks, and masks go


def both(draw: Draw) -> list[str]:
    """A family of two clocks."""
    amounts = ("", "t ~ uniform(0, 1)", "t ~ uniform(1e-3, 1)", "t ~ uniform(0.1, 0.9)")
    amount = draw.cycle(amounts)
    first, second = draw.pick(SMOOTH), draw.pick(SMOOTH)
    law = draw.turn % 3 == 1
    weights = ["bound", "min(bound, cap)", "0.5", "t", ""]
    weight = draw.cycle(weights)
    token = f"token : cross_entropy(x0) on mask{weight and f'  weight {weight}'}"
    gap = "cross_entropy(gone)" if law else f"poisson(gone)  weight {draw.cycle(weights[:4], 1)}"
    insert = "chance min(1, gap * reveal(beta))" if law else "poisson gap * reveal(beta)"
    conditioned = draw.turn % 4 != 3
    text = f"{token} {gap}"
    return [
        section(
            "noise",
            f"clean -> mask  survival alpha(t) = {first}",
            f"mask -> gone  survival beta(t) = {second}",
            f"amount {amount}{draw.cycle(SPREADS, 1)}" if amount else "",
        ),
        section(
            "network",
            f"backbone {'dit(condition = t)' if conditioned else draw.pick(('dit', 'rotary'))}",
            draw.often("attention full"),
            "head token : logits",
            f"head gap : {'distribution(6)' if law else 'count'} at gaps",
        ),
        section(
            "loss",
            "param cap : Scale = 2.0" if "cap" in text else "",
            token,
            f"gap : {gap}",
            f"mean over {draw.cycle(('sequences', 'block', 'tokens', 'tokens per sequence'))}",
        ),
        *both_decoders(draw, insert, law),
        collate(draw, "bos", "body", draw.pick(("eos", "")), "given"),
    ]


def both_decoders(draw: Draw, insert: str, law: bool) -> list[str]:
    """Three decoders that insert masks."""
    orders = ("confidence", "confidence of likeliest", "order", "left", "margin", "random")
    steps = ["unmask chance reveal(alpha)",
             f"unmask poisson masked * reveal(alpha) by {draw.cycle(orders)}",
             f"unmask one by {draw.cycle(orders, 3)}",
             f"unmask quota masked / steps_left by {draw.cycle(orders, 2)}"]  # fmt: skip
    found = []
    for i, name in enumerate(("", "other", "ended")):
        step = steps[(draw.turn + i) % len(steps)]
        drawn = f"draw token{draw.pick(CUTS)}"
        finish = draw.often("finish { unmask all; draw token greedy }", 0.3)
        early = name == "ended" and not law
        found.append(
            section(
                f"decoder {name}".rstrip(),
                "param steps : Count = 5" if not name else "",
                "param early : Scale = 0.05" if early else "",
                "param order = confidence | margin | entropy | left" if "by order" in step else "",
                options(f"{step} {drawn}"),
                "grid uniform(steps)" if not name else "",
                f"step {{\n{step}\n{drawn}\ninsert masks {insert}\n}}",
                finish,
                "stop when gap < early" if early else "",
                f"overflow {draw.cycle(('skip_row', 'drop_right'), i)}" if name else "",
            )
        )
    return found


# Families that extend others

CHILDREN = {
    19: """family NAME extends mdlm {
  noise { clean -> mask  survival alpha(t) = cos(pi / 2 * t) }
  decoder { param steps : Count = 5; drop reuse }
  replace decoder confident { start masks; step { unmask all; draw token greedy } }
}
""",
    39: """family NAME extends ilm {
  loss { param stop_scale : Scale = 0.5 }
  decoder confident { stop when length = limit }
}
""",
}

KINDS: dict[str, Callable[[Draw], list[str]]] = {
    "mask": masks,
    "gone": gone,
    "none": clean,
    "both": both,
}
TURNS = ("mask", "gone", "none", "both", "mask")


def name(number: int) -> str:
    """The name of the family of a number."""
    return f"random_{number:02}"


def spec(number: int) -> str:
    """The text of the spec of a number."""
    draw = Draw(number)
    if number in CHILDREN:
        return CHILDREN[number].replace("NAME", name(number))
    parts = KINDS[draw.kind](draw)
    recipe = draw.cycle(RECIPES, number)
    return f'family {name(number)} "Number {number}" {{\n{"".join(parts)}  {recipe}\n}}\n'


if __name__ == "__main__":
    from random_coverage import shown

    wanted = [int(one) for one in sys.argv[1:]]
    print("\n".join(map(spec, wanted)) if wanted else shown([spec(i) for i in range(COUNT)]))

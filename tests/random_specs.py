"""Specs made at random from a number: what the language can say of each kind of noise, combined.

    python tests/random_specs.py              the coverage of the first 40
    python tests/random_specs.py 7            the text of one

Every number gives the same text on every machine. Of five specs in a row two have tokens that
become masks. The module imports nothing of the compiler.
"""

import sys
from collections.abc import Callable

from random_masks import masks
from random_parts import CUTS, SMOOTH, SPREADS, STEEP, Draw, collate, loss, options, section

COUNT = 40
RECIPES = (
    *("", "", "recipe star_easy { batch 64; steps 1_000; learning_rate 1e-3 }"),
    "recipe { size tiny; ema 0.999 }\n  recipe lm1b, owt { batch 32; warmup 100; schedule cosine }",
    "recipe lm1b { size small; precision bf16; dropout 0.1; weight_decay 0 }",
)


# Tokens are gone


def gone(draw: Draw) -> list[str]:
    """A family whose tokens are dropped."""
    if draw.turn % 4 == 3:
        return rates(draw)
    amounts = ("count ~ uniform(0, length)", "t ~ uniform(0, 1)", "count ~ uniform(0, length)")
    amount = draw.cycle((*amounts, "t ~ fixed(0.7)", "t ~ uniform(0.25, 0.75)"))
    fixed, timed = "fixed" in amount, amount.startswith("t ")
    place = draw.cycle(("cls", "bos", ""))
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
            draw.pick(("body", "body eos")),
            "",
            "given",
        ),
    ]


def rates(draw: Draw) -> list[str]:
    """A family of insertions on a clock."""
    survival = draw.pick(SMOOTH)
    weight = draw.cycle(("min(bound, scale)", "", "1 + t"))
    weight = f"  weight {weight}" if weight else ""
    counted = draw.turn % 8 == 3
    head, term = ("count", "poisson") if counted else ("distribution(8)", "cross_entropy")
    rules = (
        "chance min(1, gap * reveal(alpha))",
        "quota gap / steps_left",
        "above 0.4 by confidence",
        "quota gap * reveal(alpha) by confidence of sampled",
    )
    made = [section(
        f"decoder {name}".rstrip(),
        "param steps : Count = 4",
        options(drawn := f"draw slot{draw.pick(CUTS)}"),
        "grid uniform(steps)",
        draw.often("overflow drop_right"),
        f"step {{\ninsert tokens {rule}\n{drawn}\n}}",
    ) for name, rule in zip(("", "second", "third", "fourth"), rules, strict=True)]  # fmt: skip
    terms = [f"slot : cross_entropy(gone){weight}", f"gap : {term}(gone){weight}"]
    return [
        section(
            "noise",
            f"clean -> gone  survival alpha(t) = {survival}",
            "amount t ~ uniform(1e-3, 1) stratified",
        ),
        section(
            "network",
            "backbone dit(condition = t)",
            "head slot : logits at gaps",
            f"head gap : {head} at gaps",
        ),
        loss(draw, terms, ("sequences", "block", "tokens")),
        *made,
        collate(draw, "bos", "body", "eos", "given"),
    ]


def gone_decoders(draw: Draw, stops: bool) -> list[str]:
    """Three decoders that insert tokens."""
    ends = ("when done > 0.6 or length = limit", "chance done or length = limit",
            "when tempered(done, 2) > patience or length = limit",
            "chance tempered(done, patience) or length = limit",
            "when done > 0.6 or text = stop_strings or length = limit")  # fmt: skip
    found = []
    for i, name in enumerate(("", "other", "whole")):
        rule = draw.cycle(("one", "one", "quota 2", "one", "chance 0.3", "one by confidence"), i)
        pick = draw.cycle(("pick gap", "pick gap greedy", "pick gap with top_k = 2", ""), i)
        pick = pick if rule == "one" else ""
        drawn = f"draw slot{draw.pick(CUTS)}"
        plain = draw.cycle(("when length = limit", "when length = oracle or length = limit"), i)
        stop = draw.cycle(ends, i) if stops and name != "whole" else plain
        found.append(
            section(
                f"decoder {name}".rstrip(),
                draw.often("start empty"),
                "param patience : Chance = 0.6" if "patience" in stop else "",
                options(f"{pick} {drawn}"),
                f"step {{\ninsert tokens {rule}\n{pick}\n{drawn}\n}}",
                f"stop {stop}",
            )
        )
    return found


# Nothing is corrupted

HIDDEN = ("prompt", "given")  # what a guide can be without


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
        ["last = eos or length = limit", "length = limit or last = eos or text = stop_strings"]
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
                f"guide cfg(scale = 0.7, without = {draw.cycle(HIDDEN, i)})"
                if name == "fast"
                else "",
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
    over = ("sequences", "block", "tokens", "tokens per sequence", "masked", "gone per sequence")
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
            f"mean over {draw.cycle(over)}",
        ),
        *both_decoders(draw, insert, law, not conditioned),
        collate(draw, "bos", "body", draw.pick(("eos", "")), "given"),
    ]


def both_decoders(draw: Draw, insert: str, law: bool, timeless: bool) -> list[str]:
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
        blocks = draw.cycle(("blocks 3", "", "blocks size"), i) if name else ""
        backs = ("", "remask chance eta * (t - s)", "remask quota 1 by confidence")
        back = draw.cycle(backs) if name == "other" else ""
        found.append(
            section(
                f"decoder {name}".rstrip(),
                "param steps : Count = 5" if not name else "",
                "param early : Scale = 0.05" if early else "",
                "param eta : Chance = 0.3" if "eta" in back else "",
                "param size : Count = 2" if "size" in blocks else "",
                "param order = confidence | margin | entropy | left" if "by order" in step else "",
                options(f"{step} {drawn}"),
                "grid uniform(steps)" if not name else "",
                blocks,
                "reuse while unchanged" if timeless and i != 1 else "",
                f"step {{\n{back}\n{step}\n{drawn}\ninsert masks {insert}\n}}",
                finish,
                f"guide cfg(scale = 0.7, without = {draw.cycle(HIDDEN)})"
                if name == "other"
                else "",
                draw.pick(BOTH_ENDS)
                if early
                else "stop when text = stop_strings" * (name == "ended"),
                f"overflow {draw.cycle(('skip_row', 'drop_right'), i)}" if name else "",
            )
        )
    return found


BOTH_ENDS = ("stop when gap < early", "stop when text = stop_strings or gap < early")


# Families that extend others

CHILDREN = {
    9: """family NAME extends mlm {
  network { backbone python "same_backbone:Mean" }
  decoder { param steps : Count = 4 }
}
""",
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

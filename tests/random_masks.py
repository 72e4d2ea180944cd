"""Random specs whose tokens become masks."""

from random_parts import CUTS, SMOOTH, SPREADS, STEEP, Draw, collate, loss, options, section


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


GRIDDED = (
    *("unmask chance reveal(alpha)", "unmask quota masked / steps_left by ORDER"),
    *("unmask quota masked * (1 - s / t) by LOOK of sampled", "unmask chance 1 / steps_left"),
    *("unmask poisson masked * reveal(alpha) by ORDER", "unmask chance part"),
    "unmask quota 1 + masked / steps_left by SCORE of tempered temperature heat",
    "unmask quota 2 by SCORE temperature heat * s + masked / 9",
    "unmask above tau else quota masked / steps_left by SURE",
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
    *("unmask quota 1 + masked * confidence by ORDER", "unmask chance margin / 2 else one by left"),
    *("unmask factor tau by SCORE", "unmask above tau else within 1 by SURE"),
)
REMASKS = ("remask chance eta", "remask quota 1 by confidence", "remask one by confidence",
           "remask quota masked / 2 by random", "remask chance min(eta, 1 - s)",
           "remask quota 1 by SCORE of current",
           "remask chance eta * (1 - confidence)",
           "remask poisson 2 * s by confidence")  # fmt: skip
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

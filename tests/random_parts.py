"""Parts of random specs: choices, and the sections that all kinds of noise write alike."""

import re
from collections.abc import Sequence
from random import Random

TURNS = ("mask", "gone", "none", "both", "mask")
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

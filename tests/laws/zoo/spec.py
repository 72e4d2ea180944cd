"""A spec with what the tests know of it, and what several kinds of specs share."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path

from xlmc.compiler import checked
from xlmc.resolve.defaults import explicit
from xlmc.syntax import printer

SHIPPED = Path(__file__).parents[3] / "spec"


@dataclass(frozen=True)
class Spec:
    """A spec with what the tests know of it without asking the compiler.

    `alpha` is its survival and `slope` the derivative; `beta` and `beta_slope` are those of a
    second arrow; `low` and `high` are the range of t.
    """

    text: str
    alpha: Callable[[float], float] = lambda t: 1 - t
    slope: Callable[[float], float] = lambda t: -1.0
    low: float = 0.0
    high: float = 1.0
    beta: Callable[[float], float] = lambda t: 1 - t
    beta_slope: Callable[[float], float] = lambda t: -1.0

    @property
    def shift(self) -> int:
        """The distance from a hidden state to the token on its right that it answers for."""
        return int(self.has("shifted"))

    def has(self, *pieces: str) -> bool:
        return all(piece in self.text for piece in pieces)

    @property
    def two(self) -> bool:
        """True where tokens become masks, and masks go."""
        return self.has("-> mask", "-> gone")

    @property
    def kernel(self) -> float:
        """The weight of the nearest token that a mask can see; 0 where all count alike."""
        found = re.search(r"(?:kernel|rho) : Chance = ([\d.]+)", self.text)
        return float(found[1]) if found else 0.0

    @property
    def samplers(self) -> list[str]:
        """The names of the decoders, `default` first."""
        return ["default", *re.findall(r"decoder ([a-z_]+) +[{]", self.text)]

    @property
    def greedy(self) -> list[str]:
        """The decoders whose steps take the likeliest token."""
        if self.has("param temperature : Scale = 0.0"):
            return self.samplers
        return [
            name for name in self.samplers if re.search(r"step *\{[^}]*greedy", self._own(name))
        ]

    def _own(self, sampler: str) -> str:
        """The text of a decoder's own section."""
        chunks = re.split(r"^ +decoder\b(?= *[a-z_]* *[{])", self.text, flags=re.MULTILINE)[1:]
        found = {re.match(r" *([a-z_]*)", chunk)[1] or "default": chunk for chunk in chunks}
        return found[sampler]

    def says(self, sampler: str, pattern: str) -> re.Match[str] | None:
        """Where the section of a decoder, or else that of `default`, says something."""
        found = re.search(pattern, self._own(sampler))
        return found or re.search(pattern, self._own("default"))

    def cuts(self, sampler: str) -> list[str]:
        """The params by which the draw of a token departs from the law of the head."""
        found = self.says(sampler, r"draw \w+(?: with ([\w, ]+))?")
        assert found is not None
        return re.findall(r"temperature|top_k|top_p", found[1] or "")

    @property
    def over(self) -> str:
        found = re.search(r"mean over ([a-z]+(?: per [a-z]+)?)", self.text)
        return found[1] if found else "tokens"


def written_out(name: str) -> str:
    """A shipped spec with its parents and defaults."""
    return printer.text(explicit(checked(SHIPPED / f"{name}.xlm")[0]))


def cosine(t: float) -> float:
    return cos(pi * t / 2)


def cosine_slope(t: float) -> float:
    return -pi / 2 * cos(pi * (1 - t) / 2)


LED = "param w : Scale = 2.0\n    guide cfg(scale = w, without = prompt)\n    "

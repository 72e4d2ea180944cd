"""The parts of all drawn specs: formulas, sections, and facts that one section tells the others."""

import re

from attrs import frozen
from hypothesis import strategies as st

TEXT = "text = stop_strings"

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
TIMES = ("uniform(0, 1)", "uniform(0, 0.999)", "uniform(1e-3, 1)", "uniform(0.25, 0.75)")


@frozen
class Noise:
    """Facts of the noise that the other sections need."""

    chain: str
    survival: str
    timed: bool
    fixed: bool
    lowest: int  # of the counts
    left_over: bool
    param: str  # that the survival reads; "" for none


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


def section(name: str, entries: list[str]) -> str:
    """A section of a spec."""
    lines = "".join(f"    {line}\n" for entry in entries if entry for line in entry.splitlines())
    return f"  {name} {{\n{lines}  }}\n"


def maybe(draw: st.DrawFn, text: str) -> str:
    """The text, or nothing."""
    return draw(st.sampled_from([text, ""]))


def says(text: str, name: str) -> bool:
    """Return whether a text mentions a name."""
    return re.search(rf"\b{name}\b", text) is not None


def apart(decoder: str, default: str) -> str:
    """A named decoder that drops what it does not change of the default one."""
    entries = ("grid", "finish", "stop", "reuse", "blocks", "guide")
    lines = [f"    drop {e}\n" for e in entries if starts(default, e) and not starts(decoder, e)]
    head, _, rest = decoder.partition("\n")
    return "".join([head, "\n", *lines, rest])


def starts(text: str, word: str) -> bool:
    """Return whether a line of a section begins with a word."""
    return re.search(rf"(?m)^    {word}\b", text) is not None

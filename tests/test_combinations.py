"""Formulas in every place that takes one: each of them compiles to code that trains and decodes."""

from pathlib import Path

import pytest
from families.compiled import ROOT
from families.life import live
from families.texts import MASK, changed

GRID = "    grid uniform(steps)\n    step {\n      unmask chance reveal(alpha)\n"
OWN = ("over tokens", "over tokens per sequence")
TIMED = ("amount count ~ uniform(1, length)", "amount t ~ uniform(0, 1)")
STEPS = [  # lets, and how many masks a step reveals
    ("let now = t", "quota now * 3 by random"),
    ("let now = masked; let more = now * t", "quota more / steps_left by random"),
    ("let k = 3", "quota k by random"),
    ("let k = 1 / 2", "chance k"),
    ("", "chance min(1, 3 / length)"),
    ("", "poisson 2 by random"),
    ("let k = t * 3", "poisson k by random"),
    ("", "above 1 / masked by confidence"),
    ("let k = masked / 3", "within k by confidence"),
    ("", "quota max(masked, t, 3) by random"),
    ("let k = min(t, s)", "quota 1 + k by random"),
    ("", "quota 1 + sin(steps_left) by random"),
    ("let h = t / 2", "quota 1 + alpha(h) - alpha'(t) by random"),
    ("", "chance 1 - alpha(masked / length * t)"),
]
WEIGHTS = [
    "1 / 2 + count", "-1 + 2", "max(count, length)", "pi * count", "exp(-count)",
    "visible(geometric(0.3)) * length / count", "min(visible(geometric(0.3)), 1)",
    "max(visible(geometric(0.5)), visible(geometric(0.2)))", "min(length, visible(geometric(0.5)))",
]  # fmt: skip
TIMED_WEIGHTS = [
    "1 / 2 + t", "-alpha'(t)", "bound * visible(geometric(0.3))", "max(t, count)",
    "alpha(count / length * t)", "min(hazard(alpha), visible(geometric(0.1)))",
]  # fmt: skip


INSERTIONS = [  # how many masks a step of two clocks puts into a gap
    "poisson gap", "chance 1 - exp(-gap)", "poisson gap / steps_left", "poisson min(gap, 3) * t",
    "chance min(1, gap)", "poisson gap * (t - s) / max(t, s)",
]  # fmt: skip
BOTH_WEIGHTS = [
    "1 / 2 + t", "t * length", "max(t, length)", "bound", "min(hazard(alpha), 2)", "alpha(t)",
    "hazard(beta)", "pi", "exp(-t)",
]  # fmt: skip


def two_clocks() -> str:
    """The shipped family of two clocks, with one short decoder, and all its layouts."""
    text = (
        (ROOT / "spec/flexmdm.xlm").read_text(encoding="utf-8").partition("  # The settings of")[0]
    )
    begin, end = text.index("  decoder adaptive"), text.index("  collate {")
    return changed(text[:begin] + text[end:] + "}\n", ("steps : Count = 128", "steps : Count = 4"))


def moving(lets: str, much: str) -> str:
    step = ("unmask chance reveal(alpha)", f"unmask {much}")
    return changed(BOTH, step, ("grid uniform(steps)", f"{lets}\n    grid uniform(steps)"))


def decoding(lets: str, much: str) -> str:
    step = GRID.replace("chance reveal(alpha)", much)
    return changed(MASK, ("    reuse while unchanged\n", ""), (GRID, f"    {lets}\n{step}"))


BOTH = two_clocks()
HEADS = (("token", "on mask  weight "), ("gap", f"poisson(gone){' ' * 14}weight "))
CASES = {
    **{f"{lets} {much}": decoding(lets, much) for lets, much in STEPS},
    **{w: changed(MASK, ("weight bound", f"weight {w}")) for w in WEIGHTS},
    **{
        f"{w} per sequence": changed(
            MASK, TIMED, ("weight bound", f"weight {w}"), OWN
        )
        for w in TIMED_WEIGHTS
    },
    **{f"two clocks, {lets} {much}": moving(lets, much) for lets, much in STEPS},
    **{
        f"two clocks, insert masks {one}": changed(BOTH, ("poisson gap * reveal(beta)", one))
        for one in INSERTIONS
    },
    **{
        f"two clocks, {head} {w}": changed(BOTH, (f"{before}min(bound, cap)", f"{before}{w}"))
        for w in BOTH_WEIGHTS
        for head, before in HEADS
    },
}  # fmt: skip
FAST = {
    "let now = t quota now * 3 by random",
    "two clocks, insert masks chance min(1, gap)",
    "visible(geometric(0.3)) * length / count",
}


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=[] if c in FAST else pytest.mark.slow) for c in CASES]
)
def test_a_formula_lives_wherever_it_may_stand(case: str, tmp_path: Path) -> None:
    live(CASES[case], tmp_path)

"""Claims of a loss: what its weights, heads and means make of the likelihood."""

import pytest
from families.compiled import ROOT, lowered
from families.texts import GONE, MASK, TIED, changed

from xlmc.calculus.code import Code


def said(code: Code | None) -> str:
    return str(code) if code is not None else ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (MASK, "tight"),
        (GONE, "bound"),
        (
            changed(
                GONE,
                ("joint_cross_entropy(gone)", "joint_cross_entropy(gone)  weight bound"),
                ("weight stop_scale", "weight bound"),
                ("    param stop_scale : Scale = 1.0\n", ""),
            ),
            "tight",
        ),
        (
            changed(
                GONE,
                ("    done : binary_cross_entropy(none gone)  weight stop_scale\n", ""),
                ("    param stop_scale : Scale = 1.0\n", ""),
                ("done > stop_above or ", ""),
                ("    param stop_above : Chance = 0.5\n", ""),
                ("stop chance done or length = limit", "stop when length = limit"),
            ),
            "none",
        ),
    ],
)
def test_the_claim_follows_from_heads_and_weights(text: str, value: str) -> None:
    package = lowered(text)
    assert package.family.claim == value
    assert (package.likelihood is None) == (value == "none")


UNTIMED = ("amount count ~ uniform(1, length)", "amount t ~ uniform({})")
BOTH = (ROOT / "spec" / "flexmdm.xlm").read_text("utf-8")
NONE = (ROOT / "spec" / "arlm.xlm").read_text("utf-8")


def weighed(slot: str, done: str, *params: str) -> str:
    """Insertions with two weights."""
    return changed(
        TIED,
        ("joint_cross_entropy(gone)  weight bound", f"joint_cross_entropy(gone)  weight {slot}"),
        ("(none gone)  weight bound", f"(none gone)  weight {done}"),
        ("  loss {\n", "  loss {\n" + "".join(f"    param {one}\n" for one in params)),
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (weighed("bound", "bound"), "tight"),
        (weighed("k * bound", "k * bound", "k : Scale = 0.1"), "tight"),
        (weighed("max(0, bound)", "bound"), "tight"),
        (
            changed(
                TIED,
                ("(none gone)", "(none gone)  weight bound\n    missing : cross_entropy(gone)"),
                ("cross_entropy(gone)  weight bound\n    mean", "cross_entropy(gone)\n    mean"),
                ("head done", "head missing : distribution(8) at cls\n    head done"),
            ),
            "tight",
        ),
        (weighed("bound", "bound * (1 + 0 ** count)"), "bound"),
        (weighed("bound", "bound * (1 + exp(-50 * count))"), "bound"),
        (weighed("bound + k * count", "bound", "k : Scale = 0"), "bound"),
        (weighed("bound", "bound ** k", "k : Scale = 1"), "bound"),
        (weighed("bound", "bound * k", "k : Scale = 0"), "bound"),
    ],
)
def test_a_tight_claim_holds_for_all_counts_and_params(text: str, value: str) -> None:
    family = lowered(text).family
    assert family.claim == value
    assert said(family.tilt) == ("" if value == "tight" else "None")


NUMBERED = changed(  # a head of numbers says when to stop
    TIED,
    ("head done : chance at cls", "head missing : distribution(64) at cls"),
    ("done : binary_cross_entropy(none gone)", "missing : cross_entropy(gone)"),
    ("stop when done > stop_above", "stop when zero(missing) > stop_above"),
    ("stop chance done", "stop chance zero(missing)"),
)


def test_a_number_that_may_be_0_says_when_to_stop() -> None:
    package = lowered(NUMBERED)
    assert package.family.claim == "tight"
    assert package.family.tilt is None
    assert not package.family.trained  # how many are missing is no part of the likelihood
    assert dict(package.family.samples)["sampled"].law == "exact"
    assert package.likelihood is not None
    assert package.likelihood.numbers
    plain = lowered(NUMBERED.replace("  weight bound", "")).family
    assert (plain.claim, said(plain.tilt)) == ("bound", "lambda length: 1 / (length + 1)")


def test_a_decoder_that_asks_another_head_to_stop_is_not_exact() -> None:
    text = changed(
        TIED,
        ("head done", "head missing : distribution(8) at cls\n    head done"),
        ("    mean over", "    missing : cross_entropy(gone)  weight bound\n    mean over"),
        ("stop chance done", "stop chance zero(missing)"),
    )
    package = lowered(text)
    assert package.likelihood is not None
    assert package.likelihood.stop == "done"
    assert dict(package.family.samples)["sampled"].law == "none"


SIZED = """family sized {
  noise   { clean -> mask  survival alpha(t) = 1 - t; amount count ~ uniform(1, length) }
  network { backbone rotary; head token : logits; head size : distribution(64) at bos }
  loss    {
    token : cross_entropy(x0) on mask  weight bound
    size : cross_entropy(length)
    mean over sequences
  }
  decoder { start masks(size); step { unmask one; draw token } }
  collate { text : bos [body] }
}
"""
PER_TOKEN = ("mean over sequences", "mean over tokens per sequence")


@pytest.mark.parametrize(
    ("text", "even"),
    [
        (NONE, True),
        (changed(NONE, ("mean over tokens", "mean over sequences")), True),
        (changed(NONE, ("mean over tokens", "mean over tokens per sequence")), False),
        (changed(NONE, ("(following)", "(following)  weight length")), False),
        (BOTH, True),
        (changed(BOTH, ("mean over block", "mean over tokens per sequence")), False),
        (BOTH.replace("min(bound, cap)", "min(bound, cap) * length"), False),
        (changed(BOTH, ("uniform(1e-3, 1)", "uniform(0.3, 0.8)")), False),
        (SIZED, True),
        (changed(SIZED, ("(length)", "(length)  weight 3")), True),
        (changed(SIZED, ("(length)", "(length)  weight length")), False),
        (changed(SIZED, ("(length)", "(length)  weight count")), False),
        (changed(SIZED, PER_TOKEN), False),
        (changed(SIZED, PER_TOKEN, ("(length)", "(length)  weight length")), True),
        (changed(SIZED, ("on mask  weight bound", "on mask  weight length")), True),
    ],
)
def test_no_law_is_claimed_where_longer_examples_weigh_more(text: str, even: bool) -> None:
    """A head cannot know how long a text will be that it sees the beginning of."""
    assert said(lowered(text).family.tilt) == ("" if even else "None")


@pytest.mark.parametrize(
    ("times", "whole"), [("0, 1", True), ("1e-3, 1", True), ("0.3, 0.8", False), ("0, 0.9", False)]
)
def test_a_part_of_the_time_trains_no_likelihood(times: str, whole: bool) -> None:
    old, new = UNTIMED
    assert lowered(changed(MASK, (old, new.format(times)))).family.trained == whole

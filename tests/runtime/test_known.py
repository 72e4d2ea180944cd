"""The network that knows the only text: what it answers, and the samples drawn with it."""

from itertools import pairwise
from pathlib import Path

import pytest

from xlm_runtime.packages import package
from xlm_runtime.system.errors import UsageError
from xlm_runtime.verify.known import Head, aligned
from xlm_runtime.verify.shown import Demonstration

ROOT = Path(__file__).parents[2]
HEADS = {
    "arlm": {"token": Head("logits", "tokens", ahead=True)},
    "flexmdm": {"token": Head("logits", "tokens"), "gap": Head("count", "gaps")},
    "ilm": {"slot": Head("logits", "gaps"), "done": Head("chance", "cls")},
    "mdlm": {"token": Head("logits", "tokens")},
}
BOS, A, B, C, D, MASK = 2, 5, 6, 7, 8, 1
TEXT = [BOS, A, B, C, D]
FREE = [False, True, True, True, True]


def shown(name: str) -> Demonstration:
    return Demonstration(package.load(ROOT / "examples" / name).family, HEADS[name])


@pytest.mark.parametrize(
    ("seen", "ways"),
    [
        ([BOS, A, D], [[0, 1, 4]]),
        ([BOS, MASK, C], [[0, 1, 3], [0, 2, 3]]),
        ([BOS, D, A], []),
        ([A, B], []),  # what is not free is there
    ],
)
def test_a_row_is_the_text_without_some_free_tokens(seen: list[int], ways: list[list[int]]) -> None:
    assert [list(way) for way in aligned(seen, TEXT, FREE, MASK)] == ways


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("arlm", "bos a b c d eos"),
        ("flexmdm", "bos a b c d eos"),
        ("ilm", "cls bos a b c d"),
        ("mdlm", "bos a b c d eos"),
    ],
)
def test_a_sample_ends_in_the_text(name: str, end: str) -> None:
    states, _ = shown(name).sample()
    numbers, rows = zip(*states, strict=True)
    assert rows[-1] == end
    assert list(numbers) == sorted(set(numbers))
    assert all(a != b for a, b in pairwise(rows))


def test_chances_of_states_at_half_of_the_noise() -> None:
    rows, shares = shown("flexmdm").noised(0.5, counted=False)
    expected = {"clean": 0.1534, "mask": 0.3466, "gone": 0.5}  # as the clocks say
    assert shares == pytest.approx(expected, abs=0.01)
    assert all(row.startswith("bos") for row in rows)
    assert shown("mdlm").noised(0.5, counted=True)[1] == {"clean": 0.5, "mask": 0.5}
    assert shown("arlm").noised(0.5, counted=False) == ([], {})


def test_a_family_without_plain_texts_is_refused() -> None:
    family = package.load(ROOT / "examples" / "mdlm").family
    with_prompts = {name: one for name, one in family.layouts.items() if name != "text"}
    family = type(family)(**{**vars(family), "layouts": with_prompts})
    with pytest.raises(UsageError, match="has no layout `text`"):
        Demonstration(family, HEADS["mdlm"])

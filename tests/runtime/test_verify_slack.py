"""What the bound of two clocks comes to with the best heads."""

from dataclasses import replace
from math import log
from pathlib import Path

import pytest
import torch

from xlm_runtime.packages import package
from xlm_runtime.plug import Example
from xlm_runtime.verify.bench import Bench, Settings
from xlm_runtime.verify.slack import best
from xlm_runtime.verify.toys import A, B, C, Toy, vocabulary

EXAMPLES = Path(__file__).parents[2] / "examples"


def bench(*bodies: tuple[int, ...], units: tuple[int, ...] = (), clocks=None) -> Bench:
    family = package.load(EXAMPLES / "flexmdm").family
    family = family if clocks is None else replace(family, clocks=clocks)
    outcomes = tuple(Example(i, body) for i, body in enumerate(bodies))
    toy = Toy("own", "", "text", max(map(len, bodies)), outcomes, units or (1,) * len(bodies))
    return Bench(family, vocabulary(family.specials), toy, Settings())


@pytest.mark.parametrize(
    ("length", "nats"), [(1, 0.0), (2, 0.6931472), (3, 1.5607104), (4, 2.5132232), (5, 3.5162702)]
)
def test_of_one_string_it_is_the_slack_of_hidden_alignments(length: int, nats: float) -> None:
    """The values of L = 2..5 for linear clocks, whatever the letters are."""
    for body in ((A,) * length, (A, B, C, A, B)[:length]):
        assert best(bench(body)) == pytest.approx(nats, abs=2e-6)


def test_of_one_letter_it_is_the_entropy() -> None:
    """A single mask hides nothing but its token."""
    found = best(bench((A,), (B,), units=(3, 1)))
    assert found == pytest.approx(log(4) - 0.75 * log(3), abs=1e-5)


def test_it_does_not_depend_on_a_change_of_clock_for_both() -> None:
    def square(t: torch.Tensor) -> torch.Tensor:
        return t**2

    strings = ((A, B), (B, A), (A, A))
    assert best(bench(*strings, clocks=(square, square))) == pytest.approx(
        best(bench(*strings)), abs=1e-4
    )

"""`tests/same.py` sees what it is for, and its random specs have every feature."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import random_coverage
import random_specs
import same
import torch
from families.compiled import lowered
from same_report import Report, apart, compare, settled

NUMBERS = range(random_specs.COUNT)


def report(history: str = "exact") -> Report:
    return Report(1e-5, history, set())


@pytest.mark.parametrize(
    ("base", "here", "far"),
    [
        (torch.ones(2), torch.ones(2), 0.0),
        (torch.tensor([float("nan"), 1.0]), torch.tensor([float("nan"), 1.0]), 0.0),
        (torch.tensor([float("inf")]), torch.tensor([1.0]), float("inf")),
        (torch.tensor([4.0, 0.0]), torch.tensor([4.0, 1.0]), 0.25),
        (torch.ones(2), torch.ones(3), float("inf")),
        (torch.ones(2), torch.ones(2).double(), float("inf")),
        (torch.tensor([1]), torch.tensor([2]), float("inf")),
        ({"a": [1, "x"]}, {"a": [1, "x"]}, 0.0),
        ({"a": [1, "x"]}, {"a": [1, "y"]}, float("inf")),
        ({"a": 1}, {"b": 1}, float("inf")),
        ([1, 2], [1], float("inf")),
        (1, 1.0, float("inf")),
    ],
)
def test_how_far_two_values_are_apart(base: object, here: object, far: float) -> None:
    assert apart(base, here) == far


def test_outcomes_are_counted_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    one = report()
    base = {
        ("loss", "text", "a"): {"total": torch.tensor(2.0)},
        ("loss", "text", "b"): {"total": torch.tensor(2.0)},
        ("decoder", "text", "c"): "error: ValueError: no",
        ("decoder", "text", "d"): {"tokens": [1], "calls": [1], "history": [1, 2]},
        ("work", "text", "d"): 5,
    }
    here = base | {
        ("loss", "text", "b"): {"total": torch.tensor(2.0) * (1 + 1e-6)},
        ("decoder", "text", "d"): {"tokens": [1], "calls": [2], "history": [1, 2]},
        ("work", "text", "d"): 3,
    }
    compare(one, {"p": base, "q": base}, {"p": here})
    totals = [one.total(how) for how in ("equal", "rounded", "refused", "differs")]
    assert totals == [1, 1, 1, 2]
    assert one.failed
    assert one.work == {"p": [5, 3]}
    printed = capsys.readouterr().out
    assert "p decoder text d: calls differ" in printed
    assert "q build : this tree has no such package" in printed


def test_a_claim_that_differs_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    base, here = ({"value": value, "why": "both"} for value in ("tight", "bound"))
    compare(
        report(), {"p": {("claims", "", "claim"): base}}, {"p": {("claims", "", "claim"): here}}
    )
    printed = capsys.readouterr().out
    assert "was {'value': 'tight'}" in printed
    assert "and is {'value': 'bound'}" in printed


def test_what_only_this_tree_states_is_no_difference() -> None:
    one = report()
    key, other = ("claims", "", "name"), ("claims", "", "new")
    compare(one, {"p": {key: "a"}}, {"p": {key: "a", other: 1}})
    assert not one.failed
    assert one.added == {"claims new": 1}
    compare(one, {"p": {key: "a", other: 1}}, {"p": {key: "a"}})
    assert one.failed


def test_a_repeated_state_counts_once_if_histories_are_settled() -> None:
    once, twice = ({"tokens": [], "calls": [], "history": h} for h in ([1, 2], [1, 2, 2]))
    assert apart(once, twice)
    assert not apart(settled(once), settled(twice))


def test_nothing_compared_is_a_failure() -> None:
    assert report().failed


def test_random_specs_have_every_feature() -> None:
    counts = random_coverage.coverage([random_specs.spec(number) for number in NUMBERS])
    assert not [feature for feature, count in counts.items() if not count]


def test_a_number_gives_the_same_spec_again() -> None:
    assert random_specs.spec(7) == random_specs.spec(7)
    assert len({random_specs.spec(number) for number in NUMBERS}) == len(NUMBERS)


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_random_specs_are_accepted(number: int) -> None:
    lowered(random_specs.spec(number))


def weight(text: str) -> str:
    """The total of a loss, and its only term, weigh a little more."""
    return re.sub(r"\.clamp\(min=1\)", ".clamp(min=1) * 1.001", text)


def stream(text: str) -> str:
    """Tokens are drawn by the numbers of another stream."""
    return text.replace('noise.uniform("token"', 'noise.uniform("tokens"')


def claim(text: str) -> str:
    """The likelihood is stated to be a bound."""
    return text.replace('"tight"', '"bound"')


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "kinds"),
    [(weight, {"loss", "gradient"}), (stream, {"decoder"}), (claim, {"claims"})],
)
def test_a_planted_mistake_is_seen(
    mistake: Callable[[str], str], kinds: set[str], tmp_path: Path
) -> None:
    base, here = (tmp_path / side for side in ("base", "here"))
    for side in (base, here):
        shutil.copytree(same.ROOT / "examples/mdlm", side / "mdlm")
    files = list((here / "mdlm").glob("*.py"))
    before = [path.read_text("utf-8") for path in files]
    after = [mistake(text) for text in before]
    assert before != after, f"{mistake.__name__} changes nothing: plant it anew"
    for path, text in zip(files, after, strict=True):
        path.write_text(text, encoding="utf-8")
    one = report()
    compare(one, *(same.record(same.ROOT, side, quick=True) for side in (base, here)))
    assert {kind for _, kind, how in one.counts if how == "differs"} == kinds

"""Metrics against cases worked out by hand."""

import math

import pytest
import torch
from torchmetrics import MetricCollection

from xlm_runtime.metrics import Answer, ExactMatch, Ratio, TokenAccuracy, collection
from xlm_runtime.plug import Example
from xlm_runtime.tokenizers import words

TOKENIZER = words([str(i) for i in range(10)], ("pad",))


def _example(*body: int, given: tuple[bool, ...] = ()) -> Example:
    return Example(0, body=body, given=given)


def _answer(ids: list[int], example: Example) -> Answer:
    return Answer(ids, example, TOKENIZER)


def _fill(metric: Ratio, *pairs: tuple[list[int], Example]) -> dict[str, float]:
    for prediction, example in pairs:
        metric.update(_answer(prediction, example))
    return {name: float(value) for name, value in metric.compute().items()}


@pytest.mark.parametrize(
    ("prediction", "right"),
    [
        ([1, 2, 3], 1),
        ([1, 2], 0),  # a right beginning that stops too early
        ([1, 2, 3, 3], 0),  # goes on
        ([1, 2, 4], 0),
        ([], 0),
    ],
)
def test_exact_match_is_of_the_whole_sequence_and_its_length(
    prediction: list[int], right: int
) -> None:
    assert _fill(ExactMatch(), (prediction, _example(1, 2, 3)))["exact_match"] == right


def test_exact_match_error_is_that_of_a_mean() -> None:
    right, wrong = ([1], _example(1)), ([2], _example(1))
    found = _fill(ExactMatch(), right, right, right, wrong)
    assert found["exact_match"] == pytest.approx(0.75)
    assert found["exact_match_error"] == pytest.approx(math.sqrt(0.75 * 0.25 / 3))
    assert found["exact_match_count"] == 4


@pytest.mark.parametrize(
    ("prediction", "accuracy"),
    [
        ([1, 2, 3, 4], 1),
        ([1, 2], 2 / 4),  # missing tokens are wrong
        ([1, 2, 3, 4, 9, 9, 9, 9], 4 / 8),  # surplus tokens are wrong
        ([9, 1, 2, 3], 0),  # shifted by one
        ([], 0),
    ],
)
def test_token_accuracy_sees_the_length(prediction: list[int], accuracy: float) -> None:
    found = _fill(TokenAccuracy(), (prediction, _example(1, 2, 3, 4)))
    assert found["token_accuracy"] == pytest.approx(accuracy)


def test_token_accuracy_counts_only_what_was_not_given() -> None:
    example = _example(5, 6, 7, 8, given=(True, False, True, False))
    assert _fill(TokenAccuracy(), ([5, 6, 7, 9], example))["token_accuracy"] == 0.5


def test_token_accuracy_weighs_by_tokens_and_its_error_is_linearised() -> None:
    found = _fill(
        TokenAccuracy(),
        ([1, 2, 3, 4], _example(1, 2, 3, 4)),  # 4 of 4
        ([1], _example(2)),  # 0 of 1
        ([1, 2, 9], _example(1, 2, 3)),  # 2 of 3
    )
    ratio = 6 / 8
    residuals = [4 - ratio * 4, 0 - ratio * 1, 2 - ratio * 3]
    error = math.sqrt(3 / 2 * sum(r * r for r in residuals)) / 8
    assert found["token_accuracy"] == pytest.approx(ratio)
    assert found["token_accuracy_error"] == pytest.approx(error)


def test_errors_of_one_example_and_ratios_of_none_are_nan() -> None:
    assert math.isnan(_fill(ExactMatch(), ([1], _example(1)))["exact_match_error"])
    assert math.isnan(_fill(TokenAccuracy(), ([], _example()))["token_accuracy"])


def test_a_collection_updates_each_of_its_metrics() -> None:
    """Both see 1 of 1 first: compute groups would take them for the same metric."""
    metrics = collection(ExactMatch(), TokenAccuracy())
    metrics.update(_answer([1], _example(1)))
    metrics.update(_answer([1, 2], _example(1, 3)))
    found = metrics.compute()
    assert float(found["exact_match"]) == 0.5
    assert float(found["token_accuracy"]) == pytest.approx(2 / 3)


def test_states_of_several_ranks_add_up() -> None:
    pairs = [([1, 2], _example(1, 2)), ([3], _example(4)), ([5, 6, 7], _example(5))]
    whole, first, second = TokenAccuracy(), TokenAccuracy(), TokenAccuracy()
    for place, (prediction, example) in enumerate(pairs):
        whole.update(_answer(prediction, example))
        (first if place == 0 else second).update(_answer(prediction, example))
    first.merge_state(second)
    for name, value in whole.compute().items():
        torch.testing.assert_close(first.compute()[name], value)


def test_reset_forgets() -> None:
    metrics: MetricCollection = collection(ExactMatch())
    metrics.update(_answer([1], _example(2)))
    metrics.reset()
    metrics.update(_answer([2], _example(2)))
    assert float(metrics.compute()["exact_match"]) == 1


def test_sums_stay_in_float64() -> None:
    """In float32 a count stops at 16,777,216."""
    metric = ExactMatch()
    metric.n += 2.0**24
    metric.update(_answer([1], _example(1)))
    assert int(metric.n) == 2**24 + 1

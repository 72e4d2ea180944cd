"""Prepared examples: as they were written, and as they promise to be."""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xlm_runtime.data.rows import Dropped, Place, lines
from xlm_runtime.data.store import Block, Examples, Writer
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import RunError
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tokenizers import words

# ---------------------------------------------------------------- store


def _write(folder: Path, vocab: int, *blocks: Mapping[str, Sequence[Sequence[int]]]) -> Examples:
    with Writer(folder, vocab) as writer:
        for block in blocks:
            writer.add(**{name: Block.of(rows) for name, rows in block.items()})
    return Examples(folder)


def test_examples_come_back_as_they_were(tmp_path: Path) -> None:
    made = _write(
        tmp_path,
        70_000,
        {"body": [[1, 69_999], []], "prompt": [[5], [6, 7]], "given": [[1, 0], []]},
        {"body": [[3]], "prompt": [[]], "given": [[1]]},
    )
    assert list(made) == [
        Example(0, [1, 69_999], [5], (True, False)),
        Example(1, [], [6, 7], ()),
        Example(2, [3], [], (True,)),
    ]
    assert made[-1] == made[2]
    assert made.lengths.tolist() == [2, 0, 1]
    assert pickle.loads(pickle.dumps(made))[0] == made[0]
    assert len(pickle.dumps(made)) < 1000  # a worker gets the place, not the data
    for index in (3, -4):
        with pytest.raises(IndexError):
            made[index]


@pytest.mark.parametrize(("vocab", "width"), [(256, 1), (257, 2), (65_536, 2), (65_537, 4)])
def test_ids_take_no_more_room_than_they_need(vocab: int, width: int, tmp_path: Path) -> None:
    made = _write(tmp_path, vocab, {"body": [[vocab - 1, 0]]})
    assert made[0].body == [vocab - 1, 0]
    assert (tmp_path / "body.ids").stat().st_size == 2 * width


def test_no_examples_and_empty_bodies(tmp_path: Path) -> None:
    assert list(_write(tmp_path / "none", 10)) == []
    assert _write(tmp_path / "empty", 10, {"body": [[], []]})[1] == Example(1, [])


def test_matrices_are_read_row_by_row() -> None:
    block = Block.padded(np.array([[1, -1, 2], [-1, -1, -1], [3, 0, 4]]))
    assert block.flat.tolist() == [1, 2, 3, 0, 4]
    assert block.lengths.tolist() == [2, 0, 3]


# ---------------------------------------------------------------- prepared


def _prepared(**more: Any) -> Prepared:
    rows = [Example(i, body=[0, 1], prompt=[2]) for i in range(3)]
    plain = {"train": rows, "validation": rows, "test": rows, "body": 2, "prompt": 1}
    return Prepared(**{"tokenizer": words(["a", "b", "c"], ("pad", "mask")), **plain, **more})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"test": []}, "the test split is empty"),
        ({"body": 1}, "the body of example 0 of train has 2 tokens, room is for 1"),
        ({"prompt": 0}, "the prompt of example 0 of train has 1 tokens, room is for 0"),
        ({"train": [Example(0, [5])]}, "contains 5, but the vocabulary has 5 ids"),
        ({"train": [Example(0, [3])]}, "contains the special token 'pad'"),
        ({"train": [Example(0, [0], given=[True, True])]}, "`given` and `body` differ"),
    ],
)
def test_data_that_break_their_promise_are_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        _prepared(**more)


def test_lengths_are_those_of_the_training_bodies(tmp_path: Path) -> None:
    rows = [Example(0, []), Example(1, [1]), Example(2, [1, 2])]
    assert _prepared(train=rows).lengths.tolist() == [0, 1, 2]
    made = _write(tmp_path, 3, {"body": [[1, 2], [0]]})
    assert _prepared(train=made).lengths.tolist() == [2, 1]


def test_a_text_without_prompts_is_a_beginning_that_is_kept() -> None:
    rows = [Example(0, body=[0, 1])]
    made = _prepared(train=rows, validation=rows, test=rows, prompt=0)
    assert made.example("a b", 4) == Example(4, body=[0, 1], given=(True, True))


# ---------------------------------------------------------------- in words


def test_facts_in_words() -> None:
    dropped = Dropped()
    for row in (3, 2):
        dropped.note("null", Place("a.csv", row))
    dropped.note("NaN", Place("", 7))
    facts = {"dropped": dropped.facts(), "cut": {"train": 2, "first": [1, 4]}, "left_over": {}}
    unknown = {"tokens": 400, "rows": 12, "first": [3]}
    assert lines({**facts, "unknown": unknown}) == [
        "  dropped: null: 2 rows, first [a.csv:2, a.csv:3]; NaN: 1 row, first [7]",
        "  cut: train 2, first [1, 4]",
        "  left over: none",
        "  unknown: 400 tokens in 12 rows, first [3]",
    ]

"""Tasks that make their problems: the rules, the splits, and the rate of a blind answer."""

import json
import sys
from collections.abc import Sequence
from itertools import permutations, product
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prepared import prepare

from xlm_runtime import tasks
from xlm_runtime.metrics import Answer
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks.base.made import MadeTask
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tasks.base.problem import Problem, split_of
from xlm_runtime.tasks.base.squares import SMALL_SQUARE, SQUARE
from xlm_runtime.tasks.coloring import Coloring
from xlm_runtime.tasks.queens import Queens, attacked, solutions
from xlm_runtime.tasks.sudoku import LEAST, SQUARES, Sudoku
from xlm_runtime.tokenizers import words

NAMES = ("sudoku", "n_queens_8", "n_queens_10", "graph_coloring_8", "graph_coloring_10")


def small(task: MadeTask, train: int = 400, held_out: int = 40) -> MadeTask:
    """The task with few problems."""
    made = type("Small", (type(task),), {"__init__": lambda _: None})()
    made.__dict__.update(task.__dict__)
    made.train_size = dict.fromkeys(("quick", "paper"), train)
    made.held_out = dict.fromkeys(("quick", "paper"), held_out)
    return made


@pytest.fixture(params=NAMES)
def task(request: pytest.FixtureRequest) -> MadeTask:
    found = tasks.get(request.param)
    assert isinstance(found, MadeTask)
    return small(found)


def whole(problem: Problem, index: int = 0) -> Example:
    return Example(index, problem.body, problem.prompt, problem.given)


def test_the_answer_that_was_drawn_is_right_and_nothing_near_it_need_be(task: MadeTask) -> None:
    for i in range(50):
        example = whole(task.draw("quick", np.random.default_rng([5, i])))
        assert task.solves(example.body, example)
        assert not task.solves([*example.body, 0], example)
        assert not task.solves(example.body[:-1], example)
        assert not task.solves([len(task.words("quick"))] * len(example.body), example)
        for place, kept in enumerate(example.given):
            changed = list(example.body)
            changed[place] = (changed[place] + 1) % 4
            assert not (kept and task.solves(changed, example))


@pytest.mark.many
def test_splits_share_no_problem_and_a_seed_fixes_them(task: MadeTask, tmp_path: Path) -> None:
    made = prepare(task, tmp_path / "one")
    asked = {
        name: [Problem(e.body, e.given, e.prompt).asked for e in getattr(made, name)]
        for name in ("train", "validation", "test")
    }
    held_out = {*asked["validation"], *asked["test"]}
    assert len(held_out) == 80
    assert not held_out & {*asked["train"]}
    again = prepare(task, tmp_path / "two")
    assert [e.body for e in again.train] == [e.body for e in made.train]
    other = prepare(task, tmp_path / "three", seed=2)
    assert [e.body for e in other.train] != [e.body for e in made.train]
    assert 0 < made.facts["guess"] < 0.2


def test_the_order_of_a_prompt_makes_no_other_problem() -> None:
    one, other = (Problem([0, 1], prompt=prompt) for prompt in ([4, 7, 5], [7, 5, 4]))
    assert one.asked == other.asked
    assert split_of(one) == split_of(other)
    given = (Problem([0, 1], given) for given in ([True, False], [False, True]))
    assert len({problem.asked for problem in given}) == 2


def test_queens_by_brute_force() -> None:
    every = [p for p in permutations(range(6)) if not attacked(p)]
    assert sorted(solutions(6)) == sorted(every)
    assert (len(solutions(8)), len(solutions(10))) == (92, 724)
    task = Queens(6)
    example = Example(0, solutions(6)[1], given=[True, False, True] + [False] * 3)
    free = [i for i, kept in enumerate(example.given) if not kept]
    found = 0
    for columns in product(range(6), repeat=len(free)):
        answer = list(example.body)
        for place, column in zip(free, columns, strict=True):
            answer[place] = column
        found += task.solves(answer, example)
    assert task.chance(example) == found / 6 ** len(free)


def test_colourings_by_brute_force() -> None:
    task = Coloring(4)
    edges = [task.words("")[3:].index(edge) + 3 for edge in ("0-1", "1-2", "0-2")]
    triangle = Example(0, [0, 1, 2, 0], prompt=edges)
    assert task.chance(triangle) == 6 * 3 / 3**4
    assert task.solves([2, 1, 0, 1], triangle)
    assert not task.solves([2, 1, 2, 1], triangle)
    assert not task.solves([0, 1, 2, 4], triangle)  # an edge is no colour


@pytest.mark.parametrize(("preset", "count"), [("quick", 40), ("paper", 2)])
def test_sudoku_has_one_solution_whatever_way_it_is_counted(preset: str, count: int) -> None:
    square, task = SQUARES[preset], Sudoku()
    for i in range(count):
        problem = task.draw(preset, np.random.default_rng([2, i]))
        pairs = list(zip(problem.body, problem.given, strict=True))
        cells = [x if kept else -1 for x, kept in pairs]
        assert list(square.solutions(cells)) == [tuple(problem.body)]
        assert square.unique(cells)
        assert sum(problem.given) >= LEAST[preset]
        full = [cell for cell, kept in enumerate(problem.given) if kept][:6]
        for cell in full:
            without = [-1 if j == cell else x for j, x in enumerate(cells)]
            assert square.stays_unique(cells, cell, cells[cell]) == square.unique(without)


def test_squares_of_sudoku() -> None:
    square = SMALL_SQUARE
    assert len(list(square.solutions([-1] * 16))) == 288  # all that there are
    rows = [0, 1, 2, 3, 2, 3, 0, 1, 1, 0, 3, 2, 3, 2, 1, 0]
    assert square.solved(rows)
    turned = [rows[4 * c + r] for r in range(4) for c in range(4)]
    assert square.solved(turned)
    latin = [(r + c) % 4 for r in range(4) for c in range(4)]  # rows and columns, no boxes
    assert not square.solved(latin)
    assert [len(units) for units in SQUARE.units] == [9] * 27


@pytest.mark.slow
def test_too_few_problems_are_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="fewer than 60 problems for validation"):
        prepare(small(Queens(4), train=20, held_out=60), tmp_path)


class Impossible(Queens):
    """Always the same problem."""

    def draw(self, _: str, __: np.random.Generator) -> Problem:
        return Problem(solutions(self.n)[0], [True] * self.n)


def test_a_split_that_no_problem_belongs_to(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none of 2000 problems belongs to|fewer than"):
        prepare(small(Impossible(4), 4, 4), tmp_path)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"columns": {"text": "x"}}, "--columns needs a file, given by --data"),
        ({"tokenizer": "gpt2"}, "neither data.tokenizer nor weights with one fit"),
        ({"block": 3}, "data.block=3: a body of n_queens_8 has up to 8 tokens"),
    ],
)
def test_what_a_made_task_does_not_take(
    more: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        prepare(small(Queens(8)), tmp_path, **more)


# ---------------------------------------------------------------- tables


def board(columns: Sequence[int], kept: Sequence[int]) -> list[int]:
    """Cell by cell: 1 an empty one, 2 a queen, of the rows that are kept."""
    cells = [1] * len(columns) ** 2
    for row in kept:
        cells[row * len(columns) + columns[row]] = 2
    return cells


def rows_of(name: str, count: int) -> list[dict[str, list[int]]]:
    """Problems in the published form, of the size that a task is of."""
    rng = np.random.default_rng(0)
    if name.startswith("n_queens"):
        every = solutions(int(name.rpartition("_")[2]))
        drawn = [every[rng.integers(len(every))] for _ in range(count)]
        kept = [rng.permutation(len(one))[: rng.integers(1, len(one))] for one in drawn]
        return [
            {"input": board(one, some.tolist()), "target": board(one, range(len(one)))}
            for one, some in zip(drawn, kept, strict=True)
        ]
    task = tasks.get(name)
    assert isinstance(task, Coloring)
    problems = [task.draw("quick", rng) for _ in range(count)]
    edges = [{word - 3 for word in one.prompt} for one in problems]
    return [
        {
            "input": [2 if i in found else 1 for i in range(len(task.pairs))],
            "target": [3 + colour for colour in one.body],
        }
        for one, found in zip(problems, edges, strict=True)
    ]


TABLES = pytest.mark.parametrize("name", NAMES[1:])


@TABLES
def test_problems_of_one_s_own(name: str, tmp_path: Path) -> None:
    rows, file = rows_of(name, 300), tmp_path / "mine.jsonl"
    other = rows_of(name.replace("10", "x").replace("8", "10").replace("x", "8"), 1)[0]
    broken = {**rows[3], "target": [*rows[3]["target"][:-1], 9]}
    lines = [rows[0], other, *rows[2:200], broken, *rows[201:]]
    file.write_text("".join(json.dumps({"q": r["input"], "a": r["target"]}) + "\n" for r in lines))
    made = prepare(name, tmp_path, data=file, columns={"input": "q", "target": "a"})
    task = tasks.get(name)
    assert isinstance(task, MadeTask)
    assert sum(made.facts["sizes"].values()) == 298
    assert sorted(row for one in made.facts["dropped"].values() for row in one["first"]) == [2, 201]
    assert all(task.solves(one.body, one) for one in list(made.test)[:9])
    assert 0 < made.facts["guess"] < 0.5


@TABLES
def test_published_problems(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    home = sys.modules[type(tasks.get(name)).__module__]
    monkeypatch.setattr(home, "REPO", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    (tmp_path / "hub/data").mkdir(parents=True)
    for split, count in (("train", 200), ("test", 7)):
        table = pa.Table.from_pylist(rows_of(name, count))
        pq.write_table(table, tmp_path / f"hub/data/{split}-00000-of-00001.parquet")
    sizes = prepare(name, tmp_path, "paper").facts["sizes"]
    assert (sizes["train"] + sizes["validation"], sizes["test"]) == (200, 7)
    made = small(tasks.get(name))  # type: ignore[arg-type]
    assert prepare(made, tmp_path, "paper", made=True).facts["source"] == "made with seed 1"


def test_what_comes_again_is_told(tmp_path: Path) -> None:
    facts = prepare(small(Queens(8), 3000), tmp_path).facts
    assert facts["distinct_training_answers"] == len(solutions(8)) == 92
    assert 92 < facts["distinct_training_problems"] < 3000
    assert facts["test_answers_among_those"] == 1
    assert "answers are not held out" in facts["protocol"]


def test_solved_counts_right_answers_and_not_only_the_one_drawn() -> None:
    task = Queens(4)
    one, other = solutions(4)
    example = Example(0, one, given=[False] * 4)
    metrics = task.metrics(cast(Prepared, None))
    answers: list[Sequence[int]] = [one, other, [0, 1, 2, 3]]
    for answer in answers:
        metrics.update(Answer(answer, example, words(task.words("quick"), ())))
    found = metrics.compute()
    assert float(found["solved"]) == pytest.approx(2 / 3)
    assert float(found["exact_match"]) == pytest.approx(1 / 3)

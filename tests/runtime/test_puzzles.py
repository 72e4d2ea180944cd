"""Tasks that make their problems: the rules, the splits, and the rate of a blind answer."""

from collections.abc import Sequence
from itertools import permutations, product
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from prepared import prepare

from xlm_runtime import tasks
from xlm_runtime.data import Prepared
from xlm_runtime.errors import RunError, UsageError
from xlm_runtime.metrics import Answer
from xlm_runtime.plug import Example
from xlm_runtime.tasks.coloring import Coloring
from xlm_runtime.tasks.made import MadeTask, Problem, split_of
from xlm_runtime.tasks.queens import Queens, attacked, solutions
from xlm_runtime.tasks.squares import SMALL_SQUARE, SQUARE
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
        ({"data": Path("x")}, "takes no --data"),
        ({"columns": {"text": "x"}}, "--columns speaks of the file that --data gives"),
        ({"tokenizer": "gpt2"}, "takes no data.tokenizer"),
        ({"block": 3}, "data.block=3: a body of n_queens_8 has 8 tokens"),
    ],
)
def test_what_a_made_task_does_not_take(
    more: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        prepare(small(Queens(8)), tmp_path, **more)


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

"""Sudoku that is hard or read from a table: made, published, and of one's own."""

from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prepared import prepare

from xlm_runtime import tasks
from xlm_runtime.metrics import Answer
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks import sudoku_extreme as task
from xlm_runtime.tasks.base.problem import Problem
from xlm_runtime.tasks.base.puzzles import read
from xlm_runtime.tasks.base.squares import SMALL_SQUARE
from xlm_runtime.tasks.sudoku import SUDOKU
from xlm_runtime.tasks.sudoku_extreme import MIDDLE, SUDOKU_EXTREME, hard, invariant

# the example of Wikipedia's article on sudoku, which has this only solution
QUESTION = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
ANSWER = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"


def cells(problem: Problem) -> list[int]:
    pairs = zip(problem.body, problem.given, strict=True)
    return [digit if kept else -1 for digit, kept in pairs]


@pytest.fixture(scope="module")
def drawn() -> list[Problem]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task, "PUZZLES", 12)
        rng = np.random.default_rng(5)
        return [SUDOKU_EXTREME.draw("quick", rng) for _ in range(60)]


def test_they_have_one_solution_and_singles_do_not_find_it(drawn: list[Problem]) -> None:
    for problem in drawn:
        assert list(MIDDLE.solutions(cells(problem))) == [tuple(problem.body)]
        assert not MIDDLE.singles(cells(problem))
        assert MIDDLE.solved(problem.body)
        assert sum(problem.given) < 15


def test_singles_solve_every_puzzle_of_the_other_task() -> None:
    rng = np.random.default_rng(5)
    problems = [SUDOKU.draw("quick", rng) for _ in range(40)]
    assert all(SMALL_SQUARE.singles(cells(problem)) for problem in problems)


def test_singles_by_hand() -> None:
    square = SMALL_SQUARE
    body = next(square.solutions([-1] * 16))
    assert square.singles([-1, *body[1:]])
    assert not square.singles([-1] * 16)
    assert MIDDLE.singles([digit if i % 3 else -1 for i, digit in enumerate(hard(0)[0])])


def test_nothing_more_can_be_left_out() -> None:
    _, puzzle = hard(1)
    for place in (i for i, digit in enumerate(puzzle) if digit >= 0):
        without = [-1 if i == place else digit for i, digit in enumerate(puzzle)]
        assert not MIDDLE.unique(without)
    assert MIDDLE.unique(puzzle)


def test_disguises_of_a_puzzle_are_in_one_split(drawn: list[Problem]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task, "PUZZLES", 1)
        rng = np.random.default_rng(6)
        same = [SUDOKU_EXTREME.draw("quick", rng) for _ in range(20)]
    assert len({tuple(p.body) for p in same}) == 20
    assert len({tuple(invariant(p)) for p in same}) == 1
    assert len({SUDOKU_EXTREME.split(p) for p in same}) == 1
    assert len({tuple(invariant(p)) for p in drawn}) >= 8


# ---------------------------------------------------------------- tables


def test_a_row_of_a_table() -> None:
    found = read(QUESTION, ANSWER)
    assert isinstance(found, Problem)
    assert [d + 1 for d in found.body] == [int(c) for c in ANSWER]
    assert sum(found.given) == 30
    assert read(QUESTION.replace(".", "0"), ANSWER) == found


@pytest.mark.parametrize(
    ("question", "answer", "message"),
    [
        (QUESTION[1:], ANSWER, "80 characters in 'question' instead of 81"),
        (QUESTION, ANSWER + "1", "82 characters in 'answer' instead of 81"),
        (QUESTION.replace("5", "x"), ANSWER, "'x' in 'question'"),
        (QUESTION, ANSWER.replace("9", "."), "'.' in 'answer'"),
        (QUESTION, ANSWER[:-1] + "8", "an answer that breaks the rules"),
        ("4" + QUESTION[1:], ANSWER, "an answer that changes given values"),
    ],
)
def test_what_is_wrong_with_a_row(question: str, answer: str, message: str) -> None:
    assert read(question, answer) == message


def rows(count: int) -> list[tuple[str, str]]:
    """Puzzles that are one, with its digits renamed."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(count):
        names = str.maketrans("123456789", "".join(map(str, 1 + rng.permutation(9))))
        found.append((QUESTION.translate(names), ANSWER.translate(names)))
    return found


def test_the_published_puzzles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    (tmp_path / "hub" / "data").mkdir(parents=True)
    for name, count in (("train", 60), ("test", 9)):
        pairs = rows(count)
        table = {"source": ["x"] * count, "question": [q for q, _ in pairs]}
        table |= {"answer": [a for _, a in pairs], "rating": ["1"] * count}
        file = tmp_path / "hub" / "data" / f"{name}-00000-of-00001.parquet"
        pq.write_table(pa.table(table), file)
    monkeypatch.setattr(task, "REPO", str(tmp_path / "hub"))
    monkeypatch.setattr(task, "HELD_OUT", {"validation": 0.1})
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    made = prepare("sudoku_extreme", tmp_path, "paper")
    sizes = made.facts["sizes"]
    assert sizes["train"] + sizes["validation"] == 60
    assert sizes["test"] == 9
    assert (made.body, sum(made.test[0].given)) == (81, 30)
    metrics = SUDOKU_EXTREME.metrics(made)
    metrics.update(Answer(made.test[0].body, made.test[0], made.tokenizer))
    metrics.update(Answer(made.test[1].body, made.test[0], made.tokenizer))
    found = metrics.compute()
    assert float(found["solved"]) == float(found["exact_match"]) == 0.5


BOTH = pytest.mark.parametrize("name", ["sudoku", "sudoku_extreme"])


@BOTH
@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_puzzles_of_one_s_own(name: str, preset: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    lines = [f"{question},{answer}" for question, answer in rows(200)]
    file.write_text("\n".join(["quizzes,solutions", *lines, "123,456", f",{ANSWER}"]))
    columns = {"question": "quizzes", "answer": "solutions"}
    made = prepare(name, tmp_path, preset, data=file, columns=columns)
    assert sum(made.facts["sizes"].values()) == 200
    reasons = made.facts["dropped"]
    assert sum(found["rows"] for found in reasons.values()) == 2
    (short,) = (why for why in reasons if "3 characters in 'question' instead of 81" in why)
    assert reasons[short]["first"] == [202]
    assert made.facts["guess"] < 1e-40
    assert made.body == 81
    assert tasks.get(name).solves(made.test[0].body, made.test[0])
    wrong = [*made.test[0].body[1:], made.test[0].body[0]]
    assert not tasks.get(name).solves(wrong, made.test[0])


@pytest.mark.parametrize(
    ("text", "more", "error", "message"),
    [
        ("question,answer\n1,2\n", {}, RunError, "no problem is left for train.*1 characters"),
        ("puzzle,answer\n1,2\n", {}, UsageError, r"no column 'question'.*columns: puzzle, answer"),
        ("", {}, UsageError, "the file is empty"),
        (f"question,answer\n{QUESTION},{ANSWER}\n", {"tokenizer": "x"}, UsageError, "one id per"),
    ],
)
def test_what_is_wrong_with_a_table(
    text: str, more: dict[str, object], error: type[Exception], message: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(text)
    with pytest.raises(error, match=message):
        prepare("sudoku_extreme", tmp_path, data=file, **more)


@BOTH
@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_columns_without_a_table_are_refused(name: str, preset: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--columns needs a file, given by --data"):
        prepare(name, tmp_path, preset, columns={"question": "q"})


def test_quick_makes_them_in_splits_that_share_no_puzzle(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task, "PUZZLES", 30)
        patch.setattr(type(SUDOKU_EXTREME), "train_size", {"quick": 200})
        patch.setattr(type(SUDOKU_EXTREME), "held_out", {"quick": 20})
        made = prepare("sudoku_extreme", tmp_path)
    kinds = [
        {tuple(invariant(Problem(e.body, e.given))) for e in (split[i] for i in range(len(split)))}
        for split in (made.train, made.validation, made.test)
    ]
    assert not any(a & b for (i, a), (j, b) in product(enumerate(kinds), repeat=2) if i < j)
    assert made.body == 36
    assert 0 < made.facts["guess"] < 1e-15

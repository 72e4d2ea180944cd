r"""MATH-500: boxed expressions by their value, the prompt, and published weights judged by it."""

import json
import sys
import time
from pathlib import Path

import pytest
from published import package, published, reference, tokenizer

from xlm_runtime import tasks
from xlm_runtime.metrics import Answer, mathematics
from xlm_runtime.metrics.mathematics import MathAnswers, boxed, equal
from xlm_runtime.plug import Example
from xlm_runtime.run.main import run
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tasks import math500
from xlm_runtime.tasks.base.math_problems import SHOTS, asked, made
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tokenizers import bpe

SPECIALS = ("pad", "mask", "bos", "eos")
TOKENIZER = bpe([], 256, ("pad", "eos"))


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        (r"so it is $\boxed{5}$.", "5"),
        (r"$\boxed{\frac{1}{2}}$", r"\frac{1}{2}"),
        (r"\boxed{1} no, \boxed{2}", "2"),
        (r"\boxed{1} and \boxed{2", "1"),  # the last one is not closed
        (r"\boxed {3}", "3"),
        (r"\fbox{4}", "4"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed 5", None),
        ("5", None),
        ("", None),
    ],
)
def test_the_last_boxed_expression(text: str, inside: str | None) -> None:
    assert boxed(text) == inside


@pytest.mark.parametrize(
    ("gold", "said", "same"),
    [
        (r"\frac{1}{2}", "0.5", True),
        (r"\frac{1}{2}", r"\dfrac12", True),
        ("1,234", "1234", True),
        ("(x+1)^2", "x^2 + 2x + 1", True),
        (r"2\sqrt{3}", r"\sqrt{12}", True),
        (r"\text{Evelyn}", "Evelyn", True),
        ("(3, 4)", "(3,4)", True),
        ("[0,1)", "[0,1]", False),
        (r"\frac{1}{2}", r"\frac{1}{3}", False),
        ("(3, 4)", "(4, 3)", False),
        (r"\text{Evelyn}", "Eve", False),
    ],
)
def test_expressions_by_their_value(gold: str, said: str, same: bool) -> None:
    assert equal(gold, said) is same


def _answer(text: str, target: str) -> Answer:
    return Answer(TOKENIZER.encode(text), Example(0, TOKENIZER.encode(target)), TOKENIZER)


def test_answers_are_counted() -> None:
    metric = MathAnswers()
    for text, target in [
        (r"It is $\boxed{0.5}$.", r"\frac{1}{2}"),
        (r"It is $\boxed{0.5}$.", r"half: $\boxed{\frac{1}{2}}$"),  # a target with its solution
        (r"It is $\boxed{2}$." + "\n\nProblem:\nAnd? \\boxed{3}", "2"),
        (r"It is $\boxed{3}$.", "2"),
        ("It is 2.", "2"),
    ]:
        metric.update(_answer(text, target))
    found = {name: float(value) for name, value in metric.compute().items()}
    assert found["solved"] == pytest.approx(3 / 5)
    assert found["not_boxed"] == pytest.approx(1 / 5)
    assert found["solved_count"] == 5


def test_timeouts_are_counted_apart(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from math_verify import grader

    monkeypatch.setattr(mathematics, "SECONDS", 1)
    monkeypatch.setattr(grader, "sympy_expr_eq", lambda *_: time.sleep(30))
    metric = MathAnswers()
    metric.update(_answer(r"\boxed{x + 1}", "1 + x"))
    metric.update(_answer(r"\boxed{2}", "2"))
    found = {name: float(value) for name, value in metric.compute().items()}
    assert (found["solved"], found["timed_out"], found["not_boxed"]) == (0.5, 0.5, 0)
    assert capfd.readouterr() == ("", "")


def test_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "math_verify", None)
    options = DataOptions(preset="quick", cache=tmp_path, specials=SPECIALS)
    with pytest.raises(UsageError, match=r"pip install 'xlmc\[math\]'"):
        tasks.get("math500").prepare(options)


def test_the_shots_are_right_and_in_the_usual_form() -> None:
    answers = [boxed(solution) for _, solution in SHOTS]
    assert answers == ["1", "98", r"\frac{41}{2}", r"\frac{1}{9}"]
    assert 7**20 % 10 == 1
    assert (7**2 * 2, 7 + 2, 7 * 2) == (98, 9, 14)
    assert 9**2 + 40**2 == 41**2
    assert sum(a + b == 9 for a in range(1, 7) for b in range(1, 7)) == 36 / 9
    prompt = asked("Why?", SHOTS)
    assert prompt.count("Problem:\n") == prompt.count("Solution:\n") == 5
    assert prompt.endswith("\n\nProblem:\nWhy?\n\nSolution:\n")


@pytest.mark.slow
def test_small_problems_are_solved(tmp_path: Path) -> None:
    options = DataOptions(preset="quick", cache=tmp_path, specials=SPECIALS)
    ready = tasks.get("math500").prepare(options)
    assert not ready.untrainable
    assert ready.loss == "test"
    metric = MathAnswers()
    for i in range(40):
        metric.update(Answer(ready.test[i].body, ready.test[i], ready.tokenizer))
    assert float(metric.compute()["solved"]) == 1
    from fractions import Fraction

    for problem, solution in made(1, 60):
        told = boxed(solution)
        assert told is not None
        numbers = [int(x) for x in "".join(c if c.isdigit() else " " for c in problem).split()]
        if problem.startswith("Compute"):
            a, b, c, d = numbers
            assert equal(str(Fraction(a, b) + Fraction(c, d)), told)
        elif problem.startswith("What"):
            assert numbers[0] % numbers[1] == int(told)
        else:
            a, b, c = numbers
            assert abs(a * int(told) + b) == c


# ---------------------------------------------------------------- as published


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in the place where the Hub keeps it."""
    import datasets

    folder = tmp_path / "hub"
    folder.mkdir()
    rows = [
        {"problem": f"What is {i} + {i}?", "solution": "Add.", "answer": str(2 * i),
         "subject": "Algebra", "level": 1, "unique_id": f"test/{i}.json"}
        for i in range(4)
    ]  # fmt: skip
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr(math500, "REPO", str(folder))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.setenv("XLM_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    datasets.disable_progress_bars()
    return tmp_path


def _paper(folder: Path, weights: Path) -> Prepared:
    options = DataOptions(
        preset="paper", cache=folder, specials=SPECIALS, tokenizer=str(weights), published=True
    )
    return tasks.get("math500").prepare(options)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    return tokenizer(published(folder, reference(vocab=320)))


def test_every_problem_stands_behind_four_solved_ones(hub: Path, weights: Path) -> None:
    ready = _paper(hub, weights)
    decode = ready.tokenizer.decode
    assert len(ready.test) == 4
    assert decode(ready.test[3].prompt) == asked("What is 3 + 3?", SHOTS)
    assert decode(ready.test[3].body) == "6"
    assert (ready.loss, ready.body) == ("none", 512)
    assert "nothing to train on" in ready.untrainable


def test_published_weights_are_judged(
    hub: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    grown = package(tmp_path_factory.mktemp("package"))
    sets = (f"model.pretrained={weights}", "data.block=8", "eval.examples=2", "generate.count=2")
    assert run(grown, "math500", preset="paper", job="eval", sets=sets) == 0
    (file,) = hub.glob("runs/grown/math500/*/metrics.json")
    found = json.loads(file.read_text())
    assert found["answers"]["solved_count"] == 2
    assert "loss" not in found
    assert "likelihood" not in found
    assert "4-shot" in found["protocol"]
    capsys.readouterr()
    assert run(grown, "math500", preset="paper", job="train", sets=sets) == 2
    assert "has no recipe for task 'math500'" in capsys.readouterr().err


def test_training_is_refused(
    hub: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("package")
    from published import SPEC

    recipe = "recipe math500 { steps 10 } }"
    spec = SPEC.rstrip()[:-1] + recipe + "\n"
    grown = package(folder, spec)
    sets = (f"model.pretrained={weights}", "data.block=8")
    assert run(grown, "math500", preset="paper", sets=sets) == 2
    assert "math500 has nothing to train on" in capsys.readouterr().err
    assert run(grown, "math500", preset="paper", job="prepare", sets=sets) == 0

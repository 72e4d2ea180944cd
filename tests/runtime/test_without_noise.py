"""A family that corrupts nothing: the runtime trains, measures and asks it like any other."""

import json
from pathlib import Path

import pytest

import xlm_runtime
from xlm_runtime.model import evaluate
from xlm_runtime.plug import Example
from xlm_runtime.run.main import run
from xlm_runtime.use.loaded import Loaded

HERE = Path(__file__).parent
PACKAGE = next(
    path.parent
    for path in sorted(HERE.parents[1].glob("examples/*/decoder.py"))
    if not (path.parent / "noise.py").exists()
)


def trained(folder: Path, task: str) -> Path:
    """A run of a few steps on a toy task."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        patch.chdir(folder)
        sets = ("generate.history=true", "train.steps=40")
        assert run(PACKAGE, f"toy_task:{task}", sets=sets) == 0
    (found,) = folder.glob("runs/*/*/quick-seed1")
    return found


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("answering"), "REVERSE")


def test_a_run_is_measured_with_its_claim(answering: Path) -> None:
    found = json.loads((answering / "metrics.json").read_text("utf-8"))
    assert found["claim"]["value"] == "tight"
    assert 0 < found["likelihood"]["nats_per_token"] < 4
    assert found["likelihood"]["perplexity"] > 1
    lines = (answering / "predictions.jsonl").read_text("utf-8").splitlines()
    for line in map(json.loads, lines):
        states = line["history"]
        assert states[0].endswith("<bos>")
        assert len(states) > line["nfe"]
        assert states[line["nfe"]] == states[-1]


def test_a_likelihood_needs_one_draw(answering: Path) -> None:
    model = xlm_runtime.load(answering).model
    examples = [Example(i, [i % 8, 3, 0], [3, 0, i % 8]) for i in range(5)]
    once, thrice = (evaluate.likelihood(model, examples, 5, n, lambda _: None, [4]) for n in (1, 3))
    assert once == thrice
    apart = evaluate.likelihood(model, examples, 2, 1, lambda _: None, [4])
    assert apart.pop("estimator") == once.pop("estimator") == "exact, nothing is drawn"
    assert apart.pop("given") == once.pop("given") == "given the prompt"
    assert apart == pytest.approx(once, rel=1e-5)


def test_prompts_of_different_lengths_are_answered_alike_in_any_batch(answering: Path) -> None:
    loaded: Loaded = xlm_runtime.load(answering)
    prompts = ["a b c d", "h", "c c"]
    whole = loaded.generate(prompts)
    assert [loaded.generate(prompts, batch=1)[i] for i in range(3)] == whole
    assert loaded.generate(prompts, temperature=0.0) == loaded.generate(prompts, top_k=1)


def test_a_text_goes_on(tmp_path: Path) -> None:
    """Given tokens stay at the front, and an empty prompt asks for a whole text."""
    loaded = xlm_runtime.load(trained(tmp_path, "TEXT"))
    found = loaded.generate(["a b", "", "d"])
    assert found[0].startswith("a b")
    assert found[2].startswith("d")

"""A run as a model of lm-evaluation-harness, on tasks of local data."""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from fresh import untrained

import xlm_runtime
from xlm_runtime.use import evaluating, lm_eval, main
from xlm_runtime.use.evaluating import Tasks
from xlm_runtime.use.loaded import Loaded
from xlm_runtime.use.options import Options

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("lm_eval")
    from lm_eval.api.instance import Instance

    from xlm_runtime.use.harness import Harness


def asked(kind: Any, *arguments: tuple[Any, ...]) -> list[Instance]:
    return [Instance(kind, {}, one, 0) for one in arguments]


def test_continuations_are_scored_behind_their_contexts() -> None:
    model = Harness(loaded := untrained("arlm"))
    pairs = [("a b", " c d"), ("", "c d"), ("a b", " d")]
    found = model.loglikelihood(asked("loglikelihood", *pairs))
    (first,) = loaded.log_likelihood("a b c d", "a b")
    (second,) = loaded.log_likelihood("c d")
    assert [value for value, _ in found[:2]] == pytest.approx([first.value, second.value])
    assert [same for _, same in found] == [False] * 3
    assert model.get_model_info()["xlmc_likelihood"] == ["tight", "tight, given some tokens"]


def test_a_context_without_room_loses_its_beginning() -> None:
    model = Harness(loaded := untrained("arlm"))
    context = " ".join("abcdefgh" * 2)
    ((value, _),) = model.loglikelihood(asked("loglikelihood", (context, " a b")))
    (wanted,) = loaded.log_likelihood("d e f g h a b", "d e f g h")
    assert value == pytest.approx(wanted.value)
    assert model.get_model_info()["xlmc_cropped_contexts"] == 1


def test_whole_texts_are_scored_in_windows() -> None:
    loaded = untrained("mdlm")
    texts = ["a b c", " ".join("abcdefgh" * 2)]
    found = Harness(loaded).loglikelihood_rolling(asked("loglikelihood_rolling", *zip(texts)))
    assert found == pytest.approx([one.whole for one in loaded.log_likelihood(texts)], rel=1e-5)


def test_the_greedy_continuation_is_recognised(trained: Path) -> None:
    model = Harness(loaded := xlm_runtime.load(trained), greedy=True)
    (right,) = loaded.generate("a b c d", decoder="greedy")
    pairs = [("a b c d", f" {right}"), ("a b c d", " a a a a")]
    found = model.loglikelihood(asked("loglikelihood", *pairs))
    assert [same for _, same in found] == [True, False]
    assert found[0][0] > found[1][0]


def test_answers_end_where_the_task_says(trained: Path) -> None:
    loaded = xlm_runtime.load(trained)
    (whole,) = loaded.generate("a b c d", decoder="greedy")
    hot = evolve(loaded.config.decoder, params={"temperature": 9.0})
    loaded = evolve(loaded, config=evolve(loaded.config, decoder=hot))
    assert whole == "d c b a"
    how: tuple[dict[str, Any], ...] = ({"until": ["b"]}, {"until": "zz"}, {}, {"until": [""]})
    pairs = [("a b c d", options) for options in how]
    found = Harness(loaded).generate_until(asked("generate_until", *pairs))
    assert found == ["d c ", whole, whole, whole]
    drawn = [("a b c d", {"do_sample": True}), ("a b c d", {"do_sample": True, "temperature": 0})]
    assert Harness(loaded).generate_until(asked("generate_until", *drawn))[0] != whole
    assert Harness(loaded).generate_until(asked("generate_until", *drawn))[1] == whole


@pytest.mark.parametrize("name", ["mdlm", "arlm", "ilm"])
def test_texts_are_continued(name: str) -> None:
    model = Harness(untrained(name))
    pairs = [("a b", {"max_gen_toks": 3}), (" ".join("abcdefgh"), {"max_gen_toks": 3})]
    one, other = model.generate_until(asked("generate_until", *pairs))
    assert all(set(text.split()) <= set("abcdefgh") for text in (one, other))
    if name == "mdlm":
        assert len(one.split()) == 3
        assert len(other.split()) == 3


def test_holes_in_contexts_are_text() -> None:
    made = untrained("arlm")
    model = Harness(_reading(made))
    ((value, _),) = model.loglikelihood(asked("loglikelihood", ("[MASK] a", " b")))
    assert value < 0


def _reading(loaded: Loaded) -> Loaded:
    """The run with a tokenizer that knows `[MASK]` as a text."""
    from xlm_runtime.tokenizers import words

    tokenizer = words(["[MASK]", *"bcdefg", "a"], loaded.model.family.specials)
    return evolve(loaded, tokenizer=tokenizer)


# The command


YAML = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
"""
CHOICE = (
    YAML
    + """
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: answer
"""
)
ANSWER = (
    YAML
    + """
output_type: generate_until
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{gold}}}}"
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
"""
)
ROWS = [
    {"question": "a b c d", "choices": ["d c b a", "a b c d"], "answer": 0, "gold": "d c b a"},
    {"question": "e f g h", "choices": ["a a a a", "h g f e"], "answer": 1, "gold": "a a a a"},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with tasks, and an empty cache of data sets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    for name, text in (("local_choice", CHOICE), ("local_answer", ANSWER)):
        (tasks / f"{name}.yaml").write_text(text.format(name=name, file=tmp_path / "rows.jsonl"))
    return tasks


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_tasks_of_local_data(
    trained: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = Tasks(names=("local_choice", "local_answer"), include=folder)
    options = Options(what=str(trained), likelihood=True, out=Path("out.json"))
    assert main.evaluate(options, tasks) == 0
    printed = capsys.readouterr()
    rows = [line.split() for line in printed.out.splitlines()]
    assert ["local_choice", "acc", "1.0000", "±", "0.0000"] in rows
    assert ["local_answer", "exact_match", "0.5000", "±", "0.5000"] in rows
    assert "log-likelihoods: tight" in printed.err
    found = json.loads(Path("out.json").read_text())
    assert found["results"]["local_choice"]["acc,none"] == 1
    assert main.evaluate(options, tasks) == 2
    assert "--out out.json is there already" in capsys.readouterr().err
    for change, why in (
        ({"names": ("local_chioce",)}, "--tasks local_chioce: lm-evaluation-harness has none"),
        ({"include": Path("no")}, "--include no: there is no such folder"),
        ({"limit": 0}, "--limit 0: a number of examples"),
    ):
        assert main.evaluate(evolve(options, out=None), evolve(tasks, **change)) == 2
        assert why in capsys.readouterr().err


@pytest.mark.slow  # each call reads the harness's own 13,000 files of tasks
@pytest.mark.filterwarnings("ignore")
def test_the_command_of_the_harness_knows_runs(
    trained: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its numbers are those of `xlmc lm-eval`; a mistake is named without a traceback."""

    def call(*arguments: str) -> int:
        common = ["--tasks", "local_choice,local_answer", "--include_path", str(folder)]
        monkeypatch.setattr(sys, "argv", ["lm_eval", "--model", "xlmc", *arguments, *common])
        return lm_eval.main()

    assert call("--model_args", f"run={trained},draws=4", "--output_path", "out") == 0
    assert "|local_choice|" in capsys.readouterr().out
    (file,) = Path("out").rglob("results*.json")
    found = json.loads(file.read_text())
    options = Options(what=str(trained), likelihood=True, draws=4, out=Path("own.json"))
    tasks = Tasks(names=("local_choice", "local_answer"), include=folder)
    assert main.evaluate(options, tasks) == 0
    wanted = json.loads(Path("own.json").read_text())["results"]
    for name, values in wanted.items():
        for key in ("acc,none", "exact_match,none"):
            assert found["results"][name].get(key) == values.get(key)
    assert found["config"]["xlmc_likelihood"][0].startswith("tight")
    for arguments, why in (
        (("--model_args", "ckpt=best"), "--model_args: name a run; write run=RUN"),
        (("--model_args", f"run={trained},steps=3"), "--model_args: there is no steps"),
        (("--model_args", "run=nowhere"), "nowhere"),
    ):
        assert call(*arguments) == 2
        assert why in capsys.readouterr().err


def test_the_table_has_an_error_where_there_is_one() -> None:
    values: dict[str, object] = {"alias": "t", "acc,none": 0.5, "acc_stderr,none": 0.25}
    values |= {"em,strict": 1, "em_stderr,strict": "N/A"}
    first, second = evaluating.table({"t": values})
    assert first == "  t  acc          0.5000 ± 0.2500"
    assert second == "  t  em (strict)  1.0000"
    assert evaluating.table({}) == []

"""Metrics of language: by hand, beside transformers' own loss, and as they are asked for."""

import json
import math
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from judges import judge

from xlm_runtime.config.config import Eval
from xlm_runtime.data import hub
from xlm_runtime.metrics import Answer, collection
from xlm_runtime.metrics.judge import Judge
from xlm_runtime.metrics.language import Distinct, Length, Repetition, UnigramEntropy
from xlm_runtime.plug import Example
from xlm_runtime.run.jobs import asked
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tokenizers import Tokenizer, words

__all__ = ["judge"]


Start = Callable[..., int]
WORDS = words(["the", "cat", "sat", "on", "a", "mat"], ("pad",))


def _answer(text: str, tokenizer: Tokenizer = WORDS) -> Answer:
    return Answer(tokenizer.encode(text), Example(0, ()), tokenizer)


def _values(metric: object, texts: list[str], tokenizer: Tokenizer = WORDS) -> dict[str, float]:
    for text in texts:
        metric.update(_answer(text, tokenizer))  # type: ignore[attr-defined]
    return {name: float(value) for name, value in metric.compute().items()}  # type: ignore[attr-defined]


# ---------------------------------------------------------------- by themselves


def test_entropy_is_that_of_each_text() -> None:
    two, three = math.log(2), math.log(3)
    assert _values(UnigramEntropy(), ["the the the"])["unigram_entropy"] == 0
    assert _values(UnigramEntropy(), ["the cat"])["unigram_entropy"] == pytest.approx(two)
    found = _values(UnigramEntropy(), ["the cat", "the cat sat", "the the"])  # not of all together
    assert found["unigram_entropy"] == pytest.approx((two + three + 0) / 3)
    uneven = _values(UnigramEntropy(), ["the the the cat"])["unigram_entropy"]
    assert uneven == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))


def test_an_empty_text_has_no_entropy_and_no_length() -> None:
    assert _values(UnigramEntropy(), [""])["unigram_entropy"] == 0
    assert _values(Length(), ["", "the cat"])["length"] == 1


def test_distinct_counts_over_all_texts_together() -> None:
    texts = ["the cat the cat", "the cat sat"]
    assert _values(Distinct(1), texts)["distinct_1"] == pytest.approx(3 / 7)
    found = _values(Distinct(2), texts)  # the-cat x3, cat-the, cat-sat
    assert found == {"distinct_2": pytest.approx(3 / 5), "distinct_2_count": 5}
    assert math.isnan(_values(Distinct(3), ["the cat"])["distinct_3"])


def test_distinct_of_several_ranks() -> None:
    whole, first, second = Distinct(2), Distinct(2), Distinct(2)
    for metric, texts in ((first, ["the cat sat"]), (second, ["the cat", "sat on"])):
        for text in texts:
            metric.update(_answer(text))
            whole.update(_answer(text))
    first.merge_state(second)
    assert first.compute() == whole.compute()
    whole.reset()
    whole.update(_answer(""))
    assert math.isnan(float(whole.compute()["distinct_2"]))


def test_repetition_is_within_a_text_of_four_words_or_more() -> None:
    again = "the cat sat on the cat sat on"  # 5 windows, the first and the last alike
    assert _values(Repetition(), [again])["repetition"] == pytest.approx(1 / 5)
    assert _values(Repetition(), [again, "the cat sat on a mat"])["repetition"] == pytest.approx(
        0.1
    )
    assert _values(Repetition(), [again, "the"])["repetition"] == pytest.approx(1 / 5)
    assert math.isnan(_values(Repetition(), ["the"])["repetition"])


# ---------------------------------------------------------------- asked for

MINE = '''
from xlm_runtime.metrics import Ratio


class Palindromes(Ratio):
    """Answers that read the same backwards."""

    name = "palindromes"

    def score(self, answer):
        return float(list(answer.ids) == list(answer.ids)[::-1]), 1.0


PALINDROMES = Palindromes()
'''


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module of the user's in the folder where the command is given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "mine_metrics.py").write_text(MINE)
    yield
    sys.modules.pop("mine_metrics", None)


def _names(splits: Prepared, *names: str) -> list[str]:
    return list(asked.extended(collection(UnigramEntropy()), names, splits))


def test_a_perplexity_never_comes_alone(splits: Prepared, judge: Path) -> None:
    found = _names(splits, f"generative_perplexity={judge}")
    distinct = ["distinct_1", "distinct_2", "distinct_3"]
    assert sorted(found) == sorted(["unigram_entropy", *distinct, "generative_perplexity"])


@pytest.mark.usefixtures("mine")
def test_metrics_are_added_to_those_of_the_task(splits: Prepared) -> None:
    assert _names(splits) == ["unigram_entropy"]
    found = _names(splits, "length", "mine_metrics:PALINDROMES", "length", "unigram_entropy")
    assert sorted(found) == ["length", "palindromes", "unigram_entropy"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lenght", "no such metric, did you mean 'length'"),
        ("generative_perplexty=gpt2", "did you mean 'generative_perplexity'"),
        ("generative_perplexity", "name the model that judges"),
        ("mauve", "name the model that judges"),
        ("length=3", "length has no argument"),
        ("mine_metrics:PALINDROME", r"no 'PALINDROME' \(metrics in it: PALINDROMES\)"),
        ("mine_metrics:Palindromes", "is a class; name an instance"),
        ("no_module:X", "--metric no_module:X: there is no module no_module"),
    ],
)
@pytest.mark.usefixtures("mine")
def test_wrong_names_are_said(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        asked.check([name])


def test_a_judge_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_reachable", lambda: False)
    with pytest.raises(RunError, match="the judge nobody/nothing is not on this machine"):
        asked.check(["generative_perplexity=nobody/nothing"])
    (tmp_path / "config.json").write_text('{"model_type": "no_such_thing"}')
    with pytest.raises(UsageError, match="is no causal language model"):
        asked.check([f"generative_perplexity={tmp_path}"])


def test_a_folder_that_lacks_something_is_said(judge: Path, tmp_path: Path) -> None:
    shutil.copytree(judge, tmp_path / "bare")
    (tmp_path / "bare/model.safetensors").unlink()
    with pytest.raises(UsageError, match=r"is no causal language model: .*model\.safetensors"):
        Judge(str(tmp_path / "bare"))
    shutil.copytree(judge, tmp_path / "mute")
    (tmp_path / "mute/tokenizer.json").unlink()
    (tmp_path / "mute/tokenizer_config.json").unlink()
    with pytest.raises(UsageError, match="comes without a tokenizer"):
        Judge(str(tmp_path / "mute"))


def test_mauve_names_its_extra(judge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mauve", None)
    with pytest.raises(UsageError, match=r"pip install 'xlmc\[mauve\]'"):
        asked.check([f"mauve={judge}"])


@pytest.mark.usefixtures("mine")
def test_the_print_of_a_metric_changes_with_its_code_and_its_judge(
    judge: Path, tmp_path: Path
) -> None:
    names = ["mine_metrics:PALINDROMES", f"mauve={judge}", "length"]
    first = asked.fingerprint(names)
    assert asked.fingerprint(names) == first
    (tmp_path / "mine_metrics.py").write_text(MINE + "\n# changed\n")
    second = asked.fingerprint(names)
    assert [a == b for a, b in zip(first, second, strict=True)] == [False, True, True]
    (judge / "note.txt").write_text("x")
    third = asked.fingerprint(names)
    assert [a == b for a, b in zip(second, third, strict=True)] == [True, False, True]


def test_metrics_of_a_run_are_a_setting() -> None:
    assert Eval(metrics="length").asked == ("length",)
    assert Eval(metrics='["a", "b"]').asked == ("a", "b")
    assert Eval().asked == ()


@pytest.mark.usefixtures("mine")
def test_a_run_measures_what_it_is_asked_for(
    start: Start, judge: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ("train.steps=4", "generate.samples=0", "eval.samples=24", "generate.count=1")
    metrics = (f"generative_perplexity={judge}", "mine_metrics:PALINDROMES", "length")
    assert start("TEXT", sets=sets, metrics=metrics) == 0
    folder = Path("runs/toy/toy_text/quick-seed1")
    found = json.loads((folder / "metrics.json").read_text())
    assert {"generative_perplexity", "distinct_2", "unigram_entropy", "palindromes", "length"} <= (
        found["answers"].keys()
    )
    assert found["answers"]["palindromes_count"] == 24
    assert found["asked"] == list(metrics)
    assert json.loads((folder / "config.json").read_text())["eval"]["metrics"]
    assert "requested: generative_perplexity=" in capsys.readouterr().out
    assert start("TEXT", sets=sets, metrics=metrics) == 0
    assert "evaluated before" in capsys.readouterr().out
    assert start("TEXT", sets=sets, metrics=metrics[1:]) == 0
    assert "evaluated before" not in capsys.readouterr().out


def test_a_wrong_metric_is_said_before_the_training(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start("TEXT", metrics=("lenght",)) == 2
    assert "did you mean 'length'" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_metrics_that_do_not_fit_are_refused_before_training(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(metrics=("fcd",)) == 2
    assert "the texts of this task are no molecules" in capsys.readouterr().err
    assert not Path("runs").exists()

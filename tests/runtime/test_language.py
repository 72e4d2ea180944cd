"""Metrics of language: by hand, beside transformers' own loss, and as they are asked for."""

import json
import math
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from rounding import near
from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel

from xlm_runtime import tokenizers
from xlm_runtime.config.config import Eval
from xlm_runtime.data import hub
from xlm_runtime.metrics import Answer, collection
from xlm_runtime.metrics.answer import documents
from xlm_runtime.metrics.judge import Judge
from xlm_runtime.metrics.language import Distinct, Length, Repetition, UnigramEntropy
from xlm_runtime.metrics.mauve import Mauve
from xlm_runtime.metrics.perplexity import GenerativePerplexity
from xlm_runtime.plug import Example
from xlm_runtime.run.jobs import asked
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tokenizers import Tokenizer, letters, words

Start = Callable[..., int]
WORDS = words(["the", "cat", "sat", "on", "a", "mat"], ("pad",))
TEXTS = [
    "the cat sat on the mat",
    "a man a plan a canal",
    "no",  # fewer than two tokens of the judge, maybe
    "the end of all this is near and nobody has seen it come, not even the cat",
]


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


# ---------------------------------------------------------------- a judge


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny GPT-2 with random weights that matter, in the published format."""
    folder = tmp_path_factory.mktemp("judge")
    tokenizer = tokenizers.bpe(TEXTS * 3, 300, ("eos",))
    torch.manual_seed(0)
    shape = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 16}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=tokenizer.vocabulary.size, **shape))
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    model.save_pretrained(folder)
    tokenizer.save(folder)
    return folder


def _ids(judge: Path, text: str) -> torch.Tensor:
    return torch.tensor([tokenizers.load(judge).encode(text)])


def test_nats_are_those_of_transformers_own_loss(judge: Path) -> None:
    model = GPT2LMHeadModel.from_pretrained(judge).eval()
    short = [text for text in TEXTS if 2 <= _ids(judge, text).shape[1] <= 16]
    assert len(short) >= 2
    for text, (nats, tokens) in zip(
        short, Judge(str(judge)).nats([[text] for text in short]), strict=True
    ):
        ids = _ids(judge, text)
        with torch.no_grad():
            mean = float(model(input_ids=ids, labels=ids).loss)
        assert tokens == ids.shape[1] - 1
        assert nats == pytest.approx(mean * tokens, rel=1e-5)


def test_a_text_beyond_the_context_is_read_in_windows(judge: Path) -> None:
    """By hand: tokens 2 to 16 in the first window, 17 to 31 after the 16th, and so on."""
    text = " ".join(TEXTS)
    ids = _ids(judge, text)[0]
    assert len(ids) > 32
    model = GPT2LMHeadModel.from_pretrained(judge).eval()
    total = 0.0
    with torch.no_grad():
        for start in range(0, len(ids) - 1, 15):
            window = ids[start : start + 16]
            logs = model(input_ids=window[None]).logits[0].log_softmax(-1)
            total -= sum(float(logs[i, window[i + 1]]) for i in range(len(window) - 1))
    ((nats, tokens),) = Judge(str(judge)).nats([[text]])
    assert tokens == len(ids) - 1
    assert nats == pytest.approx(total, rel=1e-5)


def test_perplexity_is_of_all_tokens_together(judge: Path) -> None:
    found = _values(GenerativePerplexity(str(judge)), TEXTS * 40, tokenizers.load(judge))
    pairs = Judge(str(judge)).nats([[text] for text in TEXTS])
    nats, tokens = sum(n for n, _ in pairs), sum(t for _, t in pairs)
    assert found["generative_perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-5)
    assert found["generative_perplexity_tokens_count"] == 40 * tokens
    assert found["generative_perplexity_count"] == 160
    assert 0 < found["generative_perplexity_error"] < found["generative_perplexity"]


def test_a_text_of_one_token_or_none_is_not_scored(judge: Path) -> None:
    assert Judge(str(judge)).nats([[""], ["a"]]) == [(0.0, 0), (0.0, 0)]
    found = _values(GenerativePerplexity(str(judge)), ["", "a"], tokenizers.load(judge))
    assert math.isnan(found["generative_perplexity"])


def test_what_a_special_token_looks_like_is_text(judge: Path) -> None:
    ((_, tokens),) = Judge(str(judge)).nats([["a<eos>b"]])
    assert tokens > 2


def test_documents_of_a_row_are_parted_by_the_end_of_a_text(judge: Path) -> None:
    model = GPT2LMHeadModel.from_pretrained(judge).eval()
    model.config.eos_token_id = 5
    model.save_pretrained(judge)
    ids = torch.tensor([[*_ids(judge, "a b")[0], 5, *_ids(judge, "c")[0]]])
    with torch.no_grad():
        mean = float(model(input_ids=ids, labels=ids).loss)
    ((nats, tokens),) = Judge(str(judge)).nats([["a b", "c"]])
    assert tokens == ids.shape[1] - 1
    assert nats == pytest.approx(mean * tokens, rel=1e-5)
    parted = letters("abc ", ("pad",), parting=True)
    row = [*parted.encode("ab"), parted.separator, *parted.encode("c")]
    answer = Answer(row, Example(0, ()), parted)
    assert documents(answer) == ["ab", "c"]


def test_a_judge_that_looks_ahead_is_refused(tmp_path: Path) -> None:
    tokenizer = tokenizers.bpe(TEXTS * 3, 300, ("eos",))
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    shape |= {"intermediate_size": 16, "vocab_size": tokenizer.vocabulary.size}
    BertForMaskedLM(BertConfig(initializer_range=0.5, **shape)).save_pretrained(tmp_path)
    tokenizer.save(tmp_path)
    with pytest.raises(UsageError, match="no causal language model"):
        Judge(str(tmp_path))


def test_features_are_the_last_hidden_state_of_the_last_token(judge: Path) -> None:
    model = GPT2LMHeadModel.from_pretrained(judge).eval()
    texts = [TEXTS[1], "a"]
    for row, text in zip(
        Judge(str(judge)).features([[text] for text in texts]), texts, strict=True
    ):
        with torch.no_grad():
            wanted = model.transformer(_ids(judge, text)[:, :16]).last_hidden_state[0, -1]
        assert near(row, wanted)


# ---------------------------------------------------------------- MAUVE


def _frontier(p: np.ndarray, q: np.ndarray, scaling: float = 5.0) -> float:
    """The area under the divergence frontier of two histograms, by its definition."""
    points = [(0.0, 1.0), (1.0, 0.0)]
    for share in np.linspace(1e-4, 1 - 1e-4, 4001):
        mixed = share * p + (1 - share) * q

        def divergence(x: np.ndarray, mixed: np.ndarray = mixed) -> float:
            return float(sum(a * math.log(a / m) for a, m in zip(x, mixed, strict=True) if a > 0))

        points.append((math.exp(-scaling * divergence(q)), math.exp(-scaling * divergence(p))))
    points.sort()
    x, y = np.array(points).T
    return float(((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2).sum())


class Points(Judge):
    """Texts are numbers, and far apart: the clusters are the numbers."""

    def __init__(self, name: str) -> None:
        pass

    def features(self, texts: object) -> torch.Tensor:
        return torch.eye(4)[[int(text) for (text,) in texts]] * 100 + 1  # type: ignore[attr-defined]


def test_mauve_is_the_area_under_the_frontier(monkeypatch: pytest.MonkeyPatch) -> None:
    from xlm_runtime.metrics import mauve

    monkeypatch.setattr(mauve, "load", Points)
    numbers = words([str(i) for i in range(4)], ("pad",))
    made, written = ["0"] * 8 + ["1"] * 12, ["0"] * 12 + ["1"] * 8
    metric = Mauve("", lambda count: [[text] for text in written[:count]])
    found = _values(metric, made, numbers)
    counts = [Counter(part) for part in (made, written)]
    p, q = (np.array([count[str(i)] / 20 for i in range(2)]) for count in counts)
    assert found["mauve"] == pytest.approx(_frontier(p, q), abs=0.01)
    assert found["mauve_count"] == 20
    same = Mauve("", lambda count: made[:count])
    assert _values(same, made, numbers)["mauve"] == pytest.approx(1, abs=1e-3)


def test_mauve_of_few_texts_is_refused(judge: Path) -> None:
    metric = Mauve(str(judge), lambda count: TEXTS[:count])
    with pytest.raises(RunError, match="20 texts of each kind, and there are 4 generated and 4"):
        _values(metric, TEXTS, tokenizers.load(judge))


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

"""A judge of texts: its likelihoods, its features, and MAUVE of them."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from judges import TEXTS, judge
from rounding import near
from transformers import BertConfig, BertForMaskedLM, GPT2LMHeadModel

from xlm_runtime import tokenizers
from xlm_runtime.metrics import Answer
from xlm_runtime.metrics.answer import documents
from xlm_runtime.metrics.judge import Judge
from xlm_runtime.metrics.mauve import Mauve
from xlm_runtime.metrics.perplexity import GenerativePerplexity
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tokenizers import Tokenizer, letters, words

__all__ = ["judge"]

WORDS = words(["the", "cat", "sat", "on", "a", "mat"], ("pad",))


def _answer(text: str, tokenizer: Tokenizer = WORDS) -> Answer:
    return Answer(tokenizer.encode(text), Example(0, ()), tokenizer)


def _values(metric: object, texts: list[str], tokenizer: Tokenizer = WORDS) -> dict[str, float]:
    for text in texts:
        metric.update(_answer(text, tokenizer))  # type: ignore[attr-defined]
    return {name: float(value) for name, value in metric.compute().items()}  # type: ignore[attr-defined]


# ---------------------------------------------------------------- a judge


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

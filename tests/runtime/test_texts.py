"""Log-likelihoods of texts from Python: prompts, windows, pseudo-likelihoods, perplexities."""

from math import exp, log
from pathlib import Path

import pytest
import torch
from attrs import evolve
from fresh import untrained

import xlm_runtime
from xlm_runtime.model import holes
from xlm_runtime.system.errors import UsageError
from xlm_runtime.use.texts import Window, windows


@pytest.mark.parametrize(
    ("length", "known", "room", "context", "wanted"),
    [
        (5, 0, 8, 4, [(0, 0, 5)]),
        (8, 0, 8, 4, [(0, 0, 8)]),
        (8, 7, 8, 4, [(0, 7, 8)]),
        (9, 0, 8, 4, [(0, 0, 8), (1, 7, 9)]),
        (14, 0, 8, 4, [(0, 0, 8), (4, 4, 12), (6, 6, 14)]),
        (14, 0, 8, 0, [(0, 0, 8), (8, 0, 14)]),
        (14, 10, 8, 4, [(6, 4, 14)]),
        (30, 28, 8, 4, [(22, 6, 30)]),
        (14, 2, 8, 4, [(0, 2, 8), (4, 4, 12), (6, 6, 14)]),
        (10, 0, 8, 7, [(0, 0, 8), (1, 7, 9), (2, 7, 10)]),
        (3, 2, 8, 0, [(0, 2, 3)]),
    ],
)
def test_windows_score_each_token_once(
    length: int, known: int, room: int, context: int, wanted: list[tuple[int, int, int]]
) -> None:
    found = list(windows(length, known, room, context))
    assert found == [Window(*one) for one in wanted]
    scored = [i for one in found for i in range(one.start + one.known, one.end)]
    assert scored == [*range(known, length)]
    assert all(one.end - one.start <= room for one in found)


def test_a_prompt_is_the_condition() -> None:
    """By the chain rule: log p(a b c) = log p(a b) + log p(c | a b), each without an end."""
    loaded = untrained("arlm")
    ids = loaded.tokenizer.encode("a b c d e f g h a b")
    (whole,) = loaded.log_likelihood("a b c d e f g h")
    (rest,) = loaded.log_likelihood("a b c d e f g h", "a b c")
    assert (whole.tokens, rest.tokens, rest.given) == (8, 5, "given some tokens")
    network, vocabulary = loaded.model.network, loaded.model.vocabulary
    row = torch.tensor([[vocabulary["bos"], *ids[:8], vocabulary["eos"]]])
    with torch.no_grad():
        logits = network.token(network.trunk(row[:, :-1], None).flatten(0, 1))
    nats = torch.nn.functional.cross_entropy(logits, row[0, 1:], reduction="none")
    assert whole.value == pytest.approx(-float(nats.sum()), rel=1e-5)
    assert rest.value == pytest.approx(-float(nats[3:].sum()), rel=1e-5)


def test_texts_are_those_that_generate_returns() -> None:
    loaded = untrained("mdlm")
    texts = loaded.generate(["a b", "c"], length=6, steps=8)
    found = loaded.log_likelihood(texts, ["a b", "c"])
    assert [one.tokens for one in found] == [4, 5]
    assert found == loaded.log_likelihood(texts, ["a b", "c"])
    assert all(one.claim == "tight" for one in found)


def test_a_long_text_is_scored_in_windows() -> None:
    loaded = untrained("arlm")
    text = " ".join("abcdefgh" * 3)
    (found,) = loaded.log_likelihood(text, context=4)
    assert found.tokens == 24
    how = "in 5 windows of up to 8 tokens, each given 4 or more before it"
    assert found.given == f"given some tokens, {how}"
    (apart,) = loaded.log_likelihood(text, context=0)
    assert apart.given == "in 3 windows of up to 8 tokens"
    (first,) = loaded.log_likelihood(" ".join("abcdefgh"))
    assert first.value < apart.value / 3  # a text that ends has the cost of its end beside it
    masked = untrained("mdlm")
    (one,) = masked.log_likelihood(text, context=0)
    (other,) = masked.log_likelihood(text)
    assert one.joint is not None
    assert other.joint is None
    assert one.error > 0


def test_a_run_that_answers_prompts(trained: Path) -> None:
    loaded = xlm_runtime.load(trained)
    right, wrong = loaded.log_likelihood(["d c b a", "a c b d"], ["a b c d"] * 2)
    assert right.value > wrong.value
    assert right.perplexity == pytest.approx(exp(-right.value / 4))
    total = loaded.perplexity(["d c b a", "a c b d"], ["a b c d"] * 2)
    assert log(total.value) == pytest.approx(-(right.value + wrong.value) / 8)
    assert total.tokens == 8
    with pytest.raises(UsageError, match="this run answers prompts: give one for each text"):
        loaded.log_likelihood("d c b a")
    with pytest.raises(UsageError, match="the answer has 6 tokens, and there is room for 5"):
        loaded.log_likelihood("d c b a a a", "a b c d")
    with pytest.raises(UsageError, match="a pseudo-likelihood is that of a text"):
        loaded.pseudo_log_likelihood("d c b a")


@pytest.mark.parametrize("name", ["mdlm", "mlm", "llada"])
def test_a_pseudo_likelihood_masks_each_token_alone(name: str) -> None:
    loaded = untrained(name)
    (found,) = loaded.pseudo_log_likelihood("a b c d")
    network, vocabulary = loaded.model.network, loaded.model.vocabulary
    ids = loaded.tokenizer.encode("a b c d")
    layout = loaded.model.family.layouts["text"](vocabulary, 8)
    from xlm_runtime.plug import Example

    batch = layout([Example(0, ids)])
    (start,) = batch.inside[0].nonzero()[:1, 0].tolist()
    wanted = 0.0
    for place, token in enumerate(ids):
        row = batch.x0.clone()
        row[0, start + place] = vocabulary["mask"]
        with torch.no_grad():
            logits = network.token(network.trunk(row, batch.attend)[:, start + place])
        wanted += float(logits.log_softmax(-1)[0, token])
    assert found.value == pytest.approx(wanted, rel=1e-5)
    assert (found.tokens, found.error, found.given) == (4, 0, "given all other tokens")
    pseudo = loaded.pseudo_perplexity("a b c d")
    assert pseudo.value == pytest.approx(exp(-found.value / 4))
    assert pseudo.error == 0
    (long,) = loaded.pseudo_log_likelihood(" ".join("abcdefgh" * 2))
    assert long.tokens == 16


@pytest.mark.parametrize("name", ["ilm", "arlm", "flexmdm"])
def test_families_without_a_pseudo_likelihood(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} does not fill one place among given tokens"):
        untrained(name).pseudo_perplexity("a b")


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ({"texts": "a b", "prompts": "b"}, "does not begin with its prompt 'b': 'a b'"),
        ({"texts": "a b", "prompts": "a b"}, "has no token that is scored: 'a b'"),
        ({"texts": ""}, "has no token that is scored: ''"),
        ({"texts": "a x"}, "unknown: 'x'"),
        ({"texts": ["a", "b"], "prompts": "a"}, "prompts: 1 for 2 texts"),
        ({"texts": 3}, "texts: 3 is neither a string nor a list"),
        ({"texts": "a", "prompts": "[MASK]"}, "behind its prompt, which has no holes"),
        ({"texts": "a", "draws": 1}, "draws: 1 is no whole number of at least 2"),
        ({"texts": "a", "context": 8}, "context: 8 is no whole number from 0 to 7"),
    ],
)
def test_mistakes(call: dict[str, object], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        untrained("mdlm").log_likelihood(**call)  # type: ignore[arg-type]


def test_no_texts_have_no_likelihoods_and_no_perplexity() -> None:
    loaded = untrained("mdlm")
    assert loaded.log_likelihood([]) == []
    with pytest.raises(UsageError, match="there is no token to score"):
        loaded.perplexity([])


def test_a_text_without_holes_is_itself() -> None:
    for text in ("a", "[MASK]", r"\[GAP] b \\[MASK*3]", "\\", r"\\\[MASK]"):
        assert holes.plain(holes.literal(text)) == text


def test_results_are_shown_in_a_line() -> None:
    loaded = evolve(untrained("mdlm"))
    for one in (*loaded.log_likelihood("a b"), loaded.perplexity("a b")):
        assert "\n" not in repr(one)
